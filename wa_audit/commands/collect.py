"""`wa-audit collect`: the only stage that talks to AWS, alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.EXIT_CODES)
@flags.connection
@flags.processes
@flags.asked
@flags.dry_run
@flags.resume
@flags.metrics
@flags.rulebook
@flags.inventory_file
@flags.common
def collect(
    output: Path,
    no_progress: bool,
    resume: bool,
    dry_run: bool,
    processes: int,
    metrics_days: int,
    no_metrics: bool,
    **options: Any,
) -> None:
    """Read an account into an inventory file, to be judged later."""
    from wa_audit import files
    from wa_audit import inventory as inventories
    from wa_audit.report import unread

    book = wiring.load_rulebook(options)
    # Tags are read too, so that 'assess --tag' has what it needs.
    whole = wiring.make_plan(book, tags=True)
    plan = wiring.affordable(whole, options, no_metrics)
    if dry_run:
        wiring.show_forecast(plan, whole, options)
        return
    files.check_replaceable(output)
    workers = options["workers"]
    session, regions = wiring.connect(**options)
    run = wiring.Gathering(workers, no_progress, resume, output, metrics_days, processes)
    inventory = wiring.read_account(session, plan, regions, run)
    inventories.write(inventory, output)
    click.echo(f"{output}: {len(inventory)} resources, {inventory.run.calls} calls")
    if words := unread.of_inventory(inventory):
        click.echo(words)
    if not inventory.run.complete:
        wiring.fail_expired()
