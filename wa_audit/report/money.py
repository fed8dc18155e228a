"""What failures waste a month in USD, as the audit tells it: by finding, and in sums.

A resource that fails two rules may waste the same dollar twice over, so sums over several rules count each
resource once, with the largest of its estimates; `overlap_usd` is what that leaves out. Suppressed failures,
and what is estimated for the account as a whole, are not in them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

import msgspec

from wa_audit.aws import prices
from wa_audit.model import Confidence, Estimate, Finding, Status
from wa_audit.pipelines import Flow
from wa_audit.rulebook import Rulebook
from wa_audit.text import count

COUNTING = (
    "A resource that fails several rules counts once, with the largest of its estimates; overlap_usd is what "
    "that leaves out. One that serves several pipelines counts in each of them. Suppressed failures are not "
    "counted, nor is what is estimated for the account as a whole."
)


class PricedUse(msgspec.Struct, frozen=True, kw_only=True):
    """`units` a month of what is billed under `price`, at `usd` each; `date` is when that was asked."""

    price: str
    units: float
    usd: float
    date: str


class WasteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a failure wastes a month in USD, on demand, before taxes and discounts.

    `usd` is null where nobody can say, for a `reason`. `measured` from metrics or bills, `derived` from
    configuration; `assumptions` are what it rests on, and `uses` what it was made from.
    """

    usd: float | None
    confidence: Confidence
    assumptions: list[str] = []
    uses: list[PricedUse] = []
    reason: str = ""


class SavingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What putting a failure right saves, in percent `of` what the resource emits or draws now."""

    percent: float
    of: str
    basis: str


class Costly(Protocol):
    """What is summed of a finding, in whatever form it is held."""

    @property
    def rule(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def waste(self) -> WasteFacts | None: ...


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """Estimates of several failures. `usd` is null where none has an amount.

    `findings` have one, and on `resources` it is more than nothing; `unknown` counts failures that have none.
    `overlap_usd` is what would be added if a resource that fails several rules counted in each.
    """

    usd: float | None
    findings: int
    resources: int
    unknown: int
    overlap_usd: float


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of waste a month, and by which prices: whose table, and the dates of its oldest and newest figure.

    `pillars`, `pipelines` and `rules` hold those with a failure that was estimated, or could not be.
    `account_usd` is what was estimated for the account as a whole, and is in none of these but `rules`.
    """

    month_hours: int
    counting: str
    prices: str
    oldest_price: str
    newest_price: str
    total: Sum
    pillars: dict[str, Sum]
    pipelines: dict[str, Sum]
    rules: dict[str, Sum]
    account_usd: float | None = None


class Wastes:
    """Estimates as the audit tells them, of which equal ones are one object: many say no more than why there
    is no amount."""

    def __init__(self) -> None:
        self._known: dict[Estimate, WasteFacts] = {}

    def of(self, found: Estimate) -> WasteFacts:
        """An estimate as the audit tells it."""
        told = self._known.get(found)
        if told is None:
            told = self._known[found] = _told(found)
        return told


def _told(found: Estimate) -> WasteFacts:
    return WasteFacts(
        usd=found.usd,
        confidence=found.confidence,
        assumptions=list(found.assumptions),
        uses=[PricedUse(price=use.price, units=use.units, usd=use.usd, date=use.date) for use in found.uses],
        reason=found.reason,
    )


def saving_of(finding: Finding) -> SavingFacts | None:
    """What a finding's cure saves of emissions, as the audit tells it."""
    found = finding.carbon
    if found is None:
        return None
    return SavingFacts(percent=found.percent, of=found.of, basis=found.basis)


class _Wasted(NamedTuple):
    rule: str
    resource: str
    usd: float | None


def totals(
    findings: Iterable[Costly],
    of_account: Collection[str],
    rulebook: Rulebook,
    flow: Flow | None,
    table: prices.Table,
) -> Money | None:
    """The sums; None where no failure has an estimate, or could have had one. `of_account` are the ARNs that
    stand for the account itself."""
    failing = [
        _Wasted(f.rule, f.resource, f.waste.usd)
        for f in findings
        if f.status is Status.FAIL and f.waste is not None
    ]
    if not failing:
        return None
    pillar = {rule.id: str(rule.pillar) for rule in rulebook.rules}
    members = {arn: [p.name for p in found] for arn, found in flow.by_member().items()} if flow else {}
    parts = [f for f in failing if f.resource not in of_account]
    by_rule, by_pillar, by_pipeline = (defaultdict[str, list[_Wasted]](list) for _ in range(3))
    for finding in failing:
        by_rule[finding.rule].append(finding)
    for finding in parts:
        by_pillar[pillar[finding.rule]].append(finding)
        for name in members.get(finding.resource, ()):
            by_pipeline[name].append(finding)
    oldest, newest = table.dates
    return Money(
        month_hours=prices.HOURS,
        counting=COUNTING,
        prices=table.source,
        oldest_price=oldest,
        newest_price=newest,
        total=_sum(parts),
        pillars={name: _sum(found) for name, found in by_pillar.items()},
        pipelines={name: _sum(found) for name, found in sorted(by_pipeline.items())},
        rules={name: _sum(found) for name, found in by_rule.items()},
        account_usd=_sum([f for f in failing if f.resource in of_account]).usd,
    )


def _sum(findings: list[_Wasted]) -> Sum:
    amounts: dict[str, list[float]] = {}
    for finding in findings:
        if finding.usd is not None:
            amounts.setdefault(finding.resource, []).append(finding.usd)
    once = math.fsum(max(found) for found in amounts.values())
    every = math.fsum(usd for found in amounts.values() for usd in found)
    known = sum(map(len, amounts.values()))
    return Sum(
        usd=round(once, 2) if amounts else None,
        findings=known,
        resources=sum(1 for found in amounts.values() if max(found)),
        unknown=len(findings) - known,
        overlap_usd=round(every - once, 2),
    )


def usd(amount: float | None) -> str:
    """`1,234 USD`, with cents below a hundred; a dash where there is no amount."""
    if amount is None:
        return "–"
    return f"{amount:,.2f} USD" if amount < 100 else f"{amount:,.0f} USD"


def dearest(sums: Mapping[str, Sum]) -> list[tuple[str, Sum]]:
    """Those with an amount above nothing, the largest first."""
    found = [(name, each) for name, each in sums.items() if each.usd]
    return sorted(found, key=lambda pair: (-(pair[1].usd or 0), pair[0]))


def footnotes(money: Money) -> list[str]:
    """How the total was summed, what is not in it, and by which prices: a sentence each."""
    total = money.total
    lines = []
    if total.overlap_usd:
        lines.append(
            f"A resource that fails several rules counts once; counted in each it would be "
            f"{usd(total.overlap_usd)} more"
        )
    if money.account_usd:
        whole = usd(money.account_usd)
        lines.append(f"Not in the sum, as it may be a resource's own: {whole} for the account as a whole")
    if total.unknown:
        lines.append(f"No amount for {count(total.unknown, 'more failure')}: each says why")
    whose = "bundled prices" if money.prices == "bundled" else f"prices of {money.prices}"
    lines.append(
        f"By {whose} from {money.oldest_price} to {money.newest_price}, on demand, before taxes and discounts"
    )
    return lines


def lines(waste: WasteFacts | None, carbon: SavingFacts | None) -> tuple[str, ...]:
    """What a finding wastes and what its cure saves, for a person: each, and what it rests on, a line."""
    found: list[str] = []
    if waste is not None and waste.usd is None:
        found.append(f"What it wastes is not known: {waste.reason}")
    elif waste is not None:
        found.append(f"Wastes about {usd(waste.usd)} a month, {waste.confidence}")
        found += [
            f"{use.units:,.6g} a month of {use.price} at {use.usd:g} USD ({use.date})" for use in waste.uses
        ]
        found += [assumption[:1].upper() + assumption[1:] for assumption in waste.assumptions]
    if carbon is not None:
        found.append(f"Its cure saves {carbon.percent:g} % of {carbon.of} ({carbon.basis})")
    return tuple(found)
