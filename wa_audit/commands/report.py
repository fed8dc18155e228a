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
@flags.sender
@flags.verbose
def report(audit: Path, output: Path, formats: Sequence[str], send: str | None, **connection: Any) -> None:
    """Make reports of an audit.json."""
    from wa_audit import report as reports
    from wa_audit.report import audit as audits

    reports.check(formats)
    made = audits.read(audit)
    for path in reports.write(made, formats, output):
        click.echo(path)
    if send:
        session, _ = wiring.connect(regions=made.run.regions[:1], all_regions=False, workers=1, **connection)
        wiring.send(made, session)
