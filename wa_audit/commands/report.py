"""`wa-audit report`: more formats of an audit that was made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from wa_audit import flags


@click.command(epilog=flags.EXIT_CODES)
@click.argument("audit", type=click.Path(path_type=Path))
@flags.reports
@flags.common
def report(audit: Path, output: Path, formats: Sequence[str]) -> None:
    """Make reports of an audit.json."""
    from wa_audit import report as reports
    from wa_audit.report import audit as audits

    reports.check(formats)
    for path in reports.write(audits.read(audit), formats, output):
        click.echo(path)
