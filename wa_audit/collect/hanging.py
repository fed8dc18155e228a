"""Which lists hang on what is found: kinds that are listed `within` others, and only beside one of them.

An empty region has no VPC, and so neither subnets nor instances: what needs no call is not called. A list
that failed tells of nothing that it is not there, so what hangs on it is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wa_audit.collect.kinds import Kind
from wa_audit.collect.plan import Plan, within

Place = tuple[str, str]
"""A resource type and a region."""


class Hanging:
    """What a run knows of the places that lists hang on.

    `known` are places where there are resources, or may be, before anything is read. With `every`, nothing
    hangs on anything: each list is read.

    Any thread may ask; whoever calls `opened_by` holds a lock.
    """

    def __init__(self, plan: Plan, known: Iterable[Place], *, every: bool = False) -> None:
        self._above: Mapping[str, tuple[str, ...]] = (
            {} if every else {kind.type: within(plan, kind) for kind, _ in plan.values()}
        )
        self._below: dict[str, list[Kind]] = {}
        for kind, _ in plan.values():
            for type_ in self.above(kind):
                self._below.setdefault(type_, []).append(kind)
        self._inhabited = set(known)

    def above(self, kind: Kind) -> tuple[str, ...]:
        """The types of which a region must have any before a kind is listed there; most often none."""
        return self._above.get(kind.type, ())

    def is_due(self, kind: Kind, region: str) -> bool:
        """Whether a kind is to be listed in a region, by what is known so far."""
        above = self.above(kind)
        return not above or any((type_, region) in self._inhabited for type_ in above)

    def is_news(self, place: Place) -> bool:
        """Whether lists hang on a place, and nobody has opened it."""
        return place[0] in self._below and place not in self._inhabited

    def opened_by(self, place: Place) -> list[Kind]:
        """Notes that there are resources in a place, or may be; gives the kinds that are due by it."""
        self._inhabited.add(place)
        return self._below[place[0]]
