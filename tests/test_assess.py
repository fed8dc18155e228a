"""Rules meet resources: one finding each, and one on every list that could not be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.rules.cases import ACCOUNT, REGION, deny, resource
from wa_audit import rulebook
from wa_audit.assess import assess
from wa_audit.inventory import Inventory, Run
from wa_audit.model import Reason, Resource, Status
from wa_audit.score import score

RUN = Run(account=ACCOUNT, regions=(REGION,))
BOOK = rulebook.load().select(rules=["sqs-queue-encrypted"])
QUEUE = "AWS::SQS::Queue"


def _queue(name: str, **data: Any) -> Resource:
    return resource(QUEUE, {"name": name, "data": data}, RUN)


def test_every_resource_gets_its_finding() -> None:
    queues = [_queue("a", SqsManagedSseEnabled=True), _queue("b", SqsManagedSseEnabled=False)]
    found = list(assess(Inventory(RUN, queues), BOOK))
    assert [(f.name, f.status) for f in found] == [("a", Status.PASS), ("b", Status.FAIL)]


def test_a_refused_list_is_a_finding_of_its_own() -> None:
    found = list(assess(Inventory(RUN, [], deny("sqs:ListQueues", [])), BOOK))
    assert [f.status for f in found] == [Status.NOT_EVALUATED]
    assert "sqs:ListQueues" in found[0].message
    assert found[0].arn == f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue/*"


def test_everything_denied_gives_no_score() -> None:
    whole = rulebook.load()
    gaps = [
        gap
        for rule in whole.rules
        for read in rule.reads
        if ":" in read
        for gap in deny(read, [], Reason.ACCESS_DENIED)
    ]
    gaps += [gap for kind in {t for rule in whole.rules for t in rule.types} for gap in _list_gap(kind)]
    account = resource("AWS::::Account", {}, RUN)
    card = score(assess(Inventory(RUN, [account], set(gaps)), whole), whole)
    assert card.overall.score is None
    assert card.overall.coverage == 0.0


def _list_gap(type_: str) -> list[Any]:
    from wa_audit.collect.kinds import by_type

    kind = by_type().get(type_)
    return deny(kind.operation(kind.list), []) if kind else []


def test_a_check_that_breaks_is_an_error_and_the_run_goes_on() -> None:
    def broken(queue: Resource) -> Any:
        raise KeyError("a mistake")

    rule = replace(BOOK.rules[0], function=broken)
    both = replace(BOOK, rules=(rule, replace(BOOK.rules[0], id="other")))
    found = list(assess(Inventory(RUN, [_queue("a", SqsManagedSseEnabled=True)]), both))
    assert [f.status for f in found] == [Status.ERROR, Status.PASS]
    assert "KeyError" in found[0].message


def test_a_findings_identity_depends_on_rule_and_resource_alone() -> None:
    def ids(**data: Any) -> list[str]:
        return [f.id for f in assess(Inventory(RUN, [_queue("a", **data)]), BOOK)]

    assert ids(SqsManagedSseEnabled=True) == ids(SqsManagedSseEnabled=False)


@pytest.mark.parametrize(
    ("tags", "names"),
    [({}, ["a", "b"]), ({"team": "data"}, ["a"]), ({"team": "data", "env": "prod"}, []), ({"team": "x"}, [])],
)
def test_tags_narrow_what_is_judged(tags: dict[str, str], names: list[str]) -> None:
    queues = [_queue("a", Tags={"team": "data"}), _queue("b", Tags={})]
    assert [f.name for f in assess(Inventory(RUN, queues), BOOK, tags)] == names


def test_refused_tags_leave_it_open_whether_a_resource_is_meant() -> None:
    queue = _queue("a", SqsManagedSseEnabled=True)
    deny("sqs:ListQueueTags", [queue])
    found = list(assess(Inventory(RUN, [queue]), BOOK, {"team": "data"}))
    assert [f.status for f in found] == [Status.NOT_EVALUATED]
