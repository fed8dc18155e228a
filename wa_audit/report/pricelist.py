"""The prices in force, as a person or a program reads them."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from wa_audit.aws.prices import COLUMNS, Price, Table
from wa_audit.text import count, visible


def rows(table: Table, regions: Collection[str] = ()) -> list[Price]:
    """The table's prices, of some regions or of all, by item and region."""
    return sorted(p for p in table.prices.values() if not regions or p.region in regions)


def as_text(table: Table, regions: Collection[str] = ()) -> str:
    """A line a price, and of when they are; a region without any is said to have none."""
    found = rows(table, regions)
    cells = [[visible(cell) for cell in _cells(price)] for price in found]
    heading = [*COLUMNS]
    widths = [max(len(row[column]) for row in [heading, *cells]) for column in range(len(heading))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [heading, *cells]
    ]
    dates = sorted(price.date for price in found)
    bundled = table.source == "bundled"
    whose = "bundled with the program" if bundled else f"{table.source}, and the bundled ones"
    when = f", from {dates[0]} to {dates[-1]}" if dates else ""
    lines += ["", f"{count(len(found), 'price')} in force: {whose}{when}"]
    lines += [f"No price is known in {region}" for region in regions if region not in table.regions]
    return "\n".join(lines)


def as_json(table: Table, regions: Collection[str] = ()) -> str:
    """The same as JSON: a list of prices, each by the names of its columns."""
    found = [price._asdict() for price in rows(table, regions)]
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _cells(price: Price) -> list[str]:
    usd = f"{price.usd:.12f}".rstrip("0").rstrip(".")
    return [price.item, price.region, usd, price.unit, price.date, price.source]
