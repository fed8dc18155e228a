"""`wa-audit trend`: how the runs of a history went."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.EXIT_CODES)
@click.argument("history", metavar="DIR|s3://BUCKET/PREFIX")
@flags.accounts
@flags.since
@flags.trend_form
@flags.trend_file
@flags.profile
@flags.endpoint_url
@flags.common
def trend(
    history: str,
    accounts: Sequence[str],
    since: datetime.datetime | None,
    form: str,
    output: Path | None,
    profile: str | None,
    endpoint_url: str | None,
) -> None:
    """Show score, coverage and open findings over time, of the runs that --history kept."""
    from wa_audit import stores
    from wa_audit.report import history as kept
    from wa_audit.report import trend as trends

    if form == "text" and output is not None:
        raise click.UsageError("--output goes with --format json or html")
    store = stores.at(history, profile=profile, endpoint_url=endpoint_url)
    day = f"{since:%Y-%m-%d}" if since else ""
    found = trends.of(store.read(trends.wanted(store.keys(kept.RUNS), accounts, day)), store.place)
    if form == "json":
        from wa_audit.report.indented import as_json

        wiring.hand_over(as_json(found), output)
    elif form == "html":
        from wa_audit.report import trend_html

        wiring.hand_over(b"".join(trend_html.render(found)), output)
    else:
        from rich.console import Console

        from wa_audit.report import trend_text

        trend_text.show(found, Console(highlight=False))
