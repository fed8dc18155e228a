"""What comes of a shard: one Parquet file, whose rows are findings, and whose footer says all the rest.

The columns are `flat.COLUMNS`; under `KEY` in the file's own metadata stands an `Outcome` as JSON. Nothing in
it depends on when a shard was read, how often, or how many calls it took, so that a shard read again over the
same account is the same bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import msgspec

from wa_audit import __version__
from wa_audit.model import ConfigurationError, Pillar, Severity
from wa_audit.organization.shards import Shard
from wa_audit.report.audit import Audit, OverallScore, PillarScore
from wa_audit.report.gaps import Unread
from wa_audit.report.organization import PipelineScore

KEY = "wa-audit"
VERSION = "1.0"


class State(enum.StrEnum):
    """`audited`: wholly; `partial`: the reading was stopped before its end; `not_audited`: not entered."""

    AUDITED = "audited"
    PARTIAL = "partial"
    NOT_AUDITED = "not_audited"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account was not audited: the kind of error, the call that failed and the IAM action that it
    needs, both empty where it was none, and one sentence."""

    error: str
    operation: str = ""
    action: str = ""
    message: str


class RuleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule counts for when accounts are scored together."""

    pillar: Pillar
    theme: str
    severity: Severity
    title: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a shard came to.

    digest, rules, least_coverage, pillar_weights: of the rulebook that judged it, empty where nothing did.
    waste: USD a month that its failures waste, as far as it is known; None where nothing could be estimated.
    """

    version: str = VERSION
    tool: str = f"wa-audit {__version__}"
    run: str
    account: str
    name: str
    unit: str
    regions: tuple[str, ...]
    state: State
    refusal: Refusal | None = None
    resources: int = 0
    digest: str = ""
    least_coverage: float = 0.0
    pillar_weights: dict[Pillar, float] = {}
    rules: dict[str, RuleFacts] = {}
    overall: OverallScore | None = None
    pillars: list[PillarScore] = []
    pipelines: list[PipelineScore] = []
    gaps: list[Unread] = []
    waste: float | None = None


def of(shard: Shard, audit: Audit, pillar_weights: dict[Pillar, float]) -> Outcome:
    """The outcome of a shard that was audited, wholly or in part."""
    about = _about(shard)
    return Outcome(
        **about,
        state=State.AUDITED if audit.run.complete else State.PARTIAL,
        resources=audit.run.resources,
        digest=audit.rulebook.digest,
        least_coverage=audit.rulebook.least_coverage,
        pillar_weights=dict(pillar_weights),
        rules={
            name: RuleFacts(pillar=rule.pillar, theme=rule.theme, severity=rule.severity, title=rule.title)
            for name, rule in audit.rules.items()
        },
        overall=audit.overall,
        pillars=audit.pillars,
        pipelines=[
            PipelineScore(
                name=pipeline.name,
                score=pipeline.score,
                coverage=pipeline.coverage,
                high_risk=pipeline.high_risk,
                medium_risk=pipeline.medium_risk,
                failing=sum(share.failing for share in pipeline.pillars),
                weakest=pipeline.weakest,
            )
            for pipeline in audit.pipelines
        ],
        gaps=audit.gaps,
        waste=None if audit.money is None else audit.money.total.usd,
    )


def refused(shard: Shard, refusal: Refusal) -> Outcome:
    """The outcome of a shard that was not audited."""
    return Outcome(**_about(shard), state=State.NOT_AUDITED, refusal=refusal)


def render(outcome: Outcome, audit: Audit | None) -> Iterator[bytes]:
    """The file; without an audit, one without rows."""
    from wa_audit.report import parquet  # and with it Arrow, which merging does without

    encoded = msgspec.json.encode(outcome, order="sorted")
    return parquet.render(audit, metadata={KEY: encoded.decode()})


def decode(raw: bytes | str, what: str) -> Outcome:
    """An outcome out of a file's metadata; `what` names the file in errors.

    Raises:
        ConfigurationError: it is none, or one of another version.
    """
    try:
        found = msgspec.json.decode(raw, type=Outcome)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{what}: holds no outcome of a shard: {error}") from None
    if found.version.partition(".")[0] != VERSION.partition(".")[0]:
        raise ConfigurationError(f"{what}: is of version {found.version}, which this wa-audit does not read")
    return found


def footer(tail: bytes) -> int:
    """How many bytes at the end of a Parquet file are its footer, by the last of them; 0 of what is none.

    https://parquet.apache.org/docs/file-format/: the metadata, four bytes with its length, and PAR1.
    """
    return int.from_bytes(tail[-8:-4], "little") + 8 if tail.endswith(b"PAR1") else 0


def _about(shard: Shard) -> dict[str, Any]:
    return {
        "run": shard.run,
        "account": shard.account,
        "name": shard.name,
        "unit": shard.unit,
        "regions": shard.regions,
    }
