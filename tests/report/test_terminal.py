"""The scorecard in terminals of every kind: wide, narrow, without colour, without Unicode."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from tests.report import sample
from wa_audit import console as consoles
from wa_audit.model import Status
from wa_audit.report import audit as audits
from wa_audit.report import terminal
from wa_audit.report.audit import Audit

GOLDEN = Path(__file__).parents[1] / "golden"


def shown(audit: Audit, width: int, **options: object) -> str:
    file = io.StringIO()
    terminal.show(audit, Console(file=file, width=width, highlight=False, **options))  # type: ignore[arg-type]
    return file.getvalue()


@pytest.mark.parametrize("width", [40, 58, 60, 79, 80, 100, 160])
@pytest.mark.parametrize("name", ["demo", "hostile"])
def test_it_fits_and_cuts_no_name_that_is_ours(name: str, width: int) -> None:
    audit = audits.read(GOLDEN / "audit.json") if name == "demo" else sample.audit(hostile=True, findings=200)
    text = shown(audit, width)
    assert all(len(line) <= width for line in text.splitlines())
    for pillar in audit.pillars:
        assert pillar.title in text
    assert ("█" in text or "░" in text) == (width >= 58)
    assert not re.search(r"[\u202e\u200b\x1b]", text)


def test_it_says_what_to_do_next() -> None:
    audit = sample.audit(findings=200)
    text = shown(audit, 120)
    assert f"wa-audit rules show {audit.fix_first[0].rule}" in text
    assert "wa-audit iam-policy" in text
    assert "wa-audit baseline audit.json" in text
    assert "wa-audit iam-policy" not in shown(sample.audit(findings=200, denied=False), 120)
    sound = sample.audit(denied=False, statuses=(Status.PASS,))
    assert "Next" not in shown(sound, 120)


def test_a_share_is_never_rounded_up_to_a_whole() -> None:
    audit = sample.audit(findings=200)
    overall = msgspec.structs.replace(audit.overall, coverage=99.9)
    text = shown(msgspec.structs.replace(audit, overall=overall), 100)
    assert "99%" in next(line for line in text.splitlines() if line.startswith("Overall"))


def test_without_colour_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    audit = sample.audit(findings=200)
    monkeypatch.delenv("NO_COLOR", raising=False)
    colour = re.compile(r"\x1b\[(?:\d+;)*3\d")
    assert colour.search(shown(audit, 100, force_terminal=True, color_system="standard"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour.search(shown(audit, 100, force_terminal=True, color_system="standard"))


@pytest.mark.parametrize(
    ("encoding", "written"), [("ascii", rb"## .. - \u65e5 ~"), ("latin-1", b"## .. \xb7 \\u65e5 ~")]
)
def test_signs_that_a_terminal_lacks_are_replaced_by_like_ones(encoding: str, written: bytes) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    consoles.speak_plainly(stream)
    stream.write("██ ░░ · 日 …")
    stream.flush()
    assert raw.getvalue() == written


def test_a_stream_of_unicode_or_of_nothing_known_is_left_alone() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    consoles.speak_plainly(stream)
    assert stream.errors == "strict"
    consoles.speak_plainly(io.StringIO())


@pytest.mark.parametrize("command", [["assess"], ["pipelines", "show", "images"]])
def test_the_program_works_where_there_is_no_unicode(command: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "60", "LC_ALL": "C"}
    if command == ["assess"]:
        arguments = [*command, str(GOLDEN / "inventory.jsonl"), "-o", str(tmp_path)]
    else:
        arguments = [command[0], "--audit", str(GOLDEN / "audit.json"), *command[1:]]
    done = subprocess.run(
        [sys.executable, "-m", "wa_audit", *arguments], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert done.stderr == b""
