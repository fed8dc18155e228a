"""organization.json: what the accounts of one run come to. Figures as in audit.json; waste in USD a month."""

from __future__ import annotations

import msgspec

from wa_audit.model import Pillar, Severity
from wa_audit.report import documents
from wa_audit.score import Score

VERSION = "1.0"


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """An organizational unit with all below it: how many of its accounts were audited, of how many."""

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
    """An earlier run."""

    run: str
    score: float | None
    coverage: float | None
    audited: int
    planned: int


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """`pipelines` holds the worst alone, of `pipelines_total`; `waste` is None where none is known;
    `passed_over` are the keys of the files of the run that are no account's object, and were not counted."""

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
    passed_over: list[str] = []


def schema() -> bytes:
    """The JSON Schema of organization.json."""
    return documents.schema(Organization, f"wa-audit organization.json, version {VERSION}")
