"""`wa-audit demo`: the same on an embedded account."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wa_audit import flags, wiring

if TYPE_CHECKING:
    from wa_audit.inventory import Inventory
    from wa_audit.rulebook import Rulebook


@click.command(epilog=flags.EXIT_CODES)
@flags.demo_account
@flags.rulebook
@flags.judging
@flags.results
@flags.history
@flags.gates
@flags.no_progress
@flags.common
def demo(which: str, output: Path, formats: Sequence[str], no_progress: bool, **options: Any) -> None:
    """Audit an embedded account: a small company's data platform, partly well built, partly not."""

    book = wiring.load_rulebook(options)
    gates, judging = wiring.Gates.of(options), wiring.Judging.of(options)
    wiring.check_output(formats, output)
    history = wiring.open_history(options)
    if which == "ledger":
        from wa_audit import inventory as inventories
        from wa_audit.demo_account import LEDGER

        inventory = inventories.read(LEDGER)
    else:
        inventory = _read_platform(book, judging, no_progress)
    audit = wiring.assess(inventory, book, judging)
    wiring.deliver(audit, formats, output, history)
    wiring.end(audit, gates)


def _read_platform(book: Rulebook, judging: wiring.Judging, no_progress: bool) -> Inventory:
    from wa_audit import demo as embedded

    click.echo("Setting up the embedded account …", err=True)
    with embedded.account() as (session, regions):
        plan = wiring.make_plan(book, tags=judging.looks_at_tags)
        return wiring.read_account(session, plan, regions, wiring.Gathering(16, no_progress))
