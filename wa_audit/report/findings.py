"""The findings of an audit: a row each, and a sequence of rows that holds them by column.

An account of 100,000 resources has 700,000 findings. As rows they take 200 bytes each, as columns 50.
"""

from __future__ import annotations

import copy
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, overload

import msgspec
from msgspec.structs import replace

from wa_audit.model import Severity, Status
from wa_audit.report.money import SavingFacts, WasteFacts
from wa_audit.score import Judged


class FindingRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One verdict. `rule` and `resource` are keys of the audit's tables; `gap` is an index into `gaps`, and
    `suppression` one into `suppressions`.

    `known` marks a failure that stands in the baseline; `against` holds the ids of the findings on the same
    resource whose best practices pull the other way. `waste` and `carbon` are a failure's alone.
    """

    id: str
    rule: str
    resource: str
    status: Status
    severity: Severity
    message: str
    evidence: dict[str, Any] = {}
    gap: int | None = None
    suppression: int | None = None
    known: bool = False
    against: tuple[str, ...] = ()
    waste: WasteFacts | None = None
    carbon: SavingFacts | None = None


class Outcome(NamedTuple):
    """What is scored of a finding."""

    rule: str
    status: Status
    severity: Severity


_NO_GAP = -1


class Findings(Sequence[FindingRow]):
    """Rows that are held by column, and made anew whenever one is asked for. Their ids are of 16 hexadecimal
    digits, as `Finding.id` is.

    `outcomes` and `resources` are columns that may be read; equal values had better be one object.
    """

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.resources: list[str] = []
        self._ids = array("Q")
        self._messages: list[str] = []
        self._evidence: list[dict[str, Any]] = []
        self._gaps = array("i")
        self._wastes: list[WasteFacts | None] = []
        # What few say, by number; what pulls the other way is told by number, too.
        self._carbon: dict[int, SavingFacts] = {}
        self._suppressions: dict[int, int] = {}
        self._against: Mapping[int, tuple[int, ...]] = {}
        self._known: Collection[int] = frozenset()
        # Outcomes are one object with their equals; mostly one is the last one's.
        self._alike: dict[Outcome, Outcome] = {}
        self._last = Outcome("", Status.PASS, Severity.INFO)

    def add(
        self,
        id_: str,
        rule: str,
        resource: str,
        status: Status,
        severity: Severity,
        message: str,
        evidence: dict[str, Any],
        *,
        gap: int | None = None,
        suppression: int | None = None,
        waste: WasteFacts | None = None,
        carbon: SavingFacts | None = None,
    ) -> None:
        number = len(self.outcomes)
        last = self._last
        if last.status is not status or last.severity is not severity or last.rule != rule:
            made = Outcome(rule, status, severity)
            self._last = last = self._alike.setdefault(made, made)
        self.outcomes.append(last)
        self.resources.append(resource)
        self._ids.append(int(id_, 16))
        self._messages.append(message)
        self._evidence.append(evidence)
        self._gaps.append(_NO_GAP if gap is None else gap)
        self._wastes.append(waste)
        if carbon is not None:
            self._carbon[number] = carbon
        if suppression is not None:
            self._suppressions[number] = suppression

    def costly(self) -> Iterator[FindingRow]:
        """Those that say what a failure wastes, or what its cure saves, in their order."""
        for number, waste in enumerate(self._wastes):
            if waste is not None or number in self._carbon:
                yield self[number]

    def referring(self, against: Mapping[int, tuple[int, ...]]) -> Findings:
        """The same findings, of which those by number refer to others: their practices pull the other way."""
        made = copy.copy(self)
        made._against = against
        return made

    def with_known(self, known: Collection[int]) -> Findings:
        """The same findings, of which those with these numbers stand in the baseline."""
        made = copy.copy(self)
        made._known = known
        return made

    def __len__(self) -> int:
        return len(self.outcomes)

    @overload
    def __getitem__(self, number: int, /) -> FindingRow: ...
    @overload
    def __getitem__(self, number: slice, /) -> list[FindingRow]: ...
    def __getitem__(self, number: int | slice, /) -> FindingRow | list[FindingRow]:
        numbers = range(len(self))[number]
        if isinstance(numbers, range):
            return [self[each] for each in numbers]
        return self._row(numbers, *(column[numbers] for column in self._columns))

    def __iter__(self) -> Iterator[FindingRow]:
        return map(self._row, range(len(self)), *self._columns)

    @property
    def _columns(self) -> tuple[Sequence[Any], ...]:
        """In the order in which `_row` takes them."""
        return (
            self._ids,
            self.outcomes,
            self.resources,
            self._messages,
            self._evidence,
            self._gaps,
            self._wastes,
        )

    def _row(
        self,
        number: int,
        id_: int,
        outcome: Outcome,
        resource: str,
        message: str,
        evidence: dict[str, Any],
        gap: int,
        waste: WasteFacts | None,
    ) -> FindingRow:
        rule, status, severity = outcome
        pulling = self._against.get(number)
        return FindingRow(
            id=f"{id_:016x}",
            rule=rule,
            resource=resource,
            status=status,
            severity=severity,
            message=message,
            evidence=evidence,
            gap=None if gap == _NO_GAP else gap,
            suppression=self._suppressions.get(number),
            known=number in self._known,
            against=tuple(f"{self._ids[other]:016x}" for other in pulling) if pulling else (),
            waste=waste,
            carbon=self._carbon.get(number),
        )

    def __eq__(self, other: object) -> bool:
        """Whether they are the same rows, in whatever sequence."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(FindingRow.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]  # they can be added to


def outcomes(findings: Sequence[FindingRow]) -> Iterable[Judged]:
    """What is scored of findings, held in whatever way; no rows are made for it."""
    return findings.outcomes if isinstance(findings, Findings) else findings


def costly(findings: Sequence[FindingRow]) -> Iterator[FindingRow]:
    """The findings that say what a failure wastes, or what its cure saves, in their order."""
    if isinstance(findings, Findings):
        return findings.costly()
    return (row for row in findings if row.waste is not None or row.carbon is not None)


def with_known(findings: Sequence[FindingRow], known: Collection[int]) -> Sequence[FindingRow]:
    """Findings, held in whatever way, of which those with these numbers stand in the baseline."""
    if isinstance(findings, Findings):
        return findings.with_known(known)
    return [replace(row, known=True) if number in known else row for number, row in enumerate(findings)]
