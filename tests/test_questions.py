"""Best practices that no rule speaks to: asked, answered, shown, and without weight."""

from __future__ import annotations

import datetime
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from tests.test_cli import Call, call, inventory  # noqa: F401 - fixtures
from wa_audit import questions, rulebook
from wa_audit.aws import framework
from wa_audit.questions import Answer, Reply
from wa_audit.report import audit as audits
from wa_audit.report import html, terminal

BOOK = rulebook.load()
HOSTILE = "<script>hacked</script>\u202e"
ANSWERS = f"""
[answers.OPS01-BP01]
answer = "no"
who = "{HOSTILE}"
date = 2026-10-01
note = "\\u001b[31m {HOSTILE}"
[answers."BP 3.1"]
answer = "not-applicable"
who = "data@example.com"
date = 2026-10-02
"""


def test_every_practice_is_judged_or_asked() -> None:
    spoken = {id_ for rule in BOOK.rules for id_ in (*rule.best_practices, *rule.analytics_lens)}
    asked = {question.practice.id: question for question in questions.of(BOOK, {})}
    assert spoken | set(asked) == set(questions.practices())
    assert not spoken & set(asked)
    assert {id_ for id_, question in asked.items() if question.only_a_person} <= framework.only_a_person()
    assert framework.only_a_person() <= set(questions.practices())
    assert asked["OPS03-BP01"].only_a_person
    assert all(question.practice.question for question in asked.values())


def test_what_is_judged_can_be_answered_all_the_same() -> None:
    """A rule that a new version brings does not make a configuration wrong."""
    (id_, *_) = BOOK["sqs-queue-encrypted"].best_practices
    answer = Answer(answer=Reply.YES, who="x", date=datetime.date(2026, 10, 1))
    (found,) = [q for q in questions.of(BOOK, {id_: answer}) if q.practice.id == id_]
    assert found.answer == answer
    assert not found.only_a_person


def test_a_part_of_the_rulebook_asks_nothing_of_its_own() -> None:
    part = BOOK.select(pillars=["security"])
    answer = Answer(answer=Reply.YES, who="x", date=datetime.date(2026, 10, 1))
    assert questions.of(part, {}) == []
    assert [q.practice.id for q in questions.of(part, {"OPS01-BP01": answer})] == ["OPS01-BP01"]


@pytest.fixture
def answered(call: Call, tmp_path: Path, inventory: Path) -> audits.Audit:  # noqa: F811
    (tmp_path / "wa-audit.toml").write_text(ANSWERS, encoding="utf-8")
    assert call("assess", inventory).code == 0
    return audits.read(tmp_path / "audit.json")


def test_answers_stand_in_the_audit(answered: audits.Audit) -> None:
    found = {question.practice: question for question in answered.questions}
    first = found["OPS01-BP01"]
    assert first.answer is not None
    assert (first.answer.answer, first.answer.who, first.answer.date) == ("no", HOSTILE, "2026-10-01")
    assert first.title == "Evaluate external customer needs"
    assert first.question == "OPS 1. How do you determine what your priorities are?"
    assert found["OPS01-BP02"].answer is None
    assert len(found) == len(questions.of(BOOK, {}))


def test_answers_never_change_the_score(answered: audits.Audit, call: Call, inventory: Path) -> None:  # noqa: F811
    assert call("assess", inventory, "--no-config").code == 0
    without = audits.read(Path("audit.json"))
    assert without.overall == answered.overall
    assert without.pillars == answered.pillars
    assert without.findings == answered.findings
    assert not any(question.answer for question in without.questions)


def test_a_narrowed_run_asks_nothing(call: Call, inventory: Path) -> None:  # noqa: F811
    assert call("assess", inventory, "--tag", "team=data").code == 0
    assert json.loads(Path("audit.json").read_text())["questions"] == []


def test_the_page_has_them(answered: audits.Audit) -> None:
    page = b"".join(html.render(answered)).decode()
    assert "<b>2 of " in page
    assert re.search(r"<summary>Operational excellence: \d+ practices, 1 answered</summary>", page)
    (line,) = [line for line in page.splitlines() if "<code>OPS01-BP01</code>" in line]
    assert "<b>No</b>, <bdi>&lt;script&gt;hacked&lt;/script&gt;\\u202e</bdi>, 2026-10-01" in line
    assert "<b>Not applicable</b>" in page
    assert "<script>hacked" not in page
    assert "\x1b" not in page


def test_the_terminal_counts_them(answered: audits.Audit) -> None:
    console = Console(file=io.StringIO(), width=120)
    terminal.show(answered, console)
    assert isinstance(console.file, io.StringIO)
    left = len(answered.questions) - 2
    assert f"{left} best practices for a person to judge, 2 answered" in console.file.getvalue()
