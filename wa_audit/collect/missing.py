"""What a plan leaves out, and a stopped run leaves unread, as gaps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.permissions import action
from wa_audit.collect.plan import Plan, toll
from wa_audit.model import Gap, Reason


def uncollected(plan: Plan, kinds: tuple[Kind, ...]) -> list[Gap]:
    """What the plan leaves out, said so that nothing unread can be taken for something absent."""
    gaps = []
    for kind in kinds:
        details = plan[kind.type][1] if kind.type in plan else None
        calls = [kind.list] if details is None else [call for call in kind.details if call not in details]
        gaps += [
            _gap(
                kind,
                call,
                Reason.NOT_COLLECTED,
                fields=() if call is kind.list else call.fields,
                message=toll(kind, call),
            )
            for call in calls
        ]
    return gaps


def not_offered(plan: Plan, partition: str) -> list[Gap]:
    """What the plan asks for and AWS does not offer in the partition.

    It may well be elsewhere: what an account in GovCloud costs is known to the account that is billed for it.
    """
    return [
        _gap(
            kind,
            kind.list,
            Reason.OUT_OF_SCOPE,
            message=f"{kind.operation(kind.list)}, which AWS does not offer in {partition},",
        )
        for kind, _ in plan.values()
        if partition in kind.not_in.split()
    ]


def left_unread(
    plan: Plan, unread: Iterable[tuple[Kind, str]], reason: Reason, *, unmeasured: bool
) -> list[Gap]:
    """What a run that was stopped has not read: a gap on every list that is not whole, in its region, and on
    metrics where they are `unmeasured`."""
    lists = [
        _gap(kind, kind.list, reason, region="" if kind.scope == "global" else region)
        for kind, region in unread
    ]
    return lists + [
        _gap(kind, call, reason, fields=call.fields)
        for kind, details in plan.values()
        for call in details
        if call.metrics and unmeasured
    ]


def _gap(kind: Kind, call: Call, reason: Reason, **more: Any) -> Gap:
    """What a call would have read of a kind."""
    operation = kind.operation(call)
    return Gap(type=kind.type, operation=operation, action=action(operation), reason=reason, **more)
