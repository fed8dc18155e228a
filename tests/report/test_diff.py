"""Two audits compared: each change is told for what it is, and a refused reading never for a repair."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from tests.rules.cases import ACCOUNT, REGION, deny, resource
from wa_audit import rulebook
from wa_audit.assess import assess
from wa_audit.cli import cli
from wa_audit.files import write_atomically
from wa_audit.inventory import Inventory, Run
from wa_audit.model import ConfigurationError, Gap, Reason, Resource, Severity, Status
from wa_audit.report import audit as audits
from wa_audit.report import diff as diffs
from wa_audit.report import diff_html, diff_text
from wa_audit.report.audit import Audit
from wa_audit.report.diff import Change, Diff
from wa_audit.rulebook import Rulebook

BOOK = rulebook.load().select(rules=["sqs-queue-encrypted", "sqs-dlq-retention"])
HOSTILE = "<img src=x onerror=alert(1)>|`**@team**`\x1b]0;pwn\x07"


def queue(name: str, *, encrypted: bool) -> Resource:
    data = {"SqsManagedSseEnabled": encrypted}
    return resource("AWS::SQS::Queue", {"name": name, "data": data}, Run(account=ACCOUNT))


def audit(*resources: Resource, gaps: Any = (), book: Rulebook = BOOK, only: Any = (), **run: Any) -> Audit:
    facts = {"account": ACCOUNT, "regions": (REGION,), "finished": "2026-11-01T12:00:00Z", **run}
    inventory = Inventory(Run(**facts), resources, gaps)
    findings = list(assess(inventory, book))
    return audits.build(inventory, book, findings, only=only)


def refused(*resources: Resource, operation: str) -> Audit:
    gaps = deny(operation, list(resources))
    return audit(*([] if gaps else resources), gaps=gaps)


def changed(diff: Diff) -> dict[str, list[str]]:
    return {
        change: [row.name for row in rows if row.rule == "sqs-queue-encrypted"]
        for change, rows in diff.changes.items()
        if any(row.rule == "sqs-queue-encrypted" for row in rows)
    }


GOOD, BAD = queue("orders", encrypted=True), queue("orders", encrypted=False)
LISTED, DESCRIBED = "sqs:ListQueues", "sqs:GetQueueAttributes"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(audit(GOOD), audit(BAD), {"new": ["orders"]}, id="it broke"),
        pytest.param(audit(), audit(BAD), {"new": ["orders"]}, id="it is new"),
        pytest.param(audit(BAD), audit(GOOD), {"fixed": ["orders"]}, id="it was put right"),
        pytest.param(audit(BAD), audit(BAD), {"open": ["orders"]}, id="nobody has cared"),
        pytest.param(audit(GOOD), audit(GOOD), {}, id="sound all along"),
        pytest.param(audit(BAD), audit(), {"gone": ["orders"]}, id="it was deleted"),
        pytest.param(audit(GOOD), audit(), {}, id="a sound one was deleted"),
    ],
)
def test_each_change_is_told_for_what_it_is(old: Audit, new: Audit, expected: dict[str, list[str]]) -> None:
    assert changed(diffs.compare(old, new)) == expected


@pytest.mark.parametrize("operation", [LISTED, DESCRIBED])
@pytest.mark.parametrize("encrypted", [True, False])
def test_what_a_refusal_hides_is_not_evaluated_and_never_fixed(operation: str, encrypted: bool) -> None:
    old = audit(queue("orders", encrypted=encrypted))
    new = refused(queue("orders", encrypted=encrypted), operation=operation)
    diff = diffs.compare(old, new)
    assert changed(diff) == {"not_evaluated": ["orders"]}
    (row,) = (r for r in diff.changes["not_evaluated"] if r.rule == "sqs-queue-encrypted")
    assert operation in row.why


def test_what_could_not_be_judged_before_and_fails_now_is_new_and_says_so() -> None:
    diff = diffs.compare(refused(queue("orders", encrypted=False), operation=DESCRIBED), audit(BAD))
    (row,) = diff.changes["new"]
    assert row.before == "not_evaluated"
    assert "which could not be evaluated before" in diff_text.as_markdown(diff)


def test_a_list_refused_in_one_region_says_nothing_of_another() -> None:
    elsewhere = Gap(
        type="AWS::SQS::Queue",
        operation=LISTED,
        action=LISTED,
        reason=Reason.ACCESS_DENIED,
        region="us-east-1",
    )
    regions = (REGION, "us-east-1")
    new = audit(gaps=[elsewhere], regions=regions)
    assert changed(diffs.compare(audit(BAD, regions=regions), new)) == {"gone": ["orders"]}


@pytest.mark.parametrize(
    ("new", "why"),
    [
        pytest.param(audit(regions=("us-east-1",)), "eu-west-1 was not part of", id="another region"),
        pytest.param(audit(complete=False), "stopped before its end", id="a stopped run"),
        pytest.param(audit(only=["tag team=data"]), "tag team=data", id="a part of the account"),
    ],
)
def test_what_was_not_looked_at_is_not_gone(new: Audit, why: str) -> None:
    diff = diffs.compare(audit(BAD), new)
    assert changed(diff) == {"not_evaluated": ["orders"]}
    assert why in diff.changes["not_evaluated"][0].why


def test_a_rule_that_was_left_out_makes_its_findings_gone_with_the_reason() -> None:
    diff = diffs.compare(audit(BAD), audit(BAD, book=BOOK.select(rules=["sqs-dlq-retention"])))
    assert [r.why for r in diff.changes["gone"]] == ["the rule was not part of the newer audit"]


@pytest.mark.parametrize(("before", "after", "change"), [("low", "high", "worse"), ("high", "low", "better")])
def test_severity_decides_between_worse_and_better(before: str, after: str, change: str) -> None:
    old, new = (_with_severity(audit(BAD), severity) for severity in (before, after))
    (row,) = diffs.compare(old, new).changes[change]
    assert (row.severity_before, row.severity) == (before, after)


def _with_severity(made: Audit, severity: str) -> Audit:
    rows = [msgspec.structs.replace(finding, severity=Severity(severity)) for finding in made.findings]
    return msgspec.structs.replace(made, findings=rows)


def test_a_gate_sees_what_is_new_or_worse_and_grave_enough() -> None:
    diff = diffs.compare(audit(GOOD), _with_severity(audit(BAD), "medium"))
    assert [r.name for r in diffs.got_worse(diff, [Severity.MEDIUM])] == ["orders"]
    assert diffs.got_worse(diff, [Severity.CRITICAL, Severity.HIGH]) == []


def test_audits_of_two_accounts_have_nothing_to_do_with_each_other() -> None:
    with pytest.raises(ConfigurationError, match="two accounts"):
        diffs.compare(audit(BAD), audit(account="210987654321"))


_STATES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["good", "bad", "unread"]))


def _account(states: dict[str, str]) -> Audit:
    queues = [queue(name, encrypted=state == "good") for name, state in states.items()]
    deny(DESCRIBED, [q for q in queues if states[q.name] == "unread"])
    return audit(*queues)


@settings(max_examples=60, deadline=None)
@given(_STATES, _STATES)
def test_every_finding_that_matters_is_in_exactly_one_change(
    before: dict[str, str], after: dict[str, str]
) -> None:
    old, new = _account(before), _account(after)
    diff = diffs.compare(old, new)
    told = [row.id for rows in diff.changes.values() for row in rows]
    assert len(told) == len(set(told))
    failing = {f.id for a in (old, new) for f in a.findings if f.status is Status.FAIL}
    assert failing <= set(told)
    fixed = {row.name for row in diff.changes["fixed"] if row.rule == "sqs-queue-encrypted"}
    assert fixed == {n for n in before if before[n] == "bad" and after.get(n) == "good"}


# -- what is made of it ------------------------------------------------------------------------------


def hostile() -> Diff:
    return diffs.compare(audit(), audit(queue(HOSTILE, encrypted=False)))


def test_markdown_shows_hostile_names_as_they_are() -> None:
    text = diff_text.as_markdown(hostile())
    for sign in ("<img", "\x1b", "**@", "@team", "`**"):
        assert sign not in text
    assert "&#60;img src=x onerror=alert(1)" not in text  # brackets are signs as well
    assert "img src=x onerror=alert&#40;1&#41;" in text


def test_the_page_is_self_contained_and_runs_nothing() -> None:
    page = b"".join(diff_html.render(hostile())).decode()
    assert "script-src &#39;none&#39;" in page
    assert "<img" not in page
    assert "<script" not in page
    assert "\x1b" not in page


def test_the_terminal_gets_no_control_bytes() -> None:
    said = Console(file=io.StringIO(), width=100)
    diff_text.show(hostile(), said)
    assert isinstance(said.file, io.StringIO)
    assert "\x1b" not in said.file.getvalue()
    assert "New: 1" in said.file.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    for name, made in (("old.json", audit(BAD)), ("new.json", audit(GOOD))):
        write_atomically(tmp_path / name, audits.render(made))
    return str(tmp_path / "old.json"), str(tmp_path / "new.json")


def test_the_command_prints_each_form(files: tuple[str, str], tmp_path: Path) -> None:
    run = CliRunner().invoke(cli, ["diff", *files])
    assert (run.exit_code, "Fixed: 1" in run.output) == (0, True)
    found = json.loads(CliRunner().invoke(cli, ["diff", *files, "--format", "json"]).output)
    assert (found["format"], found["counts"]["fixed"]) == ("wa-audit-diff", 1)
    target = tmp_path / "changes.html"
    run = CliRunner().invoke(cli, ["diff", *files, "--format", "html", "-o", str(target)])
    assert run.exit_code == 0
    assert target.read_text().startswith("<!doctype html>")
    assert set(found["changes"]) == {change.value for change in Change}
