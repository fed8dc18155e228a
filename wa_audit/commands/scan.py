"""`wa-audit scan`: a live account, from the reading to the reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.EXIT_CODES)
@flags.connection
@flags.paid
@flags.dry_run
@flags.resume
@flags.metrics
@flags.rulebook
@flags.tag
@flags.results
@flags.gates
@flags.verbose
def scan(
    tags: Sequence[str],
    output: Path,
    formats: Sequence[str],
    fail_on: str | None,
    min_score: float | None,
    strict: bool,
    no_progress: bool,
    resume: bool,
    dry_run: bool,
    metrics_days: int,
    no_metrics: bool,
    **options: Any,
) -> None:
    """Audit an account: read it, judge it, score it, and write the reports."""
    from wa_audit import files

    book = wiring.load_rulebook(options)
    wanted = wiring.parse_tags(tags)
    whole = wiring.make_plan(book, wanted)
    plan = wiring.affordable(whole, options, no_metrics)
    if dry_run:
        wiring.show_forecast(plan, whole, options)
        return
    files.check_writable(output)
    workers = options["workers"]
    session, regions = wiring.connect(**options)
    run = wiring.Gathering(workers, no_progress, resume, output / "inventory.jsonl", metrics_days)
    inventory = wiring.read_account(session, plan, regions, run)
    audit = wiring.assess(inventory, book, wanted)
    wiring.deliver(audit, formats, output)
    wiring.end(audit, fail_on, min_score, strict)
