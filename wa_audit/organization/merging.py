"""What the accounts of one run come to: their objects are counted one by one in DuckDB, and pooled.

The score is that of `wa_audit.score`, over the findings of all accounts as if they were one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from wa_audit import score
from wa_audit.model import ConfigurationError, Pillar, Severity, Status
from wa_audit.organization import outcomes
from wa_audit.organization.outcomes import Outcome, Refusal, RuleFacts, State
from wa_audit.organization.shards import Shard
from wa_audit.report import organization as told
from wa_audit.score import Standing, Tally
from wa_audit.text import visible

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_PIPELINES = 1000


class Counts(NamedTuple):
    """An account's outcome, and its findings by rule, status and severity."""

    outcome: Outcome
    rows: list[tuple[str, str, str, int]]


def connect(scratch: Path, *, memory: str = "512MB", threads: int = 2) -> DuckDBPyConnection:
    """A DuckDB in memory that spills to `scratch`. Raises ConfigurationError where it is not installed."""
    try:
        import duckdb
    except ImportError:
        raise ConfigurationError("org merge needs DuckDB: pip install 'wa-audit[lake]'") from None
    return duckdb.connect(config={"memory_limit": memory, "threads": threads, "temp_directory": str(scratch)})


def count(database: DuckDBPyConnection, path: Path, what: str, run: str, account: str) -> Counts | str:
    """The counts of one object, or in one line why it cannot be read; `what` names it, and `run` and
    `account` are what it should be of.

    Raises:
        ConfigurationError: it has a finding twice, or not as many rows as its footer says.
    """
    import duckdb

    try:
        found = database.execute(
            "SELECT value FROM parquet_kv_metadata(?) WHERE key = ?::BLOB", [str(path), outcomes.KEY]
        ).fetchall()
        outcome = outcomes.decode(found[0][0] if found else b"", what)
        rows = database.execute(
            "SELECT rule, status, severity, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL",
            [str(path)],
        ).fetchall()
        ((ids,),) = database.execute(
            "SELECT count(DISTINCT finding_id) FROM read_parquet(?)", [str(path)]
        ).fetchall()
    except ConfigurationError as error:
        return str(error)
    except duckdb.Error as error:
        return f"{what}: cannot be read as Parquet: {type(error).__name__}"
    if (outcome.run, outcome.account) != (run, account):
        return f"{what}: is of account {outcome.account} in run {outcome.run}"
    if strange := _strange(outcome, rows):
        return f"{what}: {strange}"
    counted: Counter[str] = Counter()
    for _, status, _, number in rows:
        counted[status] += number
    said = Counter(outcome.overall.counts) if outcome.overall else Counter()
    if +counted != +said:
        raise ConfigurationError(f"{what}: has {_figures(counted)}, but its footer says {_figures(said)}")
    total = counted.total()
    if ids != total:
        raise ConfigurationError(f"{what}: account {outcome.account} has a finding twice")
    return Counts(outcome, rows)


def _strange(outcome: Outcome, rows: Iterable[tuple[str, str, str, int]]) -> str:
    """What in the rows is of no audit of ours; empty where nothing is."""
    for rule, status, severity, _ in rows:
        if rule not in outcome.rules:
            return f"has findings of {visible(str(rule))!r}, a rule that its footer does not know"
        if status not in list(Status) or severity not in list(Severity):
            return f"has findings of the status {visible(str(status))!r}, severity {visible(str(severity))!r}"
    return ""


def _figures(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {status}" for status, number in sorted((+counts).items())) or "no findings"


def merge(
    run: str,
    found: Iterable[Counts],
    unreadable: Iterable[tuple[str, str]] = (),
    planned: Sequence[Shard] = (),
    earlier: Iterable[told.Point] = (),
    passed_over: Iterable[str] = (),
) -> told.Organization:
    """The organization. `unreadable` are accounts with what was wrong with their objects, `passed_over` the
    files of the run that are no account's object.

    Raises:
        ConfigurationError: an account stands there twice, or two were not judged alike.
    """
    every = sorted(found, key=lambda counts: counts.outcome.account)
    for first, second in pairwise(every):
        if first.outcome.account == second.outcome.account:
            raise ConfigurationError(f"run {run} has account {first.outcome.account} twice")
    judged = [counts for counts in every if counts.outcome.state is not State.NOT_AUDITED]
    for counts in judged:
        if unlike := _unlike(judged[0].outcome, counts.outcome):
            one, other = judged[0].outcome.account, counts.outcome.account
            raise ConfigurationError(f"accounts {one} and {other} were judged {unlike}")
    absent = _absent(every, unreadable, planned)
    whole, pipelines = _pool(judged), _pipelines(judged)
    wastes = [c.outcome.waste for c in judged if c.outcome.waste is not None]
    return told.Organization(
        run=run,
        digest=judged[0].outcome.digest if judged else "",
        least_coverage=judged[0].outcome.least_coverage if judged else 0.0,
        audited=len(judged),
        planned=len(judged) + len(absent),
        overall=whole.overall,
        pillars=whole.pillars,
        units=_units(judged, absent),
        accounts=_accounts(judged),
        pipelines=pipelines[:MOST_PIPELINES],
        pipelines_total=len(pipelines),
        rules=_rules(judged),
        waste=round(sum(wastes), 2) if wastes else None,
        not_audited=absent,
        passed_over=sorted(passed_over),
        gaps=_gaps(judged),
        trend=sorted((p for p in earlier if p.run < run), key=lambda point: point.run),
    )


def _unlike(one: Outcome, other: Outcome) -> str:
    """How two accounts were not judged alike, so that their findings cannot be pooled; empty where they were.
    The digest is of the rulebook's files: what a command selects of it, it does not tell."""
    if one.digest != other.digest:
        return "by different rulebooks"
    if one.rules != other.rules:
        changed = sorted(
            name
            for name in one.rules.keys() | other.rules.keys()
            if one.rules.get(name) != other.rules.get(name)
        )
        return f"by different rules of one rulebook, {visible(changed[0])} for one"
    if one.least_coverage != other.least_coverage:
        return f"with different scoring, least_coverage {one.least_coverage:g} and {other.least_coverage:g}"
    if one.pillar_weights != other.pillar_weights:
        return "with different scoring, by their pillar_weights"
    return ""


def _pool(judged: Sequence[Counts]) -> Standing:
    counts: dict[str, Counter[Status]] = defaultdict(Counter)
    failures: dict[str, set[Severity]] = defaultdict(set)
    for one in judged:
        for rule, status, severity, number in one.rows:
            counts[rule][Status(status)] += number
            if status == Status.FAIL:
                failures[rule].add(Severity(severity))
    tallies = {
        name: Tally(
            pillar=rule.pillar,
            theme=rule.theme,
            severity=rule.severity,
            counts=counts[name],
            failures=failures[name],
        )
        for name, rule in sorted(_facts(judged).items())
    }
    first = judged[0].outcome if judged else None
    return score.pooled(
        tallies, first.pillar_weights if first else _EVEN, first.least_coverage if first else 0.0
    )


def _facts(judged: Iterable[Counts]) -> dict[str, RuleFacts]:
    """The rules that judged them."""
    return {name: rule for one in judged for name, rule in one.outcome.rules.items()}


_EVEN = dict.fromkeys(Pillar, 1.0)


def _worst(value: float | None) -> float:
    return 101.0 if value is None else value


def _accounts(judged: Sequence[Counts]) -> list[told.Account]:
    found = []
    for one in judged:
        standing, about = _pool([one]), one.outcome
        found.append(
            told.Account(
                account=about.account,
                name=about.name,
                unit=about.unit,
                partial=about.state is State.PARTIAL,
                overall=standing.overall,
                pillars=standing.pillars,
                waste=about.waste,
            )
        )
    return sorted(found, key=lambda account: (_worst(account.overall.score), account.account))


def _units(judged: Sequence[Counts], absent: Iterable[told.NotAudited]) -> list[told.Unit]:
    planned = Counter(path for account in absent for path in _paths(account.unit))
    below: dict[str, list[Counts]] = defaultdict(list)
    for one in judged:
        for path in _paths(one.outcome.unit):
            below[path].append(one)
    found = []
    for path in sorted(below.keys() | planned.keys()):
        accounts = below.get(path, [])
        standing = _pool(accounts)
        found.append(
            told.Unit(
                path=path,
                audited=len(accounts),
                planned=len(accounts) + planned[path],
                overall=standing.overall,
                pillars=standing.pillars,
            )
        )
    return found


def _paths(unit: str) -> Iterator[str]:
    """The unit and all above it; an account whose unit is not known stands in a row of its own, named ""."""
    parts = unit.split("/")
    for end in range(1, len(parts) + 1):
        yield "/".join(parts[:end])


def _pipelines(judged: Sequence[Counts]) -> list[told.Pipeline]:
    found = [
        told.Pipeline(account=one.outcome.account, **msgspec.structs.asdict(pipeline))
        for one in judged
        for pipeline in one.outcome.pipelines
    ]
    return sorted(found, key=lambda p: (_worst(p.score), -p.high_risk, p.account, p.name))


def _rules(judged: Sequence[Counts]) -> list[told.Rule]:
    failing: Counter[str] = Counter()
    accounts: dict[str, set[str]] = defaultdict(set)
    for one in judged:
        for rule, status, _, number in one.rows:
            if status == Status.FAIL:
                failing[rule] += number
                accounts[rule].add(one.outcome.account)
    facts = _facts(judged)
    found = [
        told.Rule(
            rule=name,
            title=facts[name].title,
            pillar=facts[name].pillar,
            severity=facts[name].severity,
            accounts=len(accounts[name]),
            failing=number,
        )
        for name, number in failing.items()
    ]
    return sorted(found, key=lambda r: (-r.accounts, -r.failing, r.rule))


def _absent(
    every: Sequence[Counts], unreadable: Iterable[tuple[str, str]], planned: Sequence[Shard]
) -> list[told.NotAudited]:
    names = {shard.account: shard for shard in planned}
    found = {}
    for account, message in unreadable:
        why = Refusal(error="unreadable", message=message)
        found[account] = _not_audited(account, names.get(account), why)
    for about in (counts.outcome for counts in every):
        if about.state is State.NOT_AUDITED:
            why = about.refusal or Refusal(error="unknown", message="its object does not say why")
            found[about.account] = _not_audited(about.account, about, why)
    there = {counts.outcome.account for counts in every} | set(found)
    for account, shard in names.items():
        if account not in there:
            why = Refusal(error="never scanned", message="no object was written for it")
            found[account] = _not_audited(account, shard, why)
    return [found[account] for account in sorted(found)]


def _not_audited(account: str, about: Shard | Outcome | None, why: Refusal) -> told.NotAudited:
    return told.NotAudited(
        account=account,
        name=about.name if about else "",
        unit=about.unit if about else "",
        reason=why.error,
        operation=why.operation,
        action=why.action,
        message=why.message,
    )


def _gaps(judged: Sequence[Counts]) -> list[told.Missing]:
    findings: Counter[tuple[str, str]] = Counter()
    accounts: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in judged:
        for gap in one.outcome.gaps:
            key = (gap.action, gap.operation)
            findings[key] += gap.findings
            accounts[key].add(one.outcome.account)
    found = [
        told.Missing(action=key[0], operation=key[1], accounts=len(accounts[key]), findings=number)
        for key, number in findings.items()
    ]
    return sorted(found, key=lambda g: (-g.findings, g.action, g.operation))
