"""`wa-audit assess`: judges an inventory file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.EXIT_CODES)
@click.argument("inventory", type=click.Path(path_type=Path))
@flags.rulebook
@flags.judging
@flags.results
@flags.history
@flags.gates
@flags.common
def assess(inventory: Path, output: Path, formats: Sequence[str], **options: Any) -> None:
    """Judge an inventory file, without AWS."""
    from wa_audit import inventory as inventories

    book = wiring.load_rulebook(options)
    gates, judging = wiring.Gates.of(options), wiring.Judging.of(options)
    wiring.check_output(formats, output)
    history = wiring.open_history(options)
    audit = wiring.assess(inventories.read(inventory), book, judging)
    wiring.deliver(audit, formats, output, history)
    wiring.end(audit, gates)
