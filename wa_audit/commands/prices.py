"""`wa-audit prices`: by what waste is estimated, and how to have today's figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from wa_audit import flags


@click.group("prices", invoke_without_command=True, epilog=flags.EXIT_CODES)
@flags.prices
@flags.price_regions
@flags.as_json
@flags.common
@click.pass_context
def prices(context: click.Context, /, prices: Path | None, regions: Sequence[str], as_json: bool) -> None:
    """Show the prices in force by which waste is estimated: each with its date and source.

    Those that 'wa-audit prices refresh' fetched count before the bundled ones. What is not listed has no
    price, and what it wastes no amount.
    """
    if context.invoked_subcommand is not None:
        return
    from wa_audit import pricefile
    from wa_audit.report import pricelist

    table = pricefile.in_force(prices)
    show = pricelist.as_json if as_json else pricelist.as_text
    click.echo(show(table, list(dict.fromkeys(regions))))


@prices.command("refresh", epilog=flags.EXIT_CODES)
@flags.connection
@flags.prices_file
@flags.common
def refresh(output: Path | None, no_progress: bool, **options: Any) -> None:
    """Ask AWS's Price List API for today's prices of the regions, and keep them for every audit.

    Needs pricing:GetProducts, which costs nothing and which no audit calls. Prices of other regions that the
    file has already are kept.
    """
    import sys

    from wa_audit import files, pricefile, wiring
    from wa_audit.aws import times
    from wa_audit.collect import pricelist
    from wa_audit.console import wanted

    def on_query(service: str, region: str) -> None:
        if wanted(no_progress, sys.stderr):
            click.echo(f"{region}: {service} …", err=True)

    path = output or pricefile.default_path()
    files.check_replaceable(path)
    before = pricefile.read(path).prices.values() if path.is_file() else ()
    session, regions = wiring.connect(**options)
    found = pricelist.refresh(session, regions, times.now().date().isoformat(), on_query)
    kept = [price for price in before if price.region not in regions]
    pricefile.write(path, [*kept, *found.prices])
    more = f", and {len(kept)} of other regions as before" if kept else ""
    click.echo(f"{path}: {len(found.prices)} prices of {', '.join(regions)}{more}")
    for item, region in found.ambiguous:
        wiring.say(f"AWS gives several prices of {item} in {region}; none was taken")
