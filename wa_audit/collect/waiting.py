"""Waiting for what AWS does in its own time: asked again, ever more seldom, until it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from wa_audit.collect.errors import Unfinished

LONGEST = 120.0
"""Seconds that are waited in all, without the calls' own time."""
_FIRST, _LAST = 0.5, 8.0

_Answer = TypeVar("_Answer")


def until(
    done: Callable[[_Answer], bool], ask: Callable[[], _Answer], pause: Callable[[float], None]
) -> _Answer:
    """The first answer that is `done`; `pause` waits for so many seconds between two.

    Raises:
        Unfinished: there was none in the time.
        Exception: whatever `ask` or `pause` raised.
    """
    waited, seconds = 0.0, _FIRST
    while not done(answer := ask()):
        if waited + seconds > LONGEST:
            raise Unfinished(f"is not done after {waited:.0f} s")
        pause(seconds)
        waited, seconds = waited + seconds, min(2 * seconds, _LAST)
    return answer
