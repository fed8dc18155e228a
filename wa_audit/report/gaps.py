"""The table of what could not be read: one row an operation, region and reason, and what it cost."""

from __future__ import annotations

from collections import Counter

import msgspec

from wa_audit.model import Gap, Reason


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be read, by operation and region; `findings` counts those that it cost."""

    operation: str
    action: str
    region: str
    reason: Reason
    sentence: str
    findings: int


_Key = tuple[str, str, Reason, str]


class Gaps:
    """The table of what could not be read; findings refer to its rows by number."""

    def __init__(self) -> None:
        self._first: dict[_Key, Gap] = {}
        self._cost: Counter[int] = Counter()
        self._numbers: dict[_Key, int] = {}

    def index(self, gap: Gap, cost: int = 1) -> int:
        # What lies outside the audit has no operation: there the sentence tells one from another.
        key = (gap.operation, gap.region, gap.reason, "" if gap.operation else gap.sentence)
        self._first.setdefault(key, gap)
        number = self._numbers.setdefault(key, len(self._numbers))
        self._cost[number] += cost
        return number

    def table(self) -> list[Unread]:
        return [
            Unread(
                operation=gap.operation,
                action=gap.action,
                region=gap.region,
                reason=gap.reason,
                sentence=gap.sentence,
                findings=self._cost[self._numbers[key]],
            )
            for key, gap in self._first.items()
        ]
