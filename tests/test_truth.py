"""Truth before verdict, over everything: each operation of the demo account's reading refused in turn.

A finding may stay as it is or become not evaluated, naming what was refused. It may not turn from fail to
pass or from pass to fail, it may not vanish, and the score may not move where nothing became unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from wa_audit import inventory as inventories
from wa_audit import rulebook
from wa_audit.assess import assess
from wa_audit.collect import plan
from wa_audit.collect.kinds import by_type
from wa_audit.collect.permissions import action
from wa_audit.inventory import Inventory
from wa_audit.model import Finding, Gap, Reason, Resource, Status
from wa_audit.score import score

BOOK = rulebook.load()
DEMO = Path(__file__).parent / "golden" / "inventory.jsonl"
WHOLE = {finding.id: finding for finding in assess(inventories.read(DEMO), BOOK)}
OPERATIONS = sorted(plan.operations(plan.plan(BOOK.rules)))


def refuse(operations: Iterable[str], reason: Reason = Reason.ACCESS_DENIED) -> Inventory:
    """The demo's inventory as it is read where these operations are refused, or fail for another reason."""
    refused = set(operations)
    whole = inventories.read(DEMO)
    resources: list[Resource] = []
    gaps: list[Gap] = []
    for kind in by_type().values():
        if kind.operation(kind.list) in refused:
            regions = ("",) if kind.scope == "global" else whole.run.regions
            gaps += [_gap(kind.type, kind.operation(kind.list), reason, region) for region in regions]
            continue
        for resource in whole.known(kind.type):
            for call in kind.details:
                if kind.operation(call) in refused:
                    _hide(resource, kind.operation(call), reason, call.fields)
            resources.append(resource)
    # Nobody can list the children of what could not be listed.
    for kind in by_type().values():
        parent = by_type().get(kind.parent)
        if parent is not None and parent.operation(parent.list) in refused:
            resources = [resource for resource in resources if resource.type != kind.type]
            operation = parent.operation(parent.list)
            gaps += [_gap(kind.type, operation, reason, region) for region in whole.run.regions]
    return Inventory(whole.run, [*resources, whole.account], [*whole.gaps, *gaps])


def _gap(
    type_: str, operation: str, reason: Reason, region: str, arn: str = "", fields: tuple[str, ...] = ()
) -> Gap:
    return Gap(
        type=type_,
        operation=operation,
        action=action(operation),
        reason=reason,
        region=region,
        arn=arn,
        fields=fields,
    )


def _hide(resource: Resource, operation: str, reason: Reason, fields: tuple[str, ...]) -> None:
    for field in fields:
        resource.data.pop(field, None)
    gap = _gap(resource.type, operation, reason, resource.region, resource.arn, fields)
    resource.gaps = (*resource.gaps, gap)


def _by_resource(findings: Iterable[Finding]) -> dict[tuple[str, str], Finding]:
    return {(finding.rule, finding.arn): finding for finding in findings}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refused_operation_turns_no_verdict(operation: str) -> None:
    inventory = refuse([operation])
    after = _by_resource(assess(inventory, BOOK))
    there = {resource.arn for resource in inventory}
    for finding in WHOLE.values():
        found = after.get((finding.rule, finding.arn))
        if finding.arn not in there:
            continue
        assert found is not None, f"{finding.rule} on {finding.arn} vanished"
        if found.status is not finding.status:
            assert found.status is Status.NOT_EVALUATED, f"{finding.rule} on {finding.arn}: {found.message}"
            assert found.gap is not None
            assert found.gap.operation == operation
            assert found.gap.action in found.message


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refused_list_is_said_for_every_rule_that_needed_it(operation: str) -> None:
    """Resources that are no longer seen leave a finding on their list, in every region."""
    inventory = refuse([operation])
    after = list(assess(inventory, BOOK))
    for rule in BOOK.rules:
        for type_ in rule.types:
            for gap in inventory.list_gaps(type_):
                if gap.operation == operation:
                    said = [f for f in after if f.rule == rule.id and f.gap == gap and f.name == "*"]
                    assert len(said) == 1, f"{rule.id} is silent about {operation}"
                    assert said[0].status is Status.NOT_EVALUATED


def test_what_is_refused_lowers_coverage_and_not_the_score() -> None:
    """A score over what is left stays a score of what is left: passes and failures keep their share."""
    whole = score(WHOLE.values(), BOOK)
    card = score(assess(refuse(["sns:ListTagsForResource", "s3:GetBucketLogging"]), BOOK), BOOK)
    assert whole.overall.coverage == 100.0
    assert card.overall.coverage is not None
    assert card.overall.coverage < 100.0


def test_everything_refused_is_no_score() -> None:
    card = score(assess(refuse(OPERATIONS), BOOK), BOOK)
    assert card.overall.score is None
    assert card.overall.coverage == 0.0
    assert card.overall.counts["pass"] == card.overall.counts["fail"] == 0


def test_the_demo_itself_is_read_whole() -> None:
    inventory = inventories.read(DEMO)
    assert not [gap for gap in inventory.gaps if gap.reason is not Reason.NOT_COLLECTED]
    assert inventory.run.complete
