"""`wa-audit diff`: what has changed between two audits."""

from __future__ import annotations

from pathlib import Path

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.EXIT_CODES)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@flags.diff_form
@flags.diff_file
@flags.common
def diff(old: Path, new: Path, form: str, output: Path | None) -> None:
    """Compare two audit.json of one account: what is new, fixed, worse, or can no longer be told.

    A finding that disappears because its reading was refused is never taken for fixed.
    """
    from wa_audit.report import audit as audits
    from wa_audit.report import diff as diffs
    from wa_audit.report import diff_text
    from wa_audit.report.indented import as_json

    found = diffs.compare(audits.read(old), audits.read(new))
    if form == "text":
        from rich.console import Console

        if output is not None:
            raise click.UsageError("--output goes with --format json, markdown or html")
        diff_text.show(found, Console(highlight=False))
        return
    if form == "html":
        from wa_audit.report import diff_html

        raw = b"".join(diff_html.render(found))
    else:
        raw = as_json(found) if form == "json" else diff_text.as_markdown(found).encode()
    wiring.hand_over(raw, output)
