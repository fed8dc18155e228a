"""Two audits of one account compared: what is new, what was put right, and what can no longer be told.

A finding is the same in both where rule and resource are. The changes, each finding in one of them:

    new             fails, and did not before: the resource, the rule or the failure is new, or could not be
                    judged before (`before` says which)
    worse, better   fails in both, more or less severely
    open            fails in both, as severely
    fixed           failed, and passes
    suppressed      failed, and still does, but somebody has accepted it
    gone            failed, and is no longer there to be judged: the resource is not there, the rule does not
                    apply to it any more, or was not asked for
    not_evaluated   was judged, and could not be this time: never taken for fixed, nor for gone

Pure: the same two audits give the same comparison.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from wa_audit.model import ConfigurationError, Pillar, Severity, Status
from wa_audit.report.audit import Audit
from wa_audit.report.findings import FindingRow

FORMAT = "wa-audit-diff"
VERSION = "1.0"


class Change(StrEnum):
    """What became of a finding, in the order in which a reader wants to know."""

    NEW = "new"
    WORSE = "worse"
    NOT_EVALUATED = "not_evaluated"
    BETTER = "better"
    FIXED = "fixed"
    SUPPRESSED = "suppressed"
    GONE = "gone"
    OPEN = "open"


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding in both audits. `before` and `after` are a status each, or empty where it was not there.

    `message` is the newer audit's sentence, or the older one's where the newer has none; `why` says what
    kept a finding from being judged, or why it is no longer there.
    """

    id: str
    rule: str
    title: str
    pillar: Pillar
    resource: str
    type: str
    name: str
    region: str
    severity: Severity
    before: str
    after: str
    message: str
    severity_before: Severity | None = None
    why: str = ""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two audits, in a few figures. Shares are from 0 to 100, null where there is none."""

    finished: str
    score: float | None
    coverage: float | None
    failing: int
    rulebook: str
    complete: bool


class PillarChange(msgspec.Struct, frozen=True, kw_only=True):
    """A pillar's score and coverage, before and after; null where there is none."""

    pillar: Pillar
    title: str
    score_before: float | None
    score_after: float | None
    coverage_before: float | None
    coverage_after: float | None


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """The whole comparison. `counts` and `changes` are keyed by `Change`."""

    format: str
    version: str
    account: str
    old: Side
    new: Side
    same_rulebook: bool
    pillars: list[PillarChange]
    counts: dict[str, int]
    changes: dict[str, list[Row]]


def compare(old: Audit, new: Audit) -> Diff:
    """What has changed from one audit to another.

    Raises:
        ConfigurationError: they are of different accounts, and have nothing to do with each other.
    """
    if old.run.account != new.run.account:
        raise ConfigurationError(
            f"the audits are of two accounts, {old.run.account} and {new.run.account}; compare two of one"
        )
    before, after = _by_id(old), _by_id(new)
    unlisted = _Unlisted(new)
    changes: dict[str, list[Row]] = {change.value: [] for change in Change}
    for id_ in before.keys() | after.keys():
        for change, row in _changed(old, new, before.get(id_), after.get(id_), unlisted):
            changes[change].append(row)
    for rows in changes.values():
        rows.sort(key=lambda r: (r.severity.rank, list(Pillar).index(r.pillar), r.rule, r.resource, r.id))
    return Diff(
        format=FORMAT,
        version=VERSION,
        account=new.run.account,
        old=_side(old),
        new=_side(new),
        same_rulebook=old.rulebook.digest == new.rulebook.digest,
        pillars=[
            PillarChange(
                pillar=p.pillar,
                title=p.title,
                score_before=q.score,
                score_after=p.score,
                coverage_before=q.coverage,
                coverage_after=p.coverage,
            )
            for q, p in zip(old.pillars, new.pillars, strict=True)
        ],
        counts={change: len(rows) for change, rows in changes.items()},
        changes=changes,
    )


def _by_id(audit: Audit) -> dict[str, FindingRow]:
    return {finding.id: finding for finding in audit.findings}


class _Unlisted:
    """Which lists the newer audit could not read: what stood on them may still be there."""

    def __init__(self, audit: Audit) -> None:
        self._messages: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for finding in audit.findings:
            resource = audit.resources[finding.resource]
            if resource.name == "*" and finding.status is Status.NOT_EVALUATED:
                place = (finding.rule, resource.type)
                self._messages[place].append((resource.region, finding.message))

    def why(self, rule: str, type_: str, region: str) -> str:
        """The sentence on a list that could have held a resource of this type and region; empty for none."""
        for where, message in self._messages[rule, type_]:
            if where in ("", region) or not region:
                return message
        return ""


def _changed(
    old: Audit, new: Audit, before: FindingRow | None, after: FindingRow | None, unlisted: _Unlisted
) -> Iterator[tuple[Change, Row]]:
    """The change of one finding; none where it did not fail and does not, or never could be judged."""
    if after is not None and after.status is Status.FAIL:
        if before is None or before.status is not Status.FAIL:
            yield Change.NEW, _row(new, after, before, after)
        else:
            ranks = before.severity.rank, after.severity.rank
            change = Change.OPEN if ranks[0] == ranks[1] else max(zip(ranks, _WAYS, strict=True))[1]
            yield change, _row(new, after, before, after)
        return
    if before is None or before.status not in (Status.FAIL, Status.PASS):
        return
    if after is not None and after.status in (Status.NOT_EVALUATED, Status.ERROR):
        yield Change.NOT_EVALUATED, _row(new, after, before, after, why=after.message)
        return
    resource = old.resources[before.resource]
    if after is None and (why := _unseen(new, before, resource.type, resource.region, unlisted)):
        yield Change.NOT_EVALUATED, _row(old, before, before, None, why=why)
    elif before.status is Status.FAIL and after is None:
        why = "" if before.rule in new.rules else "the rule was not part of the newer audit"
        yield Change.GONE, _row(old, before, before, None, why=why or "the resource is no longer there")
    elif before.status is Status.FAIL and after is not None:
        change = _ENDINGS.get(after.status, Change.GONE)
        why = "the rule no longer applies" if change is Change.GONE else ""
        yield change, _row(new, after, before, after, why=why)


# The larger of two ranks is the milder severity: where that was before, it has become worse.
_WAYS = (Change.WORSE, Change.BETTER)


_ENDINGS = {Status.PASS: Change.FIXED, Status.SUPPRESSED: Change.SUPPRESSED}


def _unseen(new: Audit, before: FindingRow, type_: str, region: str, unlisted: _Unlisted) -> str:
    """Why a finding that is not in the newer audit may still hold; empty where it certainly does not."""
    if region and region not in new.run.regions:
        return f"{region} was not part of the newer audit"
    if new.run.only and before.rule in new.rules:
        return f"the newer audit judged only a part of the account: {', '.join(new.run.only)}"
    if not new.run.complete and before.rule in new.rules:
        return "the newer audit was stopped before its end"
    return unlisted.why(before.rule, type_, region)


def _row(
    audit: Audit, shown: FindingRow, before: FindingRow | None, after: FindingRow | None, *, why: str = ""
) -> Row:
    rule, resource = audit.rules[shown.rule], audit.resources[shown.resource]
    differs = before is not None and before.severity is not shown.severity
    return Row(
        id=shown.id,
        rule=shown.rule,
        title=rule.title if after is not None and after.status is Status.PASS else rule.failure_title,
        pillar=rule.pillar,
        resource=shown.resource,
        type=resource.type,
        name=resource.name,
        region=resource.region,
        severity=shown.severity,
        before=before.status if before else "",
        after=after.status if after else "",
        message=shown.message,
        severity_before=before.severity if before and differs else None,
        why=why,
    )


def _side(audit: Audit) -> Side:
    return Side(
        finished=audit.run.finished,
        score=audit.overall.score,
        coverage=audit.overall.coverage,
        failing=audit.overall.counts.get(Status.FAIL, 0),
        rulebook=audit.rulebook.digest,
        complete=audit.run.complete,
    )


def got_worse(diff: Diff, at_least: Iterable[Severity] = Severity) -> list[Row]:
    """What is new or worse, of these severities: what a gate refuses and a notice tells of."""
    wanted = set(at_least)
    return [r for c in (Change.NEW, Change.WORSE) for r in diff.changes[c] if r.severity in wanted]
