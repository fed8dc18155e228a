"""The scorecard in the terminal: pillars as bars, coverage, pipelines, what to fix first, what could not be
read, and what to do next. It fits into 40 columns; what it leaves out there, it shows in wider ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wa_audit.model import Reason, Severity, Status
from wa_audit.report import money, spend, unread
from wa_audit.report.audit import Audit, OverallScore, PillarScore
from wa_audit.report.findings import outcomes
from wa_audit.report.flows import PipelineFacts, worst_first
from wa_audit.report.money import usd
from wa_audit.suppressions import State
from wa_audit.text import count, visible

_STEPS = 5
# Columns under which a table leaves out what it can.
_WIDE, _NARROW, _TINY = 100, 80, 58
_GOOD, _FAIR = 90, 50
_SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


def show(audit: Audit, console: Console) -> None:
    """Prints the scorecard. Nothing that comes from the account can move the cursor."""
    run = audit.run
    where = ", ".join(run.regions)
    console.print()
    facts = [f"Account {visible(run.account)}", visible(where), count(run.resources, "resource")]
    line = " · ".join(facts)
    console.print(Text(line if len(line) <= console.width else "\n".join(facts), style="bold"))
    if not audit.findings:
        console.print("Nothing to judge: no resource that a rule speaks about was found.")
        return
    console.print(_scores(audit, console))
    _show_weakest(audit, console)
    _show_steps(audit, console)
    _show_money(audit, console)
    _show_spend(audit, console)
    _show_gaps(audit, console)
    _show_next(audit, console)


def _scores(audit: Audit, console: Console) -> Table:
    narrow = console.width < _NARROW
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Pillar")
    table.add_column("Score", justify="right")
    if _bar_width(console):
        table.add_column("")
    table.add_column("Cover" if narrow else "Coverage", justify="right")
    if console.width >= _TINY:
        table.add_column("High", justify="right")
        table.add_column("Med." if narrow else "Medium", justify="right")
    for pillar in audit.pillars:
        table.add_row(*_row(pillar.title, pillar, console))
    table.add_section()
    table.add_row(*_row("Overall", audit.overall, console), style="bold")
    return table


def _row(title: str, score: PillarScore | OverallScore, console: Console) -> list[str | Text]:
    figure = (
        "–" if score.score is None else f"{score.score:.0f}" if score.score == 100 else f"{score.score:.1f}"
    )
    cells: list[str | Text] = [title, Text(figure, style=_style(score.score))]
    if width := _bar_width(console):
        cells.append(_bar(score.score, width))
    cells.append("–" if score.coverage is None else f"{int(score.coverage)}%")
    risks = [str(score.high_risk or "·"), str(score.medium_risk or "·")]
    return [*cells, *(risks if console.width >= _TINY else ())]


def _bar_width(console: Console) -> int:
    """What a line has left for a bar, in columns."""
    return 20 if console.width >= _NARROW else 8 if console.width >= _TINY else 0


def _bar(score: float | None, width: int) -> Text:
    filled = int(width * (score or 0) / 100)
    return Text("█" * filled, style=_style(score)) + Text("░" * (width - filled), style="dim")


def _style(score: float | None) -> str:
    if score is None:
        return "dim"
    return "green" if score >= _GOOD else "yellow" if score >= _FAIR else "red"


def show_pipelines(audit: Audit, console: Console) -> None:
    """Prints the pipelines of an audit, the worst first."""
    if not audit.pipelines:
        console.print("No pipelines: no data flow was found in what was read.")
        return
    console.print(_pipelines(worst_first(audit.pipelines), audit, console))
    if audit.unassigned:
        rest = count(len(audit.unassigned), "resource")
        console.print(f"\n{rest} of the kinds that pipelines are made of: in none of them")


def _pipelines(pipelines: Iterable[PipelineFacts], audit: Audit, console: Console) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows = list(pipelines)
    longest = max((len(visible(found.name)) for found in rows), default=0)
    table.add_column("Pipeline", overflow="fold", min_width=min(longest, console.width * 2 // 5))
    table.add_column("Score", justify="right")
    if console.width >= _TINY:
        table.add_column("Coverage" if console.width >= _NARROW else "Cover", justify="right")
    table.add_column("High", justify="right")
    if console.width >= _NARROW:
        table.add_column("Set off by")
    if console.width >= _WIDE:
        table.add_column("Weakest link")
    for found in rows:
        score = "–" if found.score is None else f"{found.score:.1f}"
        coverage = "–" if found.coverage is None else f"{int(found.coverage)}%"
        weakest = audit.resources.get(found.weakest)
        table.add_row(
            Text(visible(found.name)),
            Text(score, style=_style(found.score)),
            *([coverage] if console.width >= _TINY else []),
            str(found.high_risk or "·"),
            *([", ".join(found.triggers)] if console.width >= _NARROW else []),
            *([Text(visible(weakest.name) if weakest else "")] if console.width >= _WIDE else []),
        )
    return table


def _show_weakest(audit: Audit, console: Console) -> None:
    """The pipelines that need somebody most."""
    if not audit.pipelines:
        return
    console.print()
    shown = worst_first(audit.pipelines)[:_STEPS]
    more = (
        f", the {len(shown)} weakest of {len(audit.pipelines)}" if len(audit.pipelines) > len(shown) else ""
    )
    console.print(Text(f"Pipelines{more}", style="bold"))
    console.print(_pipelines(shown, audit, console))


def _show_steps(audit: Audit, console: Console) -> None:
    if not audit.fix_first:
        return
    console.print()
    console.print(Text("Fix first", style="bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in audit.fix_first[:_STEPS]:
        rule = audit.rules[step.rule]
        words = Text(visible(rule.failure_title))
        words.append(f"\n{step.rule}, {count(step.failures, 'resource')}", style="dim")
        severity = Text(str(rule.severity), style=_SEVERITY_STYLES[rule.severity])
        table.add_row(f"  +{step.gain:.1f}", severity, words)
    console.print(table)


def _show_money(audit: Audit, console: Console) -> None:
    """What is wasted a month, and by which failures most."""
    found = audit.money
    if found is None:
        return
    total = found.total
    console.print()
    heading = Text("Wasted a month", style="bold")
    if total.usd is not None:
        heading.append(f": about {usd(total.usd)}, {count(total.resources, 'resource')}")
    else:
        heading.append(": no failure here could be given an amount")
    console.print(heading)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for rule, each in money.dearest(found.rules)[:_STEPS]:
        words = Text(visible(audit.rules[rule].failure_title))
        words.append(f"\n{rule}, {count(each.findings, 'resource')}", style="dim")
        table.add_row(f"  {usd(each.usd)}", words)
    console.print(table)
    pipelines = [f"{visible(name)} {usd(each.usd)}" for name, each in money.dearest(found.pipelines)[:_STEPS]]
    if pipelines:
        console.print(Text("By pipeline: " + ", ".join(pipelines)))
    for line in money.footnotes(found):
        console.print(Text(visible(line), style="dim"))


def _show_spend(audit: Audit, console: Console) -> None:
    """What was spent last month, and on what most."""
    found = audit.spend
    if found is None:
        return
    console.print()
    heading = Text("Spent", style="bold")
    if found.total is None:
        console.print(heading.append(f": not evaluated; {visible(found.reason)}", style="yellow"))
        return
    console.print(heading.append(f": {visible(spend.sentence(found))}"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for each in found.services[:_STEPS]:
        amount = visible(spend.amount(each.trend.last, found.currency))
        table.add_row(f"  {amount}", spend.change(each.trend.before_percent), Text(visible(each.service)))
    console.print(table)
    for line in spend.footnotes(found):
        console.print(Text(visible(line), style="dim"))


def _show_gaps(audit: Audit, console: Console) -> None:
    counts: Counter[str] = Counter()
    for outcome in outcomes(audit.findings):
        counts[outcome.status] += 1
    lines = []
    if missing := counts[Status.NOT_EVALUATED]:
        why = unread.words(gap for gap in audit.gaps if gap.findings)
        said = f"{count(missing, 'finding')} could not be evaluated" + (f"; {why}" if why else "")
        lines.append(Text(visible(said), style="yellow"))
    if broken := counts[Status.ERROR]:
        lines.append(Text(f"{count(broken, 'check')} broke; run with -v for their traces", style="red"))
    if accepted := counts[Status.SUPPRESSED]:
        lines.append(Text(f"{count(accepted, 'failure')} suppressed, and left out of the score", style="dim"))
    lines += [Text(visible(words), style="yellow") for words in _stale(audit)]
    if known := audit.baseline:
        new = f"{count(known.new, 'failure')} not in the baseline, {known.known} in it"
        lines.append(Text(f"{new}, {known.no_longer} of it no longer failing"))
    if audit.questions:
        answered = sum(1 for question in audit.questions if question.answer)
        left = count(len(audit.questions) - answered, "best practice")
        lines.append(
            Text(
                f"{left} for a person to judge, {answered} answered; 'wa-audit init' lists them", style="dim"
            )
        )
    if not audit.run.complete:
        lines.append(Text("The collection was stopped before its end", style="red"))
    if lines:
        console.print()
    for line in lines:
        console.print(line)


def _stale(audit: Audit) -> list[str]:
    """Entries that hold no more, each on a line."""
    words = {
        State.EXPIRED: "expired on {0.expires} and holds no more",
        State.UNUSED: "is needed no more: nothing that it speaks of fails",
    }
    return [
        f"Suppression of {entry.rule}{f' on {entry.resource}' if entry.resource else ''} "
        f"({entry.owner}) {words[entry.state].format(entry)}"
        for entry in audit.suppressions
        if entry.state in words
    ]


def _show_next(audit: Audit, console: Console) -> None:
    """What to do now, as commands that can be copied."""
    steps = []
    denied = any(gap.reason is Reason.ACCESS_DENIED and gap.findings for gap in audit.gaps)
    if denied:
        steps.append(("wa-audit iam-policy > policy.json", "grant what was refused, and audit again"))
    if audit.fix_first:
        steps.append((f"wa-audit rules show {audit.fix_first[0].rule}", "why the first fix matters, and how"))
    if audit.overall.counts.get(Status.FAIL):
        if audit.baseline is None:
            steps.append(("wa-audit baseline audit.json", "accept today's failures; new ones fail a build"))
        steps.append(("wa-audit diff before.json audit.json", "after the fixes: what has become better"))
    if not steps:
        return
    console.print()
    console.print(Text("Next", style="bold"))
    longest = max(len(command) for command, _ in steps)
    beside = longest + 4 + max(len(why) for _, why in steps) <= console.width
    for command, why in steps:
        apart = " " * (longest - len(command) + 2) if beside else "\n    "
        console.print(Text(f"  {command}") + Text(f"{apart}{why}", style="dim"))
