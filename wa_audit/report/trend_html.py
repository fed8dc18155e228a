"""A trend as one self-contained page, in the report's own style and without a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from wa_audit.report import pages, trend_text
from wa_audit.report.trend import AccountTrend, Trend, TrendLine, TrendPoint, TrendRun, moment

_DOTS = 60  # runs; of more, the line alone can be read
LISTED = 100  # runs in the table, the last ones


class Dot(NamedTuple):
    """One run on a chart, in the chart's own units, and what a pointer on it is told."""

    x: float
    y: float
    words: str


class Curve(NamedTuple):
    """A line through the runs that gave a figure, broken where one gave none: an SVG path."""

    path: str
    dots: list[Dot]


class Chart(NamedTuple):
    """Scores and coverage from 0 to 100 over time, on a canvas of `width` × `height`."""

    width: int
    height: int
    score: Curve
    coverage: Curve


def render(trend: Trend) -> Iterator[bytes]:
    """The page, in UTF-8. The same trend gives the same bytes."""
    style = Markup("").join((pages.source("report.css"), pages.source("trend.css")))
    page = pages.environment().get_template("trend.html")
    context = {
        "trend": trend,
        "style": style,
        "policy": pages.content_security_policy(style),
        "chart": chart,
        "caveats": trend_text.caveats,
        "runs": runs,
    }
    for piece in page.generate(context):
        yield piece.encode("utf-8")


def chart(account: AccountTrend, line: TrendLine, width: int, height: int) -> Chart:
    """The chart of one line; every line of an account has the same axis of time."""
    places = _places(account.runs, width)
    return Chart(
        width,
        height,
        _curve(account.runs, places, height, ((p.run, p.score) for p in line.points)),
        _curve(account.runs, places, height, ((p.run, p.coverage) for p in line.points)),
    )


def _places(runs: Sequence[TrendRun], width: int) -> list[float]:
    times = [moment(run.finished).timestamp() for run in runs]
    first, span = times[0], times[-1] - times[0]
    return [round(width * (time - first) / span, 1) if span else width / 2 for time in times]


def _curve(
    runs: Sequence[TrendRun],
    places: Sequence[float],
    height: int,
    figures: Iterable[tuple[int, float | None]],
) -> Curve:
    steps: list[str] = []
    dots: list[Dot] = []
    before = None
    for number, figure in figures:
        if figure is None:
            continue
        x, y = places[number], round(height * (100 - figure) / 100, 1)
        steps.append(f"{'L' if before == number - 1 and before is not None else 'M'}{x:g} {y:g}")
        dots.append(Dot(x, y, f"{runs[number].finished}: {figure:g}"))
        before = number
    return Curve("".join(steps), dots if len(runs) <= _DOTS else dots[-1:])


def runs(account: AccountTrend) -> list[tuple[TrendRun, TrendPoint]]:
    """The last runs with what the whole account scored in each, newest first."""
    return [(account.runs[point.run], point) for point in reversed(account.overall.points)][:LISTED]
