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
@flags.tag
@flags.results
@flags.gates
@flags.verbose
def assess(
    inventory: Path,
    tags: Sequence[str],
    output: Path,
    formats: Sequence[str],
    fail_on: str | None,
    min_score: float | None,
    strict: bool,
    **options: Any,
) -> None:
    """Judge an inventory file, without AWS."""
    from wa_audit import inventory as inventories

    book = wiring.load_rulebook(options)
    audit = wiring.assess(inventories.read(inventory), book, wiring.parse_tags(tags))
    wiring.deliver(audit, formats, output)
    wiring.end(audit, fail_on, min_score, strict)
