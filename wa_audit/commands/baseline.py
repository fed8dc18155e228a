"""`wa-audit baseline`: accepts nothing, but has gates look past what fails today."""

from __future__ import annotations

from pathlib import Path

import click

from wa_audit import flags


@click.command(epilog=flags.EXIT_CODES)
@click.argument("audit", type=click.Path(path_type=Path))
@flags.baseline_file
@flags.common
def baseline(audit: Path, output: Path) -> None:
    """Write down what an audit.json fails today, so that only what is new fails a build.

    With --baseline FILE, the gates --fail-on and --max-new look at new failures alone. The score stays what
    it is. To accept a failure, with reason and expiry, suppress it instead (--suppress).
    """
    from wa_audit.files import write_atomically
    from wa_audit.report import audit as audits
    from wa_audit.report import baseline as baselines
    from wa_audit.report.indented import as_json

    made = baselines.of(audits.read(audit))
    write_atomically(output, [as_json(made)])
    click.echo(f"{output}: {len(made.findings)} failures")
