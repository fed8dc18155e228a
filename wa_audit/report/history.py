"""What is kept of each run, so that audits of many days make one table.

    findings/account_id=123456789012/audit_date=2026-10-05/20261005T120003Z-5c1d0f7a9b3e.parquet
    runs/account_id=123456789012/audit_date=2026-10-05/20261005T120003Z-5c1d0f7a9b3e.jsonl

The first is the flat table with the column `run` at its end, the second the run's summary: a line of JSON for
the whole account, for each pillar, each pipeline and each pillar of each pipeline. A run is called by when it
finished and by what the audit holds, so that the same audit is the same two files of the same bytes however
often it is kept, and no other run's are ever touched. Nothing but the audit is in it.

The columns of both are public, as those of `flat.COLUMNS` are: they keep their names, and new ones come at
the end. `account_id` and `audit_date` are in the paths alone, as Hive's partitions are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec

from wa_audit.model import ConfigurationError, Status
from wa_audit.report import audit as audits
from wa_audit.report.audit import Audit, OverallScore, PillarScore
from wa_audit.report.flows import PipelineFacts, PipelinePillar

FINDINGS, RUNS = "findings", "runs"
VERSION = "1.0"

_ACCOUNT = re.compile(r"\d{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")

_Share = Annotated[float, msgspec.Meta(ge=0, le=100)]


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a run's summary: a part of an account, and how it scored.

    pillar, pipeline: which part; both are empty for the whole account, and both are set for a pipeline's
                share in a pillar.
    score, coverage: 0 to 100; null where nothing was judged, and the score also where too little was read.
    passed … suppressed: findings by status; of a pipeline's share in a pillar only `failed` is known.
    complete:   whether the reading came to its end.
    narrowed_to: what the judging was narrowed to; empty for all.
    rulebook, rules: the digest of the rulebook, and how many of its rules were asked.
    """

    version: str
    run: str
    account: str
    finished: str
    pillar: str
    pipeline: str
    score: _Share | None
    coverage: _Share | None
    high_risk: int
    medium_risk: int
    passed: int | None
    failed: int | None
    not_applicable: int | None
    not_evaluated: int | None
    errors: int | None
    suppressed: int | None
    complete: bool
    narrowed_to: str
    rulebook: str
    rules: int
    resources: int


COLUMNS = Scored.__struct_fields__

_COUNTS = {
    "passed": Status.PASS,
    "failed": Status.FAIL,
    "not_applicable": Status.NOT_APPLICABLE,
    "not_evaluated": Status.NOT_EVALUATED,
    "errors": Status.ERROR,
    "suppressed": Status.SUPPRESSED,
}


def name(audit: Audit) -> str:
    """The run's name: when it finished, and the first of the SHA-256 of its audit.json.

    Raises:
        ConfigurationError: the audit does not say of which account it is, or when it finished.
    """
    if not _ACCOUNT.fullmatch(audit.run.account):
        raise ConfigurationError(f"--history: {audit.run.account!r} is not an account's 12 digits")
    if not _TIME.fullmatch(audit.run.finished):
        raise ConfigurationError(
            f"--history: the audit finished at {audit.run.finished!r}, which is not a time in UTC"
        )
    digest = hashlib.sha256()
    # What it is beside is not what it holds: kept again, it is the same run.
    for part in audits.render(msgspec.structs.replace(audit, earlier=[])):
        digest.update(part)
    return re.sub(r"[:-]", "", audit.run.finished[:19]) + f"Z-{digest.hexdigest()[:12]}"


def files(audit: Audit) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The files to keep of an audit, each with its key; the summary comes last, and says that all is there.

    Raises:
        ConfigurationError: see `name`.
    """
    from wa_audit.report import parquet

    run = name(audit)
    partition = f"account_id={audit.run.account}/audit_date={audit.run.finished[:10]}"
    yield f"{FINDINGS}/{partition}/{run}.parquet", parquet.render(audit, run=run)
    yield f"{RUNS}/{partition}/{run}.jsonl", _lines(audit, run)


def _lines(audit: Audit, run: str) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    for line in scores(audit, run):
        yield encode(line) + b"\n"


def scores(audit: Audit, run: str) -> Iterator[Scored]:
    """The lines of a run's summary: the account, its pillars, its pipelines, and their pillars."""
    yield _scored(audit, run, audit.overall, counts=audit.overall.counts)
    for pillar in audit.pillars:
        yield _scored(audit, run, pillar, counts=pillar.counts, pillar=pillar.pillar)
    for pipeline in audit.pipelines:
        yield _scored(audit, run, pipeline, counts=pipeline.counts, pipeline=pipeline.name)
        for share in pipeline.pillars:
            known = {str(Status.FAIL): share.failing}
            yield _scored(audit, run, share, counts=known, pillar=share.pillar, pipeline=pipeline.name)


def _scored(
    audit: Audit,
    run: str,
    part: OverallScore | PillarScore | PipelineFacts | PipelinePillar,
    *,
    counts: Mapping[str, int],
    pillar: str = "",
    pipeline: str = "",
) -> Scored:
    return Scored(
        version=VERSION,
        run=run,
        account=audit.run.account,
        finished=audit.run.finished,
        pillar=str(pillar),
        pipeline=pipeline,
        score=part.score,
        coverage=part.coverage,
        high_risk=part.high_risk,
        medium_risk=part.medium_risk,
        complete=audit.run.complete,
        narrowed_to=", ".join(audit.run.only),
        rulebook=audit.rulebook.digest,
        rules=audit.rulebook.rules,
        resources=audit.run.resources,
        **{column: counts.get(status) for column, status in _COUNTS.items()},
    )
