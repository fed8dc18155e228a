"""organization.html: what the accounts of one run come to, as one self-contained page in the report's style.

The first rows of each table stand in the page itself; all of them are packed, and drawn by the page's script
as they are asked for, so that ten thousand accounts stay light. What comes from an account is hostile text:
see `pages`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from markupsafe import Markup

from wa_audit.model import Pillar, Status
from wa_audit.report import embedded, pages, rankings, sparkline
from wa_audit.report.embedded import GRADES
from wa_audit.report.organization import Account, NotAudited, Organization, Point, Unit, point
from wa_audit.report.rankings import Choice, Column, Ranking, ranking
from wa_audit.report.sparkline import Past
from wa_audit.score import Score

LISTED = 100  # runs, the last ones
NO_UNIT = "No unit known"
OUTSIDE = "Outside the audited accounts and regions"

_SCRIPTS = "text inflate unpack tools rankings".split()
_PARTS = [Column(pages.SHORT[pillar], "part", pillar.label) for pillar in Pillar]
_FIGURES = [
    Column("Coverage", "share"),
    Column("High", "count", "High-risk issues"),
    Column("Medium", "count", "Medium-risk issues"),
    Column("Failing", "count", "Failing findings"),
]
_GRADES = [(name, words) for _, name, words in reversed(GRADES)] + [("none", "Not scored")]


class PillarFacts(NamedTuple):
    title: str
    score: Score


def render(found: Organization) -> Iterator[bytes]:
    """The page, in UTF-8. The same organization gives the same bytes."""
    style = Markup("").join((pages.source("report.css"), pages.source("organization.css")))
    script = pages.script(_SCRIPTS)
    tables = _tables(found)
    context = {
        "found": found,
        "style": style,
        "script": script,
        "policy": pages.content_security_policy(style, script),
        "data": embedded.pack(
            {"tables": rankings.packable(tables), "grades": [grade[:2] for grade in GRADES]}
        ),
        "tables": {table.id: table for table in tables},
        "run": _moment(found.run),
        "pillars": [PillarFacts(pillar.label, found.pillars[pillar]) for pillar in _judged(found.pillars)],
        "earlier": sparkline.of(Past(_moment(p.run), p.score, p.digest) for p in _points(found)),
        "partial": sum(account.partial for account in found.accounts),
        "units": sum(1 for unit in found.units if unit.path),
    }
    for piece in pages.environment().get_template("organization.html").generate(context):
        yield piece.encode("utf-8")


def _moment(run: str) -> str:
    """A run's name as the time that it is, ISO 8601; one that is none stays as it is."""
    date, _, time = run.partition("T")
    if len(date) != 8 or len(time) != 7 or not (date + time[:6]).isdigit():
        return run
    return f"{date[:4]}-{date[4:6]}-{date[6:]}T{time[:2]}:{time[2:4]}:{time[4:6]}Z"


def _judged(pillars: Mapping[Pillar, Any]) -> list[Pillar]:
    return [pillar for pillar in Pillar if pillar in pillars]


def _points(found: Organization) -> list[Point]:
    """The runs before this one, and this one."""
    return [*found.trend, point(found)]


# -- the tables ------------------------------------------------------------------------------------


def _tables(found: Organization) -> list[Ranking]:
    return [_accounts(found), _units(found), _pipelines(found), _rules(found), *_missing(found), _runs(found)]


def _accounts(found: Organization) -> Ranking:
    rows = [
        (
            _name(account),
            account.overall.score,
            *_parts(account.pillars),
            *_figures(account.overall),
            _rounded(account.waste),
            "in part" if account.partial else "wholly",
        )
        for account in found.accounts
    ]
    columns = [Column("Account", "name"), Column("Score", "score"), *_PARTS, *_FIGURES]
    columns += [Column("Waste", "usd", "Wasted a month"), Column("Audited", "words")]
    choices = [
        Choice("Unit", "below", 0, [(unit.path, unit.path or NO_UNIT) for unit in found.units]),
        Choice("Grade", "grade", 1, _GRADES),
        Choice("Audited", "equal", len(columns) - 1, [("wholly", "Wholly"), ("in part", "In part")]),
    ]
    return ranking("accounts", "account", columns, rows, choices=choices, searched=True)


def _units(found: Organization) -> Ranking:
    rows = [
        (
            [unit.path or NO_UNIT, "", unit.path],
            unit.overall.score,
            *_parts(unit.pillars),
            *_figures(unit.overall),
            [unit.audited, unit.planned],
        )
        for unit in sorted(found.units, key=_worst)
    ]
    columns = [Column("Unit", "unit"), Column("Score", "score"), *_PARTS, *_FIGURES, Column("Audited", "of")]
    return ranking("units", "unit", columns, rows, searched=len(rows) > rankings.AT_FIRST)


def _worst(unit: Unit) -> tuple[bool, float, str]:
    return unit.overall.score is None, unit.overall.score or 0.0, unit.path


def _pipelines(found: Organization) -> Ranking:
    accounts = {account.account: account for account in found.accounts}
    rows = [
        (
            [pipeline.name, *_name(accounts[pipeline.account])]
            if pipeline.account in accounts
            else [pipeline.name, pipeline.account],
            pipeline.score,
            pipeline.coverage,
            pipeline.high_risk,
            pipeline.medium_risk,
            pipeline.failing,
            pipeline.weakest,
        )
        for pipeline in found.pipelines
    ]
    columns = [Column("Pipeline", "name"), Column("Score", "score"), *_FIGURES]
    columns += [Column("Weakest link", "arn")]
    choices = [Choice("Grade", "grade", 1, _GRADES)]
    return ranking(
        "pipelines",
        "pipeline",
        columns,
        rows,
        total=found.pipelines_total,
        choices=choices,
        searched=True,
    )


def _rules(found: Organization) -> Ranking:
    rows = [
        ([rule.title, rule.rule], rule.pillar.label, rule.severity, rule.accounts, rule.failing)
        for rule in found.rules
    ]
    columns = [
        Column("What should be so", "name"),
        Column("Pillar", "words"),
        Column("Severity", "severity"),
        Column("Accounts", "count", "Accounts in which it fails"),
        Column("Failing", "count", "Failing findings"),
    ]
    choices = [
        Choice("Pillar", "equal", 1, _distinct(rule.pillar.label for rule in found.rules)),
        Choice("Severity", "equal", 2, _distinct(rule.severity for rule in found.rules)),
    ]
    return ranking("rules", "rule", columns, rows, choices=choices, searched=True)


def _missing(found: Organization) -> Iterator[Ranking]:
    """The accounts that were not audited, and what could not be read in the others."""
    absent = [
        (_name(account), _sentence(account.reason), account.operation, account.action, account.message)
        for account in found.not_audited
    ]
    columns = [
        Column("Account", "name"),
        Column("Reason", "words"),
        Column("Call", "code"),
        Column("IAM action it needs", "code"),
        Column("What was said", "prose"),
    ]
    choices = [
        Choice(
            "Unit", "below", 0, [(path, path or NO_UNIT) for path in sorted({row[0][2] for row in absent})]
        ),
        Choice("Reason", "equal", 1, _distinct(row[1] for row in absent)),
    ]
    yield ranking("not-audited", "account", columns, absent, choices=choices, searched=True)
    gaps = [
        ([gap.action or gap.operation or OUTSIDE], gap.operation, gap.accounts, gap.findings)
        for gap in found.gaps
    ]
    columns = [
        Column("IAM action", "name"),
        Column("Call", "code"),
        Column("Accounts", "count"),
        Column("Findings it cost", "count"),
    ]
    yield ranking("missing", "permission", columns, gaps)


def _runs(found: Organization) -> Ranking:
    """Newest first, each against the one before it."""
    points = _points(found)
    rows = [(_run(this, before)) for before, this in pairwise([None, *points]) if this is not None]
    columns = [
        Column("Run", "name"),
        Column("Score", "exact"),
        Column("Change", "change"),
        *_FIGURES,
        Column("Accounts", "of", "Accounts audited, of those planned"),
        Column("Remarks", "words"),
    ]
    return ranking("runs", "run", columns, rows[::-1][:LISTED], total=len(rows))


def _run(this: Point, before: Point | None) -> tuple[Any, ...]:
    scored = before is not None and before.score is not None and this.score is not None
    other = before is not None and before.digest and before.digest != this.digest
    return (
        [_minute(this.run)],
        this.score,
        round(this.score - before.score, 1) if scored else None,  # type: ignore[operator, union-attr]
        this.coverage,
        this.high_risk,
        this.medium_risk,
        this.failing,
        [this.audited, this.planned],
        "other rules than before" if other else "",
    )


def _minute(run: str) -> str:
    return str(pages.moment(_moment(run)))


def _name(account: Account | NotAudited) -> list[str]:
    """What an account is called, its number where that is not its name, and its unit."""
    return [account.name or account.account, account.account if account.name else "", account.unit]


def _parts(pillars: Mapping[Pillar, Score]) -> Iterator[float | None]:
    return (pillars[pillar].score if pillar in pillars else None for pillar in Pillar)


def _figures(score: Score) -> tuple[float | None, int, int, int]:
    return score.coverage, score.high_risk, score.medium_risk, score.counts.get(Status.FAIL, 0)


def _rounded(usd: float | None) -> float | None:
    """As it is told, so that the script, which rounds otherwise, has nothing to round."""
    return None if usd is None else round(usd, 2) if round(usd, 2) < 100 else float(round(usd))


def _sentence(reason: str) -> str:
    return reason.replace("_", " ").capitalize()


def _distinct(values: Iterable[str]) -> list[tuple[str, str]]:
    """Each value once, in the order in which they come, with itself for words."""
    return [(value, value) for value in dict.fromkeys(values)]
