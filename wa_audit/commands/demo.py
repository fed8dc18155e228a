"""`wa-audit demo`: the same on an embedded account."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.EXIT_CODES)
@flags.rulebook
@flags.judging
@flags.results
@flags.gates
@flags.no_progress
@flags.common
def demo(output: Path, formats: Sequence[str], no_progress: bool, **options: Any) -> None:
    """Audit an embedded account: a small company's data platform, partly well built, partly not."""
    from wa_audit import demo as embedded

    book = wiring.load_rulebook(options)
    gates, judging = wiring.Gates.of(options), wiring.Judging.of(options)
    wiring.check_output(formats, output)
    click.echo("Setting up the embedded account …", err=True)
    with embedded.account() as (session, regions):
        plan = wiring.make_plan(book, tags=judging.looks_at_tags)
        inventory = wiring.read_account(session, plan, regions, wiring.Gathering(16, no_progress))
    audit = wiring.assess(inventory, book, judging)
    wiring.deliver(audit, formats, output)
    wiring.end(audit, gates)
