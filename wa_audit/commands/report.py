"""`wa-audit report`: more formats of an audit that was made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.EXIT_CODES)
@click.argument("audit", type=click.Path(path_type=Path))
@flags.reports
@flags.history
@flags.sender
@flags.common
def report(
    audit: Path,
    output: Path,
    formats: Sequence[str],
    send: str | None,
    history: str | None,
    profile: str | None,
    endpoint_url: str | None,
    **connection: Any,
) -> None:
    """Make reports of an audit.json."""
    from wa_audit import report as reports
    from wa_audit.report import audit as audits

    reports.check(formats)
    client = {"profile": profile, "endpoint_url": endpoint_url}
    store = wiring.open_history({"history": history, **client})
    made = audits.read(audit)
    if store is not None:
        made = wiring.beside(made, store)
    for path in reports.write(made, formats, output):
        click.echo(path)
    if store is not None:
        wiring.keep(made, store)
    if send:
        session, _ = wiring.connect(
            regions=made.run.regions[:1], all_regions=False, workers=1, **client, **connection
        )
        wiring.send(made, session)
