"""The files under docs/ci: they parse, and ask for what there is."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from wa_audit import flags
from wa_audit.cli import cli
from wa_audit.commands.scan import scan
from wa_audit.report import FORMATS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "ci"
FILES = sorted(FOLDER.glob("*.yml"))
VARIABLES = {
    variable
    for parameter in scan.params
    if isinstance(parameter, click.Option) and parameter.envvar
    for variable in parameter.envvar
}


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def _values(value: Any, key: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [pair for k, v in value.items() for pair in [(str(k), v), *_values(v, str(k))]]
    return (
        [pair for item in value for pair in [(key, item), *_values(item, key)]]
        if isinstance(value, list)
        else []
    )


def _commands(name: str) -> list[str]:
    texts = [text for key, text in _values(_read(name)) if key in ("run", "script") and isinstance(text, str)]
    return [text for text in texts if text.startswith("wa-audit")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_command_is_one_that_the_program_takes(file: Path) -> None:
    for command in _commands(file.name):
        name, *arguments = shlex.split(command)[1:]
        found = cli.get_command(click.Context(cli), name)
        assert found is not None
        context = found.make_context(name, arguments)
        assert set(_formats(context.params)) <= set(FORMATS)


def _formats(parameters: dict[str, Any]) -> list[str]:
    return [spelled.partition("=")[0] for spelled in parameters["formats"]]


def test_something_is_run_in_github_and_in_gitlab() -> None:
    assert len(_commands("action.yml")) == len(_commands("gitlab.yml")) == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_variable_of_ours_is_one_that_is_read(file: Path) -> None:
    named = set(re.findall(r"WA_AUDIT_\w+", file.read_text(encoding="utf-8")))
    assert named <= VARIABLES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_script_holds_what_others_write(file: Path) -> None:
    for key, text in _values(_read(file.name)):
        if key == "run" and isinstance(text, str):
            assert "${{" not in text
            subprocess.run(["/bin/bash", "-n"], input=text, text=True, check=True)


def test_the_workflow_gives_the_action_what_it_takes() -> None:
    inputs = _read("action.yml")["inputs"]
    (step,) = [s for s in _read("github.yml")["jobs"]["audit"]["steps"] if s["uses"].endswith("/wa-audit")]
    assert (
        {name for name, given in inputs.items() if given.get("required")} <= set(step["with"]) <= set(inputs)
    )
    assert step["with"]["fail-on"] in flags.SEVERITIES


def test_files_that_are_taken_on_are_written_under_these_names() -> None:
    results = _read("action.yml")["inputs"]["results"]["default"]
    text = (FOLDER / "github.yml").read_text(encoding="utf-8")
    assert f"{results}/{FORMATS['sarif'].file}" in text
    assert FORMATS["markdown"].file in (FOLDER / "action.yml").read_text(encoding="utf-8")
    assert (
        _read("gitlab.yml")["wa-audit"]["artifacts"]["reports"]["junit"] == f"results/{FORMATS['junit'].file}"
    )


def test_an_empty_variable_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """The action hands on what was not given as an empty text."""
    for name in ("BASELINE", "MIN_SCORE"):
        monkeypatch.setenv(f"WA_AUDIT_{name}", "")
    context = scan.make_context("scan", [])
    assert context.params["baseline"] is None
    assert context.params["min_score"] is None
