"""What the account was billed, by service and month, as Cost Explorer has it, and how that goes.

As billed (UnblendedCost), for whole months alone: what was paid in advance stands in the month of its
payment. Credits, refunds and taxes are no service's and stand apart.
https://docs.aws.amazon.com/cost-management/latest/userguide/ce-advanced.html
"""

from __future__ import annotations

import datetime
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from wa_audit.inventory import Inventory
from wa_audit.model import Gap, Reason, Resource, Unread

_TYPE = "AWS::CE::ServiceCost"
# Record types, which Cost Explorer calls charge types, that say nothing about what was used.
_APART = ("Credit", "Refund", "Tax")
_NOTHING = "Cost Explorer has no cost of these months"
_LEAST = 0.005  # what is less is no cent


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """The last month beside the months before it.

    `before` is the month before, `mean` that of all months before; null where there is none. `percent` is
    what the last month is more than each of them, below zero what it is less; null where they are nothing.
    """

    last: float
    before: float | None
    before_percent: float | None
    mean: float | None
    mean_percent: float | None


class ServiceSpend(msgspec.Struct, frozen=True, kw_only=True):
    """A service by Cost Explorer's name, and what it was billed in each of the spend's `months`."""

    service: str
    amounts: list[float]
    trend: Trend


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole account was billed in each of `months`, `2026-10`, the oldest first, in `currency`.

    `services` are those that were billed a cent or more, the dearest of the last month first; `total` is all
    of them, and `apart` what is in none, by Cost Explorer's charge type. Of months in `estimated` the bill is
    not final. `reason` says why there is nothing; `gap` is what could not be read, an index into `gaps`.
    """

    metric: str = "UnblendedCost"
    currency: str = ""
    months: list[str] = []
    estimated: list[str] = []
    total: ServiceSpend | None = None
    services: list[ServiceSpend] = []
    apart: dict[str, list[float]] = {}
    reason: str = ""
    gap: int | None = None


def facts(inventory: Inventory, number_of: Callable[[Gap], int]) -> Spend | None:
    """What was spent; None where Cost Explorer was not asked. `number_of` says where a gap stands.

    Its answer names each month, whether or not anything was spent: without one it gave none.
    """
    try:
        parts = inventory.of(_TYPE)
    except Unread as unread:
        if unread.gap.reason is Reason.NOT_COLLECTED:
            return None
        return Spend(reason=unread.gap.sentence, gap=number_of(unread.gap))
    try:
        return _spend(parts) if parts else None
    except (KeyError, TypeError, ValueError):
        return Spend(reason="ce:GetCostAndUsage answered with what is no cost")


def _spend(parts: Iterable[Resource]) -> Spend:
    """Of months, any of which may come in several parts.

    Raises:
        KeyError, TypeError, ValueError: a part is not what Cost Explorer says.
    """
    costs: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    estimated, currencies = set(), set()
    for part in parts:
        name = datetime.date.fromisoformat(part["TimePeriod"]["Start"]).strftime("%Y-%m")
        found = costs[name]
        if part["Estimated"]:
            estimated.add(name)
        for group in part["Groups"]:
            billed = float(group["Cost"]["Amount"])
            if not math.isfinite(billed):
                raise ValueError(billed)
            found.append((str(group["Service"]), str(group["RecordType"]), billed))
            if abs(billed) >= _LEAST:
                currencies.add(str(group["Cost"]["Unit"]))
    if not currencies:
        return Spend(reason=_NOTHING)
    if len(currencies) > 1:
        words = " and ".join(sorted(currencies))
        return Spend(reason=f"the bill is in {words}, and amounts in several currencies are not added up")
    # Months before the account's first have no groups at all: nothing was spent, and nothing compares.
    months = list(itertools.dropwhile(lambda name: not costs[name], sorted(costs)))
    by_service: dict[str, list[list[float]]] = defaultdict(lambda: [[] for _ in months])
    apart: dict[str, list[list[float]]] = defaultdict(lambda: [[] for _ in months])
    for number, name in enumerate(months):
        for service, record, billed in costs[name]:
            (apart[record] if record in _APART else by_service[service])[number].append(billed)
    services = [_service(name, each) for name, each in by_service.items()]
    services.sort(key=lambda each: (-each.trend.last, each.service))
    every = [[billed for each in by_service.values() for billed in each[n]] for n in range(len(months))]
    return Spend(
        currency=currencies.pop(),
        months=months,
        estimated=sorted(estimated & set(months)),
        total=_service("all services", every),
        services=[each for each in services if any(each.amounts)],
        apart={name: [_cents(found) for found in each] for name, each in sorted(apart.items())},
    )


def _service(name: str, amounts: Sequence[Iterable[float]]) -> ServiceSpend:
    months = [_cents(each) for each in amounts]
    *earlier, last = months
    before = earlier[-1] if earlier else None
    mean = round(math.fsum(earlier) / len(earlier), 2) if earlier else None
    trend = Trend(
        last=last,
        before=before,
        before_percent=_percent(last, before),
        mean=mean,
        mean_percent=_percent(last, mean),
    )
    return ServiceSpend(service=name, amounts=months, trend=trend)


def _cents(amounts: Iterable[float]) -> float:
    return round(math.fsum(amounts), 2) + 0.0  # no -0.0


def _percent(last: float, other: float | None) -> float | None:
    if other is None or other < _LEAST:
        return None
    return round(100 * (last - other) / other, 1) + 0.0


def wrong(spend: Spend, gaps: int) -> str:
    """What is wrong with a spend that was read from a file, beside so many gaps; empty where nothing is."""
    if spend.gap is not None and not 0 <= spend.gap < gaps:
        return "names a gap that is not in the file"
    rows = [each.amounts for each in (*spend.services, *filter(None, [spend.total]))]
    if any(len(row) != len(spend.months) for row in (*rows, *spend.apart.values())):
        return "has not an amount for each of its months"
    if spend.total is not None and not spend.months:
        return "has a total and no months"
    try:
        list(map(month, (*spend.months, *spend.estimated)))
    except ValueError:
        return "names a month that is not of the form 2026-10"
    return ""


# -- in words --------------------------------------------------------------------------------------


def month(name: str) -> str:
    """`October 2026` for `2026-10`."""
    return datetime.date.fromisoformat(f"{name}-01").strftime("%B %Y")


def amount(value: float, currency: str) -> str:
    """`1,234 USD`, with cents below a hundred."""
    return f"{value:,.2f} {currency}" if abs(value) < 100 else f"{value:,.0f} {currency}"


def change(percent: float | None) -> str:
    """`+12 %`; a dash where there is nothing to compare with."""
    return "–" if percent is None else f"{percent:+,.0f} %" if abs(percent) >= 0.5 else "±0 %"


def sentence(spend: Spend) -> str:
    """What was spent in the last month, and how that compares, without a final dot."""
    if spend.total is None:
        return f"What was spent is not known: {spend.reason}"
    trend = spend.total.trend
    words = [f"{amount(trend.last, spend.currency)} in {month(spend.months[-1])}"]
    if trend.before_percent is not None:
        words.append(f"{change(trend.before_percent)} against {month(spend.months[-2])}")
    if trend.mean_percent is not None and len(spend.months) > 2:
        words.append(f"{change(trend.mean_percent)} against the mean of the {len(spend.months) - 1} before")
    return ", ".join(words)


def footnotes(spend: Spend) -> list[str]:
    """What the amounts are, what is not in them, and what may change: a sentence each."""
    lines = ["As billed to the whole account by Cost Explorer (UnblendedCost), whole months alone"]
    if spend.estimated:
        lines.append(f"Still estimated by AWS: {', '.join(map(month, spend.estimated))}")
    for name, amounts in spend.apart.items():
        by_month = zip(spend.months, amounts, strict=True)
        told = [f"{amount(value, spend.currency)} in {month(each)}" for each, value in by_month if value]
        if told:
            lines.append(f"Not in it, {name.lower()}: {', '.join(told)}")
    return lines
