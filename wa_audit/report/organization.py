"""organization.json: what the accounts of one run come to. Figures as in audit.json; waste in USD a month."""

from __future__ import annotations

import msgspec

from wa_audit.model import Pillar, Severity, Status
from wa_audit.report import documents
from wa_audit.score import Score

VERSION = "1.1"


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """An organizational unit with all below it: how many of its accounts were audited, of how many. The one
    with an empty `path` is none: the accounts whose unit is not known."""

    path: str
    audited: int
    planned: int
    overall: Score
    pillars: dict[Pillar, Score]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    name: str
    unit: str
    partial: bool
    overall: Score
    pillars: dict[Pillar, Score]
    waste: float | None


class PipelineScore(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline of an account; figures as in audit.json."""

    name: str
    score: float | None
    coverage: float | None
    high_risk: int
    medium_risk: int
    failing: int
    weakest: str


class Pipeline(PipelineScore, frozen=True, kw_only=True):
    account: str


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with failures: in how many accounts, and how many."""

    rule: str
    title: str
    pillar: Pillar
    severity: Severity
    accounts: int
    failing: int


class NotAudited(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    name: str
    unit: str
    reason: str
    operation: str
    action: str
    message: str


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """An action, or an operation where there is none, without which findings could not be made."""

    action: str
    operation: str
    accounts: int
    findings: int


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier run. Until version 1.1 a point had neither risks nor failures, nor its rulebook's digest."""

    run: str
    score: float | None
    coverage: float | None
    audited: int
    planned: int
    high_risk: int | None = None
    medium_risk: int | None = None
    failing: int | None = None
    digest: str = ""


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """`pipelines` holds the worst alone, of `pipelines_total`; `waste` is None where none is known;
    under `least_coverage` no score is given; `passed_over` are the keys of the files of the run that are no
    account's object, and were not counted."""

    version: str = VERSION
    run: str
    digest: str
    audited: int
    planned: int
    overall: Score
    pillars: dict[Pillar, Score]
    units: list[Unit]
    accounts: list[Account]
    pipelines: list[Pipeline]
    pipelines_total: int
    rules: list[Rule]
    waste: float | None
    not_audited: list[NotAudited]
    gaps: list[Missing]
    trend: list[Point]
    least_coverage: float = 0.0
    passed_over: list[str] = []


def point(past: Organization) -> Point:
    """An organization as a later one's trend has it."""
    return Point(
        run=past.run,
        score=past.overall.score,
        coverage=past.overall.coverage,
        audited=past.audited,
        planned=past.planned,
        high_risk=past.overall.high_risk,
        medium_risk=past.overall.medium_risk,
        failing=past.overall.counts.get(Status.FAIL, 0),
        digest=past.digest,
    )


def schema() -> bytes:
    """The JSON Schema of organization.json."""
    return documents.schema(Organization, f"wa-audit organization.json, version {VERSION}")
