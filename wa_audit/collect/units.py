"""What a run is made of: its scope, its units, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from wa_audit.collect import metrics
from wa_audit.collect.journal import Key
from wa_audit.collect.kinds import Kind
from wa_audit.model import Resource


@dataclass(slots=True)
class Tally:
    """What a progress display shows. Written under the scheduler's lock, read without."""

    resources: int = 0
    calls: int = 0
    throttles: int = 0
    gone: int = 0
    queued: int = 0
    finished: int = 0
    services: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Spent:
    """What one task, or one unit, has cost."""

    calls: int = 0
    throttles: int = 0
    gone: int = 0

    def add(self, other: Spent) -> None:
        self.calls += other.calls
        self.throttles += other.throttles
        self.gone += other.gone


@dataclass(slots=True)
class Unit:
    """One list and the description of everything on it, or a region's metrics: done whole, or again after a
    stop. `aid` names the call that helps others: it is asked again after a stop, where it is needed."""

    kind: Kind
    region: str
    parent: Resource | None = None
    metrics: metrics.Region | None = None
    aid: str = ""
    left: int = 0
    spent: Spent = field(default_factory=Spent)

    @property
    def key(self) -> Key:
        return self.kind.type, self.region, self.parent.arn if self.parent else self.aid


@dataclass(frozen=True, slots=True)
class Scope:
    """Where is read: the account's facts, and where its global services answer."""

    account: str
    partition: str
    regions: tuple[str, ...]
    main_region: str
    started: str
    metrics_days: int


def listed_in(resource: Resource, unit: Unit, scope: Scope) -> bool:
    """Whether the unit's list is the one that the resource stands on."""
    if unit.parent is not None:
        return resource.arn.startswith(unit.parent.arn)
    return unit.kind.scope == "global" or resource.region == unit.region
