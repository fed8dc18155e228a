"""Findings that are held by column are the rows that were put in."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from wa_audit.model import Confidence, Severity, Status
from wa_audit.report.findings import FindingRow, Findings, costly, outcomes, with_known
from wa_audit.report.money import SavingFacts, WasteFacts

WASTE = WasteFacts(usd=12.5, confidence=Confidence.DERIVED)
SAVING = SavingFacts(percent=60, of="what it draws", basis="AWS")


def _row(number: int, **more: object) -> FindingRow:
    row = FindingRow(
        id=f"{number:016x}",
        rule=f"rule-{number % 2}",
        resource=f"arn:{number}",
        status=list(Status)[number % 6],
        severity=list(Severity)[number % 5],
        message=f"says {number}",
        evidence={"Number": number} if number % 3 else {},
    )
    return replace(row, **more)


ROWS = [
    _row(0),
    _row(2**64 - 1, gap=0),
    _row(3, gap=300),
    _row(4, waste=WASTE),
    _row(5, suppression=0),
    _row(6, carbon=SAVING, gap=1),
    *map(_row, range(7, 40)),
]


def _held(rows: list[FindingRow]) -> Findings:
    found = Findings()
    for row in rows:
        found.add(
            row.id,
            row.rule,
            row.resource,
            row.status,
            row.severity,
            row.message,
            row.evidence,
            gap=row.gap,
            suppression=row.suppression,
            waste=row.waste,
            carbon=row.carbon,
        )
    return found


def test_what_is_put_in_comes_out() -> None:
    found = _held(ROWS)
    assert list(found) == ROWS
    assert [found[number] for number in range(len(found))] == ROWS
    assert (found[-1], found[1:9:2], found[:-30]) == (ROWS[-1], ROWS[1:9:2], ROWS[:-30])
    assert (found == ROWS, list(ROWS) == found, found == _held(ROWS)) == (True, True, True)
    assert found != ROWS[:-1]
    assert found != [*ROWS[:-1], ROWS[0]]
    with pytest.raises(IndexError):
        found[len(ROWS)]


def test_what_is_scored_is_one_object_with_its_equals() -> None:
    found = _held(ROWS + ROWS)
    scored = [(row.rule, row.status, row.severity) for row in ROWS]
    assert [tuple(outcome) for outcome in found.outcomes] == scored * 2
    assert len(set(map(id, found.outcomes))) == len(set(scored))
    assert outcomes(found) is found.outcomes
    assert outcomes(ROWS) is ROWS


def test_what_costs_is_found_however_it_is_held() -> None:
    for held in (_held(ROWS), ROWS):
        assert list(costly(held)) == [ROWS[3], ROWS[5]]


def test_those_in_the_baseline_are_marked_in_a_copy() -> None:
    found = _held(ROWS)
    wanted = [replace(row, known=number in (3, 8)) for number, row in enumerate(ROWS)]
    for held in (found, ROWS):
        assert list(with_known(held, {3, 8})) == wanted
    assert list(found) == ROWS


def test_findings_refer_to_others_by_their_ids() -> None:
    found = _held(ROWS)
    changed = found.referring({0: (1, 2), 7: (0,)})
    assert (changed[0].against, changed[7].against) == ((ROWS[1].id, ROWS[2].id), (ROWS[0].id,))
    assert [row.id for row in changed if row.against] == [ROWS[0].id, ROWS[7].id]
    assert list(found) == ROWS
