"""What AWS asks for what is judged, by region, on demand and in USD; and what use costs by that.

The table that ships with the program stands in data/prices.tsv, each figure with its date and source. What a
table does not know has no price: another region's is never taken for it.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from wa_audit.aws import framework
from wa_audit.model import Confidence, Estimate, PricedUse, Waste

COLUMNS = ("item", "region", "usd", "unit", "date", "source")
HOURS = 730
"""Hours of a month, as AWS's own calculator has them: https://docs.aws.amazon.com/pricing-calculator/"""


class Price(NamedTuple):
    """What one `unit` of `item` costs in a region: when the figure was in force, and whose it is."""

    item: str
    region: str
    usd: float
    unit: str
    date: str
    source: str


@dataclass(frozen=True)
class Table:
    """The prices in force. `source` says whose table it is: `bundled`, or the name of a file."""

    prices: Mapping[tuple[str, str], Price]
    source: str

    def get(self, item: str, region: str) -> Price | None:
        """The price of an item in a region; None where the table does not know it."""
        return self.prices.get((item, region))

    @property
    def regions(self) -> list[str]:
        return sorted({region for _, region in self.prices})

    @property
    def dates(self) -> tuple[str, str]:
        """The oldest and the newest date of a figure; empty texts where there is none."""
        found = sorted(price.date for price in self.prices.values())
        return (found[0], found[-1]) if found else ("", "")

    def over(self, other: Table) -> Table:
        """This table, and the other's figures where this one has none."""
        return Table(MappingProxyType({**other.prices, **self.prices}), self.source)

    def estimate(self, waste: Waste, region: str) -> Estimate:
        """What it costs a month to use in vain what `waste` says, in the region it is used in.

        An amount below zero, where what would be put in its place costs more, is none. Where a price is not
        known the whole is not: what could be added up would look like all of it.
        """
        if waste.confidence is Confidence.UNKNOWN:
            return Estimate(usd=None, confidence=Confidence.UNKNOWN, reason=waste.reason)
        found = [(use, self.get(use.price, region)) for use in waste.uses]
        if missing := sorted({use.price for use, price in found if price is None}):
            reason = f"no price of {', '.join(missing)} is known in {region or 'this account'}"
            return Estimate(
                usd=None, confidence=Confidence.UNKNOWN, assumptions=waste.assumptions, reason=reason
            )
        uses = tuple(
            PricedUse(price=use.price, units=round(use.units, 6), usd=price.usd, date=price.date)
            for use, price in found
            if price is not None
        )
        total = (waste.usd or 0.0) + math.fsum(use.units * use.usd for use in uses)
        return Estimate(
            usd=max(0.0, round(total, 2)),
            confidence=waste.confidence,
            assumptions=waste.assumptions,
            uses=uses,
        )


def table(rows: Iterable[Price], source: str) -> Table:
    """A table of these prices."""
    return Table(MappingProxyType({(row.item, row.region): row for row in rows}), source)


@cache
def bundled() -> Table:
    """The table that ships with the program."""
    return table(map(parse, framework.table("prices.tsv")), "bundled")


def parse(cells: list[str]) -> Price:
    """A row of a table of prices.

    Raises:
        ValueError: says what is wrong with it.
    """
    if len(cells) != len(COLUMNS):
        raise ValueError(f"has {len(cells)} columns, not {len(COLUMNS)}: {', '.join(COLUMNS)}")
    item, region, usd, unit, date, source = cells
    if not (item and region):
        raise ValueError("names no item, or no region")
    try:
        amount = float(usd)
    except ValueError:
        amount = math.nan
    if not math.isfinite(amount) or amount < 0:
        raise ValueError(f"usd {usd!r} is no amount of money")
    try:
        datetime.date.fromisoformat(date)
    except ValueError:
        raise ValueError(f"date {date!r} is not of the form 2026-05-01") from None
    return Price(item, region, amount, unit, date, source)
