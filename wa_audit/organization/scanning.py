"""One shard: an account is entered, read and judged, and what comes of it is written as one object.

Whatever stands in the way of one account stays with it: it is an outcome, which says what was refused.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wa_audit import collect as collecting
from wa_audit.model import ConfigurationError, CredentialsError, Pillar, Reason
from wa_audit.organization import outcomes
from wa_audit.organization.outcomes import Outcome, Refusal, State
from wa_audit.organization.shards import Shard
from wa_audit.text import visible

if TYPE_CHECKING:
    from wa_audit.collect.plan import Plan
    from wa_audit.inventory import Inventory
    from wa_audit.report.audit import Audit

_ENTER = "sts:AssumeRole"


def _never(_: object) -> None:
    """What is asked on the way where nobody stops the reading."""


class Reading(NamedTuple):
    """How accounts are read: what of each, through whose profile, and how far back metrics go, in days.

    Where `journal` is given, what is read is written down there, and `resume` takes up what it holds. Where
    `on_wait` raises `collect.OutOfTime`, the account is audited in part.
    """

    plan: Plan
    profile: str | None = None
    endpoint_url: str | None = None
    workers: int = 16
    metrics_days: int = 14
    journal: Path | None = None
    resume: bool = False
    on_wait: Callable[[object], None] = _never


def scan(
    shard: Shard, reading: Reading, judge: Callable[[Inventory], Audit], weights: Mapping[Pillar, float]
) -> tuple[Outcome, Audit | None]:
    """Audits one account as of the time at which its run was planned. `judge` makes the audit, `weights` are
    its rulebook's. An account that cannot be entered, or not be read, is an outcome too, without an audit."""
    try:
        found = _read(shard, reading)
    except CredentialsError as error:
        found = Refusal(error="credentials", message=visible(str(error)))
    except ConfigurationError as error:
        found = Refusal(error="configuration", message=visible(str(error)))
    if isinstance(found, Refusal):
        return outcomes.refused(shard, found), None
    audit = judge(found)
    return outcomes.of(shard, audit, dict(weights)), audit


def attempt(
    shard: Shard, reading: Reading, judge: Callable[[Inventory], Audit], weights: Mapping[Pillar, float]
) -> tuple[Outcome, Audit | None]:
    """As `scan`; whatever else goes wrong in one account among many is its outcome too, without the words of
    the error, which nobody has looked at for what they tell."""
    try:
        return scan(shard, reading, judge, weights)
    except Exception as error:
        broken = Refusal(error="internal", message=f"internal error: {type(error).__name__}")
        return outcomes.refused(shard, broken), None


def _read(shard: Shard, reading: Reading) -> Inventory | Refusal:
    from botocore.exceptions import BotoCoreError, ClientError

    from wa_audit.collect import errors
    from wa_audit.collect import session as sessions

    session = sessions.connect(
        profile=reading.profile,
        region=shard.regions[0],
        role_arn=shard.role_arn or None,
        external_id=shard.external_id or None,
        endpoint_url=reading.endpoint_url,
        workers=reading.workers,
    )
    try:
        session.enter()
    except (ClientError, BotoCoreError) as error:
        reason = errors.reason(error)
        words = visible(str(error).split("\n")[0])
        role = shard.role_arn or "the account's own credentials"
        return Refusal(
            error=str(reason),
            operation=_ENTER,
            action=_ENTER if reason is Reason.ACCESS_DENIED else "",
            message=f"{role} could not be taken on: {words}",
        )
    account = session.identity(shard.regions[0]).account
    if account != shard.account:
        message = f"the credentials are of account {account}, not of {shard.account}"
        return Refusal(error="other_account", operation="sts:GetCallerIdentity", message=message)
    try:
        return collecting.collect(
            session,
            reading.plan,
            shard.regions,
            workers=reading.workers,
            metrics_days=reading.metrics_days,
            journal=reading.journal,
            resume=reading.resume,
            as_of=shard.planned,
            on_wait=reading.on_wait,
        )
    except collecting.Interrupted as stopped:
        if reading.on_wait is _never:
            raise KeyboardInterrupt from None
        return stopped.inventory


def state(raw: bytes, what: str) -> State:
    """What an object says became of its shard; `raw` may be its footer alone, `what` names it in errors.

    Raises:
        ConfigurationError: it is no object of a shard.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(io.BytesIO(raw)).metadata or {}
    except (pa.ArrowException, OSError):
        raise ConfigurationError(f"{what}: is no Parquet file") from None
    return outcomes.decode(metadata.get(outcomes.KEY.encode(), b""), what).state


def left(shards: Iterable[Shard], kept: Iterable[str]) -> list[Shard]:
    """The shards of which nothing is among the keys that are kept."""
    there = frozenset(kept)
    return [shard for shard in shards if shard.key not in there]
