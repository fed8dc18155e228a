"""Accepted failures: who accepts what, until when, and that an entry never hides more than it says."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.rules.cases import ACCOUNT, REGION, deny, resource
from wa_audit import inventory as inventories
from wa_audit import rulebook, suppressions
from wa_audit.assess import assess
from wa_audit.cli import cli
from wa_audit.inventory import Inventory, Run
from wa_audit.model import ConfigurationError, Finding, Resource, Status
from wa_audit.score import score
from wa_audit.suppressions import State, Suppressions

BOOK = rulebook.load().select(rules=["sqs-queue-encrypted"])
DAY = datetime.date(2026, 11, 1)
ENTRY = {"rule": "sqs-queue-encrypted", "reason": "scratch", "owner": "data", "expires": "2027-01-31"}


def queue(name: str, *, encrypted: bool = False, **tags: str) -> Resource:
    row = {"name": name, "data": {"SqsManagedSseEnabled": encrypted}, "tags": tags}
    return resource("AWS::SQS::Queue", row, Run(account=ACCOUNT))


def write(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "accepted.yaml"
    path.write_text(json.dumps({"suppressions": entries}))
    return path


def judged(folder: Path, *queues: Resource, **entry: Any) -> tuple[dict[str, Status], State, int]:
    """Each queue's status, and what became of the one entry."""
    entries = suppressions.read([write(folder, ENTRY | entry)])
    inventory = Inventory(Run(account=ACCOUNT, regions=(REGION,)), queues)
    accepted = Suppressions(entries, DAY)
    findings = list(accepted.apply(assess(inventory, BOOK), inventory))
    ((_, state, covered),) = accepted.outcomes(rule.id for rule in BOOK.rules)
    return {f.name: f.status for f in findings}, state, covered


@pytest.mark.parametrize(
    ("entry", "covered"),
    [
        pytest.param({}, {"orders", "scratch-1"}, id="everything of the rule"),
        pytest.param({"resource": "scratch-*"}, {"scratch-1"}, id="by name"),
        pytest.param({"resource": "arn:aws:sqs:*:scratch-?"}, {"scratch-1"}, id="by ARN"),
        pytest.param({"resource": "scratch"}, set(), id="a part of a name is not the name"),
        pytest.param({"tag": {"stage": "dev"}}, {"scratch-1"}, id="by tag"),
        pytest.param({"tag": {"stage": "dev", "team": "x"}}, set(), id="all tags must match"),
        pytest.param({"account": "210987654321"}, set(), id="another account"),
        pytest.param({"region": "us-east-1"}, set(), id="another region"),
        pytest.param(
            {"rule": "sqs-*", "region": REGION, "account": ACCOUNT}, {"orders", "scratch-1"}, id="all"
        ),
        pytest.param({"rule": "s3-*"}, set(), id="another rule"),
    ],
)
def test_an_entry_covers_what_it_says_and_no_more(
    tmp_path: Path, entry: dict[str, Any], covered: set[str]
) -> None:
    found, _, count = judged(tmp_path, queue("orders"), queue("scratch-1", stage="dev"), **entry)
    assert {name for name, status in found.items() if status is Status.SUPPRESSED} == covered
    assert {status for name, status in found.items() if name not in covered} <= {Status.FAIL}
    assert count == len(covered)


def test_what_passes_or_could_not_be_judged_is_left_as_it_is(tmp_path: Path) -> None:
    unread = queue("unread")
    deny("sqs:GetQueueAttributes", [unread])
    found, state, _ = judged(tmp_path, queue("good", encrypted=True), unread)
    assert found == {"good": Status.PASS, "unread": Status.NOT_EVALUATED}
    assert state is State.NOT_JUDGED


@pytest.mark.parametrize(
    ("expires", "status", "state"),
    [
        ("2026-11-01", Status.SUPPRESSED, State.ACTIVE),
        ("2026-10-31", Status.FAIL, State.EXPIRED),
    ],
)
def test_an_entry_holds_on_its_last_day_and_not_after(
    tmp_path: Path, expires: str, status: Status, state: State
) -> None:
    found, became, covered = judged(tmp_path, queue("orders"), expires=expires)
    assert (found["orders"], became, covered) == (status, state, 1)


def test_an_entry_that_nothing_needs_is_unused(tmp_path: Path) -> None:
    assert judged(tmp_path, queue("orders", encrypted=True))[1] is State.UNUSED


def test_an_entry_for_a_rule_that_was_not_asked_for_is_not_called_unused(tmp_path: Path) -> None:
    assert judged(tmp_path, queue("orders"), rule="s3-bucket-versioning")[1] is State.NOT_JUDGED


def test_tags_that_could_not_be_read_suppress_nothing(tmp_path: Path) -> None:
    hidden = queue("scratch-1", stage="dev")
    deny("sqs:ListQueueTags", [hidden])
    assert judged(tmp_path, hidden, tag={"stage": "dev"})[0] == {"scratch-1": Status.FAIL}


def test_a_suppressed_failure_leaves_the_score_and_is_counted_apart() -> None:
    def finding(name: str, status: Status) -> Finding:
        (rule,) = BOOK.rules
        return Finding(
            rule=rule.id,
            arn=name,
            type="T",
            name=name,
            account="1",
            status=status,
            severity=rule.severity,
            message="",
        )

    card = score([finding("a", Status.PASS), finding("b", Status.SUPPRESSED)], BOOK)
    assert (card.overall.score, card.overall.coverage) == (100.0, 100.0)
    assert card.overall.counts["suppressed"] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("suppressions: [{rule: a, owner: b, expires: 2027-01-01}]", "line 1: entry 1: lacks 'reason'"),
        ("suppressions:\n- {rule: a, reason: c, expires: 2027-01-01}", "line 2: entry 1: lacks 'owner'"),
        ("suppressions:\n- {rule: a, reason: c, owner: b}", "lacks 'expires'"),
        ("suppressions:\n- {rule: a, reason: '', owner: b, expires: 2027-01-01}", "line 2: reason is empty"),
        ("suppressions:\n- {rule: a, reason: c, owner: b, expires: soon}", "expires"),
        (
            "suppressions:\n- {rule: a, reason: c, owner: b, expires: 2027-01-01, acount: x}",
            "did you mean 'account'",
        ),
        (
            "suppressions:\n- {rule: a, reason: c, owner: b, expires: 2027-01-01, account: 12}",
            "expected text",
        ),
        ("suppressions: 3", "not a list of entries"),
        ("rules: []", "'rules' is not known here"),
        ("- a", "not a list of suppressions"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "accepted.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        suppressions.read([path])
    assert words in str(error.value)
    assert str(error.value).startswith(str(path))


# -- through the command line ------------------------------------------------------------------------


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """An inventory of one bad queue and one good one."""
    inventory = Inventory(
        Run(account=ACCOUNT, regions=(REGION,), started="2026-11-01T12:00:00Z"),
        [queue("orders"), queue("billing", encrypted=True)],
    )
    inventories.write(inventory, tmp_path / "inventory.jsonl")
    return tmp_path


def run(folder: Path, *options: str) -> tuple[int, str]:
    """`assess` of the fixture's inventory by one rule, in a folder."""
    arguments = ["assess", str(folder / "inventory.jsonl"), "-o", str(folder), "--format", "json"]
    done = CliRunner().invoke(cli, [*arguments, "--rule", "sqs-queue-encrypted", *options])
    return done.exit_code, done.output


def test_the_audit_tells_of_each_entry_and_gates_look_past_what_was_accepted(account: Path) -> None:
    assert run(account, "--fail-on", "medium")[0] == 1
    code, said = run(account, "--fail-on", "medium", "--suppress", str(write(account, ENTRY)))
    assert (code, "1 failure suppressed" in said) == (0, True)
    audit = json.loads((account / "audit.json").read_text())
    (entry,) = audit["suppressions"]
    assert (entry["state"], entry["findings"], entry["owner"]) == ("active", 1, "data")
    (finding,) = (f for f in audit["findings"] if f["status"] == "suppressed")
    assert finding["suppression"] == 0


def test_an_entry_that_has_expired_is_reported(account: Path) -> None:
    said = run(account, "--suppress", str(write(account, ENTRY | {"expires": "2026-01-01"})))[1]
    assert "expired on 2026-01-01" in " ".join(said.split())


def test_with_a_baseline_only_what_is_new_fails_a_build(account: Path) -> None:
    run(account)
    made = CliRunner().invoke(
        cli, ["baseline", str(account / "audit.json"), "-o", str(account / "base.json")]
    )
    assert made.exit_code == 0
    known = ("--baseline", str(account / "base.json"))
    assert run(account, *known, "--fail-on", "low", "--max-new", "none")[0] == 0
    inventory = inventories.read(account / "inventory.jsonl")
    inventories.write(Inventory(inventory.run, [*inventory, queue("late")]), account / "inventory.jsonl")
    assert run(account, *known, "--fail-on", "low")[0] == 1
    assert run(account, *known, "--max-new", "none")[0] == 1
    assert run(account, *known, "--max-new", "critical")[0] == 0
    audit = json.loads((account / "audit.json").read_text())
    assert audit["baseline"] == {"made": "", "known": 1, "new": 1, "no_longer": 0}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not a baseline"),
        (
            '{"format": "x", "version": 1, "account": "1", "made": "", "findings": {}}',
            "no baseline of version",
        ),
        (
            '{"format": "wa-audit-baseline", "version": 1, "account": "1", "made": "", "findings": {}}',
            "the baseline of account 1",
        ),
    ],
)
def test_a_wrong_baseline_is_refused(account: Path, content: str, words: str) -> None:
    (account / "base.json").write_text(content)
    base = str(account / "base.json")
    arguments = ["assess", str(account / "inventory.jsonl"), "-o", str(account), "--baseline", base]
    done = CliRunner().invoke(cli, arguments)
    assert isinstance(done.exception, ConfigurationError)
    assert words in str(done.exception)


def test_max_new_without_a_baseline_is_refused(account: Path) -> None:
    code, said = run(account, "--max-new", "high")
    assert (code, "--baseline" in said) == (2, True)


def test_the_example_in_the_documentation_is_one() -> None:
    path = Path(__file__).parent.parent / "docs" / "examples" / "suppressions.yaml"
    assert [entry.rule for entry in suppressions.read([path])] == ["s3-bucket-versioning", "kinesis-*"]
