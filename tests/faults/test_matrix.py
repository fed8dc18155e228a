"""The matrix of faults: nothing silent, nothing changed, no verdict turned, none vanished."""

from __future__ import annotations

import pytest

from tests import test_truth as truth
from tests.faults import matrix
from wa_audit.collect import reader
from wa_audit.model import Gap, Reason

_QUEUES = next(row for row in matrix.rows() if row.operation == "sqs:ListQueues")


def test_every_fault_of_every_call_is_named() -> None:
    outcomes = matrix.try_all()
    print("\n".join(matrix.table(outcomes, {})))
    for name, seen in outcomes.items():
        assert seen.tried, name
        assert seen.silent == [], name
        assert seen.changed == [], name
        assert seen.named + seen.gone == seen.tried


@pytest.mark.parametrize("reason", sorted({reason for fault in matrix.FAULTS for reason in fault.reasons}))
def test_no_reason_turns_a_verdict(reason: Reason) -> None:
    """Each operation is refused in turn in test_truth; `make faults` tries each with every reason."""
    every = sorted({reason for fault in matrix.FAULTS for reason in fault.reasons})
    share = truth.OPERATIONS[every.index(reason) :: len(every)]
    seen = matrix.judge([reason], share)[reason]
    assert seen.touched
    assert seen.turned == seen.vanished == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("denied: identity", "sqs:ListQueues in eu-west-1 was denied; it needs sqs:ListQueues"),
        (
            "denied: SCP",
            "sqs:ListQueues in eu-west-1 was denied by a service control policy; it needs sqs:ListQueues",
        ),
        (
            "denied: boundary",
            "sqs:ListQueues in eu-west-1 was denied by the permissions boundary; it needs sqs:ListQueues",
        ),
    ],
)
def test_who_refused_is_told_apart(fault: str, words: str) -> None:
    answer = next(known.answer for known in matrix.FAULTS if known.name == fault)
    _, inventory = matrix.Engine().run(_QUEUES, answer)
    assert [gap.sentence for gap in inventory.gaps] == [words]


def test_a_long_refusal_keeps_its_end() -> None:
    """AWS names the policy that refused last, and ARNs are long."""
    words = f"{'x' * 900} with an explicit deny in a service control policy"
    error = matrix.exceptions.ClientError({"Error": {"Code": "AccessDenied", "Message": words}}, "ListQueues")
    gap: Gap = reader.gap(_QUEUES.kind, _QUEUES.call, error, region="eu-west-1")
    assert len(gap.message) <= 300
    assert "service control policy" in gap.message


def test_a_list_that_always_brings_something_new_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_MOST_PAGES", 30)

    def page(row: matrix.Row, number: int) -> matrix.AWSResponse:
        url = f"https://sqs.eu-west-1.amazonaws.com/123456789012/queue-{number}"
        return matrix.response({"QueueUrls": [url], "NextToken": f"page-{number}"})

    scheduler, inventory = matrix.Engine().run(_QUEUES, page)
    assert [gap.reason for gap in inventory.gaps] == [Reason.MALFORMED]
    assert len(scheduler.resources) == 30
