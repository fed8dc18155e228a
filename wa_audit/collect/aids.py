"""Aids: calls that answer for every resource of a region, so that each need not be asked. See `kinds.Aid`.

What waits for an aid's answer is not held by a thread. An aid that fails leaves each resource to be asked,
and so does one that does not mention a single resource of the type: nobody is taken to have nothing because a
list is empty that may not know the type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jmespath

from wa_audit.aws import arns
from wa_audit.collect import reader
from wa_audit.collect.errors import Malformed
from wa_audit.collect.kinds import Aid, Call, Kind
from wa_audit.collect.units import Unit
from wa_audit.model import Resource

# The unit that an aid's call is, to the scheduler; nothing of this type is listed.
KIND = Kind("wa-audit::Aid", service="", list=Call(operation=""), arn="")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an aid has said: of whom (by ARN, and their types), or that there is nothing at all."""

    nothing: bool = False
    by_arn: Mapping[str, Any] = field(default_factory=dict)
    types: frozenset[str] = frozenset()

    def fact(self, call: Call, resource: Resource) -> dict[str, Any] | None:
        """What the spared call would have given; None where it has to be made."""
        if self.nothing:
            return {}
        if resource.type not in self.types:
            return None
        return {call.into: self.by_arn.get(resource.arn, [])}


@dataclass(slots=True)
class Awaited:
    """An aid in one region: its answer, or what waits for it. The scheduler's lock is held for every use."""

    answer: Answer | None = None
    unit: Unit | None = None
    """What asking it is to be; whoever takes this out asks, and no other."""
    service: str = ""
    waiting: list[Callable[[], None]] = field(default_factory=list)


def read(client: Any, aid: Aid, context: Mapping[str, Any]) -> Answer:
    """Asks an aid.

    Raises:
        Exception: whatever the call raised.
    """
    if aid.none_where:
        return Answer(nothing=bool(_compiled(aid.none_where).search(reader.fact(client, aid.call, context))))
    found: dict[str, Any] = {}
    for rows in reader.taken_pages(client, aid.call, context):
        for row in rows:
            if not isinstance(row["ResourceARN"], str) or row["Value"] is None:
                raise Malformed(f"{aid.call.operation} answered without its fields")
            found[arns.whole(row["ResourceARN"])] = row["Value"]
    return Answer(by_arn=found, types=frozenset(map(arns.type_of, found)))


@cache
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)
