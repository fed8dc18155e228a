"""A trend in the terminal: a line a pillar and a pipeline, with its scores as a row of bars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wa_audit.report.trend import AccountTrend, Trend, TrendLine
from wa_audit.text import count, share, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_BARS = "▁▂▃▄▅▆▇█"
_PLAIN = "_.-:=+*#"  # where the terminal knows no Unicode
_RUNS = 24
_PIPELINES = 20


def show(trend: Trend, console: Console) -> None:
    """Prints the trend of every account. Nothing that comes from an account can move the cursor."""
    for account in trend.accounts:
        _show(account, console)


def _show(found: AccountTrend, console: Console) -> None:
    from rich.text import Text

    first, last = found.runs[0], found.runs[-1]
    console.print()
    only = f" · {visible(found.narrowed_to)}" if found.narrowed_to else ""
    when = (
        visible(first.finished) if len(found.runs) == 1 else f"{_day(first.finished)} → {_day(last.finished)}"
    )
    head = f"Account {visible(found.account)}{only} · {count(len(found.runs), 'run')} · {when}"
    console.print(Text(head, style="bold"))
    console.print(_table([*found.pillars, found.overall], len(found.runs), "Pillar", console))
    if pipelines := found.pipelines:
        console.print()
        console.print(_table(pipelines[:_PIPELINES], len(found.runs), "Pipeline", console))
        if len(pipelines) > _PIPELINES:
            console.print(f"… and {len(pipelines) - _PIPELINES} more (--format json has them all)")
    for caveat in caveats(found):
        console.print(Text(caveat, style="yellow"))


def caveats(found: AccountTrend) -> list[str]:
    """What a reader must know before trusting the lines."""
    lines = []
    if other := [run for run in found.runs if run.other_rules]:
        days = _some(_day(run.finished) for run in other)
        lines.append(
            f"Judged by other rules than the run before: {days}; a step there may be the rules' doing."
        )
    if stopped := [run for run in found.runs if not run.complete]:
        lines.append(f"Stopped before their end: {_some(_day(run.finished) for run in stopped)}.")
    if gone := found.gone:
        lines.append(f"Pipelines that the last run did not find: {_some(visible(x.pipeline) for x in gone)}.")
    return lines


def _some(words: Iterable[str], most: int = 5) -> str:
    found = list(dict.fromkeys(words))
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[-most:]) + more


def _day(time: str) -> str:
    return visible(time[:10])


def _table(lines: Iterable[TrendLine], runs: int, heading: str, console: Console) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(heading)
    wide = console.width >= 80
    if wide:
        table.add_column("Scores", no_wrap=True)
    for name in ("Last", "Change", "Coverage", "Failing"):
        table.add_column(name, justify="right")
    for line in lines:
        change = line.change
        style = "" if not change else "green" if change > 0 else "red"
        table.add_row(
            Text(visible(line.title)),
            *([Text(bars(line, runs, console))] if wide else []),
            "–" if line.last.score is None else f"{line.last.score:.1f}",
            Text("" if change is None else f"{change:+.1f}" if change else "0.0", style=style),
            share(line.last.coverage),
            _failing(line),
            style="bold" if not line.pillar and not line.pipeline else "",
        )
    return table


def _failing(line: TrendLine) -> str:
    first, last = line.points[0].failing, line.last.failing
    return f"{first} → {last}" if len(line.points) > 1 and first != last else str(last)


def bars(line: TrendLine, runs: int, console: Console) -> str:
    """The scores of the last runs as bars from 0 to 100; a blank where a run gave none."""
    signs = _BARS if (console.encoding or "").lower().startswith("utf") else _PLAIN
    scores = {point.run: point.score for point in line.points}
    shown = [scores.get(number) for number in range(max(0, runs - _RUNS), runs)]
    return "".join(" " if s is None else signs[min(len(signs) - 1, int(s * len(signs) / 100))] for s in shown)
