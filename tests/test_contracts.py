"""Who may import whom, where import-linter cannot look: checks are mounted, and no package of ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHECKS = sorted((ROOT / "checks").glob("*/*.py"))
# What a check may use beside wa_audit.rule: words for its own types and arithmetic, nothing that does I/O.
HARMLESS = {
    "__future__",
    "collections",
    "collections.abc",
    "datetime",
    "fnmatch",
    "functools",
    "itertools",
    "math",
    "re",
    "typing",
}


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, at whatever depth, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_check_imports_the_rule_module_alone(path: Path) -> None:
    strange = [
        f"line {line}: {name}"
        for line, name in _imports(path)
        if name not in HARMLESS and name != "wa_audit.rule"
    ]
    assert not strange, f"{path.name} imports more than wa_audit.rule: {strange}"


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_check_opens_nothing(path: Path) -> None:
    """No file, no clock, no dynamic import: the inventory is all that a check can see."""
    banned = {"open", "exec", "eval", "compile", "__import__", "print", "input"}
    calls = [
        f"line {node.lineno}: {node.func.id}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in banned
    ]
    clock = [
        f"line {node.lineno}: {node.attr}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today")
    ]
    assert not calls + clock


@pytest.mark.parametrize("part", ["assess.py", "score.py", "rule.py", "report", "aws"])
def test_no_stage_but_collect_talks_to_aws(part: str) -> None:
    place = ROOT / "wa_audit" / part
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert files
    talking = [
        f"{path.name}, line {line}: {name}"
        for path in files
        for line, name in _imports(path)
        if name.split(".")[0] in ("boto3", "botocore", "moto") or name.startswith("wa_audit.collect")
    ]
    assert not talking
