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
@flags.common
def report(audit: Path, output: Path, formats: Sequence[str], **options: Any) -> None:
    """Make reports of an audit.json."""
    from wa_audit import report as reports
    from wa_audit.report import audit as audits

    reports.check(formats)
    history = wiring.open_history(options)
    found = audits.read(audit)
    for path in reports.write(found, formats, output):
        click.echo(path)
    if history is not None:
        wiring.keep(found, history)
