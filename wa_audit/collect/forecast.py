"""What a run would call: from the plan alone, before anything is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.metrics import MOST_SERIES, PRICE_OF_SERIES
from wa_audit.collect.permissions import ALL_REGIONS, actions
from wa_audit.collect.plan import OPTIONS, Plan, helping, service_of, within

_ACCOUNT, _REGION = "account", "region"
_SPARED = "region and type, in place of one for each resource"


@dataclass(frozen=True, slots=True)
class Line:
    """One operation: made `each` times for every `unit`, which is the account, a region or a resource.

    again:  and then until AWS has done what it was asked for.
    option: the flag without which it is not made, where there is one.
    """

    operation: str
    unit: str
    each: int = 1
    scope: str = "regional"
    price: float = 0.0
    sometimes: bool = False
    again: bool = False
    option: str = ""

    @property
    def often(self) -> str:
        words = f"{self.each} for each {self.unit}" if self.unit != _ACCOUNT else str(self.each)
        words += ", and again until it is done" if self.again else ""
        return f"{words}, where it applies" if self.sometimes else words

    def times(self, regions: int) -> int:
        """How many calls that makes, as far as it is known before anything is read."""
        return self.each * {_ACCOUNT: 1, _REGION: regions}.get(self.unit, 0)

    @property
    def known(self) -> bool:
        return self.unit in (_ACCOUNT, _REGION)


def lines(plan: Plan) -> list[Line]:
    """Every operation of a plan, in its order, and those that can spare others."""
    needed = [line for kind, details in plan.values() for line in _lines(plan, kind, details)]
    return needed + [Line(operation, _SPARED) for operation in sorted(helping(plan))]


def _lines(plan: Plan, kind: Kind, details: tuple[Call, ...]) -> Iterator[Line]:
    listed = _short(kind.parent) if kind.parent else _ACCOUNT if kind.scope == "global" else _REGION
    if hangs_on := within(plan, kind):
        listed = f"region with any {' or '.join(map(_short, hangs_on))}"
    yield _line(kind, kind.list, listed)
    for call in details:
        yield _line(kind, call, _short(kind.type))


def _line(kind: Kind, call: Call, unit: str) -> Line:
    if call.metrics:
        series = f"{MOST_SERIES} series, {len(call.metrics)} of each {unit}"
        return Line(kind.operation(call), series, price=MOST_SERIES * PRICE_OF_SERIES)
    return Line(
        kind.operation(call),
        unit,
        len(call.each) or 1,
        kind.scope,
        call.price,
        sometimes=bool(call.when),
        again=bool(call.until),
        option=OPTIONS.get(service_of(kind, call), ""),
    )


def _short(type_: str) -> str:
    """`S3 Bucket` for `AWS::S3::Bucket`."""
    return " ".join(type_.split("::")[1:])


def text(plan: Plan, wanted: Plan, regions: Sequence[str] | None, *, role: bool = False) -> str:
    """The forecast for a person.

    `wanted` is the plan with the calls that have to be asked for and are not; without `regions`, those that
    are switched on for the account are read.
    """
    made = lines(plan)
    off = [line for line in lines(wanted) if (line.price or line.option) and line not in made]
    paid = [line for line in made if line.price]
    heading = ("Operation", "IAM action", "Scope", "How often", "USD a request")
    parts = [
        _table([heading, *map(_row, [*_session(regions, role=role), *made])]),
        _totals(made, regions),
    ]
    if paid:
        parts.append("Cost money; --no-paid-calls leaves them out:\n" + _prices(paid))
    if off:
        parts.append("Left out, as they cost money or run SQL, and were not asked for:\n" + _prices(off))
    return "\n\n".join([*parts, "Nothing was called."])


def _session(regions: Sequence[str] | None, *, role: bool) -> list[Line]:
    """What is called before the reading begins."""
    first = [Line("sts:AssumeRole", "hour", scope="global")] if role else []
    last = [Line(ALL_REGIONS, _ACCOUNT, scope="global")] if regions is None else []
    return [*first, *last, Line("sts:GetCallerIdentity", _REGION)]


def _row(line: Line) -> tuple[str, ...]:
    price = f"{line.price:g}" if line.price else ""
    free = line.operation == "sts:GetCallerIdentity"
    needs = "none is needed" if free else " ".join(actions(line.operation))
    return line.operation, needs, line.scope, line.often, price


def _totals(made: list[Line], regions: Sequence[str] | None) -> str:
    hanging = [line for line in made if not line.known]
    if regions is None:
        one_more = sum(line.times(1) for line in made) - sum(line.times(0) for line in made)
        calls = f"{sum(line.times(0) for line in made)} list calls, and {one_more} in each region"
    else:
        calls = f"{sum(line.times(len(regions)) for line in made)} list calls"
    price = sum(line.times(len(regions or ())) * line.price for line in made)
    return "\n".join(
        [
            f"Regions: {'each that is switched on' if regions is None else ', '.join(regions)}",
            f"Known before reading: {calls}; more where a list has several pages."
            + (f" They cost {price:g} USD." if price else ""),
            f"Known only while reading: how often {_others(len(hanging))} called.",
        ]
    )


def _others(number: int) -> str:
    return "the other row is" if number == 1 else f"the other {number} rows are"


def _prices(paid: list[Line]) -> str:
    return _table([(f"  {line.operation}", _price(line), line.often) for line in paid])


def _price(line: Line) -> str:
    """What a request costs. The Data API is free, and a cluster that is there is paid for by the hour."""
    return f"{line.price:g} USD a request" if line.price else f"no charge; {line.option} asks for it"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
