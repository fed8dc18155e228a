"""The scores of the runs before and of this one: a line to draw, and the same in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_WIDTH, _HEIGHT = 160, 32  # in pixels


class Past(NamedTuple):
    """A run: when it was, ISO 8601; its score, 0 to 100, None where none was given; its rulebook's digest,
    empty where it is not known."""

    finished: str
    score: float | None
    rulebook: str


class Sparkline(NamedTuple):
    """`change` and `other_rules` are against the last run before that has a score, which was at `since`."""

    path: str
    words: str
    change: float
    since: str
    other_rules: bool


def of(runs: Iterable[Past]) -> Sparkline | None:
    """The line of runs, the oldest first, this one last; None where fewer than two were given a score, or
    this one was not."""
    *earlier, this = runs
    scored = [run for run in earlier if run.score is not None]
    scores = [run.score for run in scored if run.score is not None]
    if not scores or this.score is None:
        return None
    scores.append(this.score)
    low, high = min(scores), max(scores)
    spread = max(high - low, 1.0)
    points = [
        f"{_WIDTH * number / (len(scores) - 1):.1f} {_HEIGHT - _HEIGHT * (score - low) / spread:.1f}"
        for number, score in enumerate(scores)
    ]
    before = scored[-1]
    return Sparkline(
        path="M" + "L".join(points),
        words="Score by run, the oldest first: " + ", ".join(f"{score:.1f}" for score in scores),
        change=round(scores[-1] - scores[-2], 1),
        since=before.finished,
        other_rules=bool(before.rulebook) and before.rulebook != this.rulebook,
    )
