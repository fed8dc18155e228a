"""What a person sees while a run is under way. On stderr, so that stdout stays for results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wa_audit.collect.scheduler import Tally


@contextmanager
def progress(shown: bool) -> Iterator[Callable[[Tally], None]]:
    """A function to call with the tally, about ten times a second; a live line where `shown`."""
    if not shown:
        yield lambda tally: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("Reading"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task("", total=None, words="")

        def update(tally: Tally) -> None:
            words = f"{len(tally.services)} services · {tally.resources} resources · {tally.calls} calls"
            if tally.throttles:
                words += f" · {tally.throttles} throttled"
            display.update(task, total=tally.queued, completed=tally.finished, words=words)

        yield update
