"""What a person sees while a run is under way, on stderr, so that stdout stays for results; and its signs."""

from __future__ import annotations

import codecs
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from wa_audit.collect.units import Tally

# A guess from less than this is worth nothing: what has been listed is only then known to be described.
_ENOUGH_SECONDS = 5.0
_ENOUGH_TASKS = 50
_ENOUGH_SHARE = 0.25


# For a terminal that has not these signs, one of ASCII each, so that columns stay under each other.
_PLAIN = str.maketrans("█░·–—…→←▸▾’‘“”×÷─│┌┐└┘├┤┬┴┼", "#.---~><>v''\"\"x/-|+++++++++")


def speak_plainly(stream: IO[str]) -> None:
    """Has a stream write what its encoding lacks as ASCII signs like it, or as `\\u65e5`, and never fail."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure and not (getattr(stream, "encoding", None) or "").lower().startswith("utf"):
        codecs.register_error("wa-audit", _in_plain_signs)
        reconfigure(errors="wa-audit")


def _in_plain_signs(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    plain = lacking.translate(_PLAIN)
    return plain.encode("ascii", "backslashreplace").decode("ascii"), error.end


def wanted(no_progress: bool, stream: IO[str]) -> bool:
    """Whether progress is shown: to a person alone, who has not asked for quiet."""
    return not no_progress and stream.isatty() and not os.environ.get("NO_COLOR")


@contextmanager
def progress(
    shown: bool, console: Console | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[Tally], None]]:
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
    began = clock()
    with Progress(*columns, console=console or Console(stderr=True), transient=True) as display:
        task = display.add_task("", total=None, words="")

        def update(tally: Tally) -> None:
            words = line(tally, clock() - began)
            display.update(task, total=tally.queued, completed=tally.finished, words=words)

        yield update


def line(tally: Tally, elapsed: float) -> str:
    """The tally in words, after so many seconds."""
    words = f"{len(tally.services)} services · {tally.resources} resources · {tally.calls} calls"
    if tally.throttles:
        words += f" · {tally.throttles} throttled"
    left = seconds_left(tally, elapsed)
    return words if left is None else f"{words} · about {_rounded(left)} left"


def seconds_left(tally: Tally, elapsed: float) -> float | None:
    """What is left at the pace so far, or None while that would be a guess.

    Lists add to what is queued as they are read, so that the first guesses would all be too short.
    """
    meaningful = (
        elapsed >= _ENOUGH_SECONDS
        and tally.finished >= _ENOUGH_TASKS
        and tally.finished >= _ENOUGH_SHARE * tally.queued
    )
    if not meaningful or tally.finished == tally.queued:
        return None
    return elapsed * (tally.queued - tally.finished) / tally.finished


def _rounded(seconds: float) -> str:
    """To 5 seconds under a minute, to the minute above."""
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{max(1, round(seconds / 60))} min"
