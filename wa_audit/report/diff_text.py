"""Two audits compared, as text: in the terminal, and as Markdown for a pull request or a step summary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wa_audit.model import Severity
from wa_audit.report.diff import Change, Diff, Row
from wa_audit.text import count, markdown, share, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

TITLES = {
    Change.NEW: "New",
    Change.WORSE: "Worse",
    Change.NOT_EVALUATED: "Newly not evaluated",
    Change.BETTER: "Better",
    Change.FIXED: "Fixed",
    Change.SUPPRESSED: "Newly suppressed",
    Change.GONE: "No longer seen",
    Change.OPEN: "Still open",
}
# Of what has not changed a number is enough.
_LISTED = tuple(change for change in Change if change is not Change.OPEN)
_MOST = 50  # rows of one change; a pull request's comment has an end, and audit.json has them all


def show(diff: Diff, console: Console) -> None:
    """Prints what has changed. Nothing that comes from the account can move the cursor."""
    from rich.text import Text

    console.print()
    console.print(Text(f"Account {visible(diff.account)} · {_times(diff)}", style="bold"))
    console.print(_scores(diff))
    for change in _LISTED:
        rows = diff.changes[change]
        if not rows:
            continue
        console.print()
        console.print(Text(f"{TITLES[change]}: {len(rows)}", style=_STYLES[change]))
        for row in rows[:_MOST]:
            console.print(Text(f"  {row.severity:<8} {visible(row.name)} {visible(_sentence(row))}"))
            console.print(Text(f"           {row.rule}  {visible(row.resource)}", style="dim"))
        if len(rows) > _MOST:
            console.print(f"  … and {len(rows) - _MOST} more (--format json has them all)")
    console.print()
    console.print(summary(diff))
    for caveat in caveats(diff):
        console.print(Text(caveat, style="yellow"))


_STYLES = {
    Change.NEW: "bold red",
    Change.WORSE: "bold red",
    Change.NOT_EVALUATED: "bold yellow",
    Change.BETTER: "bold green",
    Change.FIXED: "bold green",
    Change.SUPPRESSED: "bold",
    Change.GONE: "bold",
    Change.OPEN: "bold",
}


def summary(diff: Diff) -> str:
    """`2 new, 1 fixed, 40 still open`, of what there is; `nothing has changed` where all is open or sound."""
    parts = [f"{diff.counts[c]} {TITLES[c].lower()}" for c in Change if diff.counts[c]]
    if not any(diff.counts[c] for c in _LISTED):
        parts.insert(0, "nothing has changed")
    return ", ".join(parts)


def caveats(diff: Diff) -> list[str]:
    """What a reader must know before trusting the comparison."""
    found = []
    if not diff.same_rulebook:
        found.append(
            "The two were judged by different rulebooks: a change may be the rules' and not the account's."
        )
    for side, word in ((diff.old, "older"), (diff.new, "newer")):
        if not side.complete:
            found.append(f"The {word} audit was stopped before its end.")
    return found


def _sentence(row: Row) -> str:
    before = f" (was {row.severity_before})" if row.severity_before else ""
    if row.why and row.why != row.message:
        return f"{row.why}{before}"
    first = ", which could not be evaluated before" if row.before in ("not_evaluated", "error") else ""
    return f"{row.message}{first}{before}"


def _times(diff: Diff) -> str:
    return f"{visible(diff.old.finished) or 'before'} → {visible(diff.new.finished) or 'after'}"


def _scores(diff: Diff) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Pillar")
    for name in ("Before", "After", "Change", "Coverage"):
        table.add_column(name, justify="right")
    for title, *cells in _figures(diff):
        table.add_row(title, *cells)
    return table


def _figures(diff: Diff) -> Iterator[tuple[str, str, str, str, str]]:
    """Title, score before and after, their difference, and coverage, of the whole and of each pillar."""
    yield (
        "Overall",
        _number(diff.old.score),
        _number(diff.new.score),
        _difference(diff.old.score, diff.new.score),
        f"{share(diff.old.coverage)} → {share(diff.new.coverage)}",
    )
    for p in diff.pillars:
        coverage = f"{share(p.coverage_before)} → {share(p.coverage_after)}"
        change = _difference(p.score_before, p.score_after)
        yield p.title, _number(p.score_before), _number(p.score_after), change, coverage


def _number(score: float | None) -> str:
    return "–" if score is None else f"{score:.1f}"


def _difference(before: float | None, after: float | None) -> str:
    return "" if before is None or after is None or before == after else f"{after - before:+.1f}"


def as_markdown(diff: Diff) -> str:
    """The comparison as GitHub-flavoured Markdown; names and messages are escaped."""
    lines = [
        f"## What changed in account {markdown(diff.account)}",
        "",
        f"{markdown(_times(diff))}: **{summary(diff)}**",
    ]
    lines += [f"\n> {caveat}" for caveat in caveats(diff)]
    lines += ["", "| Pillar | Before | After | Change | Coverage |", "| --- | ---: | ---: | ---: | ---: |"]
    lines += ["| " + " | ".join(cells) + " |" for cells in _figures(diff)]
    for change in _LISTED:
        rows = diff.changes[change]
        if not rows:
            continue
        lines += [
            "",
            f"### {TITLES[change]}: {len(rows)}",
            "",
            "| Severity | Resource | What | Rule |",
            "| --- | --- | --- | --- |",
        ]
        for row in rows[:_MOST]:
            name = f"<code>{markdown(row.name)}</code>" + (f" {row.region}" if row.region else "")
            lines.append(
                f"| {_mark(row.severity)} | {name} | {markdown(_sentence(row))} | <code>{row.rule}</code> |"
            )
        if len(rows) > _MOST:
            lines.append(f"\n… and {count(len(rows) - _MOST, 'more finding')}.")
    return "\n".join(lines) + "\n"


def _mark(severity: Severity) -> str:
    return f"**{severity}**" if severity in (Severity.CRITICAL, Severity.HIGH) else str(severity)
