"""Scores, coverage and open findings of many runs, as they went: made of the runs' summaries alone.

Runs are told apart by account and by what their judging was narrowed to, because the score of one pipeline
is no point on the line of a whole account. A run that could not score a part keeps its point, without a
score; one that did not know the part has none.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from wa_audit.model import ConfigurationError, Pillar
from wa_audit.report.audit import EarlierRun
from wa_audit.report.history import RUNS, VERSION, Scored

FORMAT = "wa-audit-trend"


class TrendRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `other_rules` where the run before was judged by another rulebook, or by more or fewer rules:
    what changed there may be the rules' doing."""

    run: str
    finished: str
    complete: bool
    resources: int
    rulebook: str
    rules: int
    other_rules: bool


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a part scored in the run of this number, counted from 0. `undecided` are findings that could not
    be evaluated, null where that is not known, as it is of a pipeline's share in a pillar."""

    run: int
    score: float | None
    coverage: float | None
    failing: int
    undecided: int | None
    high_risk: int
    medium_risk: int


class TrendLine(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the account over time; `pillar` and `pipeline` say which, both empty for all of it."""

    pillar: str
    pipeline: str
    points: list[TrendPoint]

    @property
    def title(self) -> str:
        pillar = Pillar(self.pillar).label if self.pillar in set(Pillar) else self.pillar
        return self.pipeline or pillar or "Overall"

    @property
    def last(self) -> TrendPoint:
        return self.points[-1]

    @property
    def change(self) -> float | None:
        """By how many points the score has moved from the first that was given to the last; None where fewer
        than two were given, or the last run gave none."""
        given = [point.score for point in self.points if point.score is not None]
        return round(given[-1] - given[0], 1) if len(given) > 1 and self.last.score is not None else None


class AccountTrend(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one account, oldest first, `narrowed_to` the same, which is empty for all of it."""

    account: str
    narrowed_to: str
    runs: list[TrendRun]
    lines: list[TrendLine]

    @property
    def overall(self) -> TrendLine:
        return self.lines[0]

    @property
    def pillars(self) -> list[TrendLine]:
        return [line for line in self.lines if line.pillar and not line.pipeline]

    @property
    def pipelines(self) -> list[TrendLine]:
        """Those that the last run knew, worst first; what has no score comes last."""
        last = len(self.runs) - 1
        there = [x for x in self.lines if x.pipeline and not x.pillar and x.last.run == last]
        return sorted(there, key=lambda x: (101 if x.last.score is None else x.last.score, x.pipeline))

    @property
    def gone(self) -> list[TrendLine]:
        """Pipelines that the last run did not know."""
        last = len(self.runs) - 1
        return [x for x in self.lines if x.pipeline and not x.pillar and x.last.run != last]


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """The public document: `wa-audit trend --format json`."""

    format: str
    version: str
    accounts: list[AccountTrend]


def wanted(keys: Iterable[str], accounts: Iterable[str] = (), since: str = "") -> list[str]:
    """The keys of summaries among `keys`: of these accounts, or of all, since a day, `2026-10-05`."""
    chosen = set(accounts)
    found = []
    for key in keys:
        parts = dict(part.partition("=")[::2] for part in key.split("/")[1:-1])
        if not key.startswith(f"{RUNS}/") or not key.endswith(".jsonl"):
            continue
        if (not chosen or parts.get("account_id") in chosen) and parts.get("audit_date", "") >= since:
            found.append(key)
    return found


def of(summaries: Iterable[tuple[str, bytes]], place: str) -> Trend:
    """The trend of runs' summaries, each with its key; the same summaries give the same document.

    Raises:
        ConfigurationError: there is none, or one is not what a run writes; names it and its line.
    """
    groups: dict[tuple[str, str], dict[str, list[Scored]]] = defaultdict(lambda: defaultdict(list))
    for key, raw in summaries:
        for scored in _parsed(raw, f"{place}/{key}"):
            groups[scored.account, scored.narrowed_to][scored.run].append(scored)
    if not groups:
        raise ConfigurationError(f"{place}: holds no runs that were asked for; --history keeps them")
    accounts = [_account(*which, groups[which]) for which in sorted(groups)]
    return Trend(format=FORMAT, version=VERSION, accounts=accounts)


def earlier(summaries: Iterable[tuple[str, bytes]], place: str, narrowed_to: str) -> list[EarlierRun]:
    """The runs of one account's summaries that were judged as widely, as an audit tells them.

    Raises:
        ConfigurationError: a summary is not what a run writes.
    """
    heads = [_parsed(raw, f"{place}/{key}")[0] for key, raw in summaries]
    return [
        EarlierRun(
            run=head.run,
            finished=head.finished,
            score=head.score,
            coverage=head.coverage,
            failing=head.failed or 0,
            rulebook=head.rulebook,
        )
        for head in heads
        if head.narrowed_to == narrowed_to
    ]


def moment(finished: str) -> datetime.datetime:
    """When a run finished. Raises ValueError where that is no time."""
    found = datetime.datetime.fromisoformat(finished)
    if found.tzinfo is None:
        raise ValueError(f"{finished!r} has no time zone")
    return found


_decode = msgspec.json.Decoder(Scored).decode


def _parsed(raw: bytes, where: str) -> list[Scored]:
    found = []
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            scored = _decode(line)
            moment(scored.finished)
        except (msgspec.DecodeError, ValueError) as error:
            raise ConfigurationError(f"{where}, line {number}: not a run's summary: {error}") from None
        if scored.version.partition(".")[0] != VERSION.partition(".")[0]:
            raise ConfigurationError(
                f"{where}: version {scored.version}, this program reads {VERSION}; "
                "use the wa-audit that wrote it"
            )
        found.append(scored)
    if not found or found[0].pillar or found[0].pipeline:
        raise ConfigurationError(f"{where}: does not begin with the line of the whole account")
    return found


def _account(account: str, only: str, by_run: Mapping[str, list[Scored]]) -> AccountTrend:
    lines: dict[tuple[str, str], list[TrendPoint]] = {}
    runs: list[TrendRun] = []
    before: tuple[str, int] | None = None
    for number, (_, parts) in enumerate(sorted(by_run.items(), key=lambda run: (run[1][0].finished, run[0]))):
        head = parts[0]
        judged_by = (head.rulebook, head.rules)
        runs.append(
            TrendRun(
                run=head.run,
                finished=head.finished,
                complete=head.complete,
                resources=head.resources,
                rulebook=head.rulebook,
                rules=head.rules,
                other_rules=before not in (None, judged_by),
            )
        )
        before = judged_by
        for part in parts:
            lines.setdefault((part.pipeline, part.pillar), []).append(_point(number, part))
    order = {pillar.value: number for number, pillar in enumerate(Pillar)}
    made = [
        TrendLine(pillar=pillar, pipeline=pipeline, points=lines[pipeline, pillar])
        for pipeline, pillar in sorted(lines, key=lambda x: (x[0], order.get(x[1], -1), x[1]))
    ]
    return AccountTrend(account=account, narrowed_to=only, runs=runs, lines=made)


def _point(number: int, part: Scored) -> TrendPoint:
    unsure = (part.not_evaluated, part.errors)
    return TrendPoint(
        run=number,
        score=part.score,
        coverage=part.coverage,
        failing=part.failed or 0,
        undecided=None if None in unsure else sum(n or 0 for n in unsure),
        high_risk=part.high_risk,
        medium_risk=part.medium_risk,
    )
