"""Whether an alarm is heard, found by going through every composite alarm: what the index is held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wa_audit.aws import alarms
from wa_audit.aws.alarms import Alarm


def is_heard(alarm: Alarm, composites: Iterable[Alarm]) -> bool:
    """Whether something is done when the alarm goes off: by itself, or by a composite it is a member of."""
    return alarms.acts(alarm) or any(
        alarms.acts(composite) for composite in _above(alarm, list(composites), set())
    )


def _above(alarm: Alarm, composites: list[Alarm], seen: set[str]) -> Iterator[Alarm]:
    names = {alarm["AlarmName"], alarm["AlarmArn"]} - {None}
    for composite in composites:
        name = str(composite["AlarmName"])
        if name not in seen and names & alarms.members(composite["AlarmRule"] or ""):
            seen.add(name)
            yield composite
            yield from _above(composite, composites, seen)
