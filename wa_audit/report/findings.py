"""The findings of an audit: a row each, and a sequence of rows that holds them by column.

An account of 100,000 resources has 700,000 findings. As rows they take 200 bytes each, as columns 50.
"""

from __future__ import annotations

import copy
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, overload

import msgspec

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
    """Rows that are held by column, and made anew whenever one is asked for; those that say what few do are
    held as they are. Their ids are of 16 hexadecimal digits, as `Finding.id` is.

    `outcomes` and `resources` are columns that may be read; equal texts had better be one object.
    """

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.resources: list[str] = []
        self._ids = array("Q")
        self._messages: list[str] = []
        self._evidence: list[dict[str, Any]] = []
        self._gaps = array("i")
        self._rare: dict[int, FindingRow] = {}
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
        gap: int | None,
        *,
        suppression: int | None = None,
        waste: WasteFacts | None = None,
        carbon: SavingFacts | None = None,
    ) -> None:
        number = len(self.outcomes)
        self.outcomes.append(self._outcome(rule, status, severity))
        self.resources.append(resource)
        self._ids.append(int(id_, 16))
        self._messages.append(message)
        self._evidence.append(evidence)
        self._gaps.append(_NO_GAP if gap is None else gap)
        if suppression is not None or waste is not None or carbon is not None:
            self._rare[number] = msgspec.structs.replace(
                self[number], suppression=suppression, waste=waste, carbon=carbon
            )

    def _outcome(self, rule: str, status: Status, severity: Severity) -> Outcome:
        """The outcome, which is one object with its equals; mostly it is the last one's."""
        last = self._last
        if last.status is status and last.severity is severity and last.rule == rule:
            return last
        made = Outcome(rule, status, severity)
        self._last = self._alike.setdefault(made, made)
        return self._last

    def rare(self) -> Iterator[FindingRow]:
        """Those that say what few do, in their order."""
        return (self._rare[number] for number in sorted(self._rare))

    def with_rare(self, rows: Mapping[int, FindingRow]) -> Findings:
        """The same findings with these rows, by number, in place of theirs; they differ in what is rare."""
        made = copy.copy(self)
        made._rare = {**self._rare, **rows}
        return made

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, number: int, /) -> FindingRow: ...
    @overload
    def __getitem__(self, number: slice, /) -> list[FindingRow]: ...
    def __getitem__(self, number: int | slice, /) -> FindingRow | list[FindingRow]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        number = range(len(self))[number]
        if row := self._rare.get(number):
            return row
        return _row(
            self._ids[number],
            self.outcomes[number],
            self.resources[number],
            self._messages[number],
            self._evidence[number],
            self._gaps[number],
        )

    def __iter__(self) -> Iterator[FindingRow]:
        rare = self._rare.get
        columns = (self._ids, self.outcomes, self.resources, self._messages, self._evidence, self._gaps)
        for number, column in enumerate(zip(*columns, strict=True)):
            yield rare(number) or _row(*column)

    def __eq__(self, other: object) -> bool:
        """Whether they are the same rows, in whatever sequence."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(FindingRow.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]  # they can be added to


def _row(
    id_: int, outcome: Outcome, resource: str, message: str, evidence: dict[str, Any], gap: int
) -> FindingRow:
    rule, status, severity = outcome
    return FindingRow(
        id=f"{id_:016x}",
        rule=rule,
        resource=resource,
        status=status,
        severity=severity,
        message=message,
        evidence=evidence,
        gap=None if gap == _NO_GAP else gap,
    )


def outcomes(findings: Sequence[FindingRow]) -> Iterable[Judged]:
    """What is scored of findings, held in whatever way; no rows are made for it."""
    return findings.outcomes if isinstance(findings, Findings) else findings


def costly(findings: Sequence[FindingRow]) -> Iterator[FindingRow]:
    """The findings that say what a failure wastes, or what its cure saves, in their order."""
    rows = findings.rare() if isinstance(findings, Findings) else findings
    return (row for row in rows if row.waste is not None or row.carbon is not None)


def with_rare(findings: Sequence[FindingRow], rows: Mapping[int, FindingRow]) -> Sequence[FindingRow]:
    """Findings, held in whatever way, with these rows in the place of theirs; see `Findings.with_rare`."""
    if isinstance(findings, Findings):
        return findings.with_rare(rows)
    return [rows.get(number, row) for number, row in enumerate(findings)]
