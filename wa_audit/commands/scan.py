"""`wa-audit scan`: a live account, from the reading to the reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from wa_audit import flags, wiring
from wa_audit.memory import sweep

# Resources, below which to look for what can be let go of costs more than it gives: a tenth of a second.
_MANY = 2_000


@click.command(epilog=flags.EXIT_CODES)
@flags.connection
@flags.processes
@flags.asked
@flags.dry_run
@flags.resume
@flags.metrics
@flags.rulebook
@flags.judging
@flags.results
@flags.history
@flags.send
@flags.gates
@flags.common
def scan(
    output: Path,
    formats: Sequence[str],
    no_progress: bool,
    resume: bool,
    dry_run: bool,
    processes: int,
    metrics_days: int,
    no_metrics: bool,
    send: str | None,
    **options: Any,
) -> None:
    """Audit an account: read it, judge it, score it, and write the reports."""
    book = wiring.load_rulebook(options)
    gates, judging = wiring.Gates.of(options), wiring.Judging.of(options)
    whole = wiring.make_plan(book, tags=judging.looks_at_tags)
    plan = wiring.affordable(whole, options, no_metrics)
    if dry_run:
        wiring.show_forecast(plan, whole, options)
        return
    wiring.check_output(formats, output)
    history = wiring.open_history(options)
    workers = options["workers"]
    session, regions = wiring.connect(**options)
    file = output / "inventory.jsonl"
    run = wiring.Gathering(workers, no_progress, resume, file, metrics_days, processes)
    inventory = wiring.read_account(session, plan, regions, run)
    if not send:
        del session  # and with it what the reading has put aside
        if len(inventory) >= _MANY:
            sweep()
    audit = wiring.assess(inventory, book, judging)
    del inventory  # most of the memory, and no report looks at it
    wiring.deliver(audit, formats, output, history)
    if send:
        wiring.send(audit, session)
    wiring.end(audit, gates)
