"""The workshop itself: what CI never skips, and that stale documentation is named."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import docs
from wa_audit import rulebook

ROOT = Path(__file__).resolve().parent.parent
BOOK = rulebook.load()

SKIPPING = """
import pytest

@pytest.mark.{mark}
def test_it():
    pytest.skip("nothing to do it with")
"""


@pytest.mark.parametrize(
    ("mark", "ci", "outcome"),
    [
        ("browser", "true", "1 failed"),
        ("emulator", "true", "1 failed"),
        ("browser", "", "1 skipped"),
        ("skipif(True, reason='elsewhere')", "true", "1 skipped"),
    ],
)
def test_what_ci_never_skips(tmp_path: Path, mark: str, ci: str, outcome: str) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPING.format(mark=mark))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  browser: x\n  emulator: x\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout.splitlines()[-1], done.stdout


def test_stale_documentation_is_named_and_mended(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- generated: help -->\nold\n<!-- end -->\nafter\n")
    made = docs.pages(BOOK, tmp_path)
    docs.write(made, docs.stale(made, tmp_path), tmp_path)
    assert docs.stale(docs.pages(BOOK, tmp_path), tmp_path) == []
    assert readme.read_text().startswith("before\n<!-- generated: help -->\n```console\n$ wa-audit --help\n")
    assert readme.read_text().endswith("```\n<!-- end -->\nafter\n")

    (tmp_path / "docs" / "rules" / "gone.md").write_text("a rule that is no more")
    (tmp_path / "docs" / "permissions.md").write_text("changed by hand")
    names = docs.stale(made, tmp_path)
    assert names == ["docs/permissions.md", "docs/rules/gone.md"]
    docs.write(made, names, tmp_path)
    assert not (tmp_path / "docs" / "rules" / "gone.md").exists()


def test_links_lead_somewhere() -> None:
    """Every relative link of every page, generated or not, leads to a file that is there."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_a_rules_page_says_all_of_it(rule: rulebook.Rule) -> None:
    page = docs.rule_page(rule)
    for heading in ("Why", "How it judges", "Fix", "Reads", "Best practices"):
        assert f"\n## {heading}\n" in page
    assert ("\n## Parameters\n" in page) == bool(rule.params)
    assert all(id_ in page for id_ in (*rule.best_practices, *rule.analytics_lens, *rule.params))


def test_prose_shows_what_it_says() -> None:
    assert (
        docs.prose("`*` is code, a* and <b> and `<c>` are not")
        == "`*` is code, a\\* and &lt;b> and `<c>` are not"
    )
