"""The functions of a run over an organization in AWS, which a state machine calls: deploy/organization.yaml.

    plan     lists the accounts, and writes organizations/RUN/shards.json
    scan     audits the accounts of a batch, and writes one object for each
    merge    puts the objects of a run together

All of them do what `wa-audit org` does, with the same bytes. The state machine hands the output of one call
to the next: what `scan` returns is the event of the call that goes on from there.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from wa_audit import invocation
from wa_audit.model import ConfigurationError
from wa_audit.organization.shards import Shard
from wa_audit.text import key_value

if TYPE_CHECKING:
    from wa_audit.collect.plan import Plan
    from wa_audit.organization.outcomes import State
    from wa_audit.organization.scanning import Reading
    from wa_audit.rulebook import Rulebook
    from wa_audit.stores import Bucket

# -- plan ------------------------------------------------------------------------------------------


class Planning(invocation.Kept, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which accounts are read. Fields come from event and environment, see `invocation.settings`.

    started: when the run began, ISO 8601 in UTC, as Step Functions says of its execution: a plan that is made
        again is the same run.
    regions, all_regions, role_name, external_id: as the flags of `wa-audit org plan`.
    units, no_units, accounts, no_accounts: its --include-unit, --exclude-unit, --account, --exclude-account;
        `tags` its --account-tag, each KEY=VALUE.
    """

    started: str
    regions: tuple[str, ...] = ()
    all_regions: bool = False
    role_name: str = "wa-audit"
    external_id: str = ""
    units: tuple[str, ...] = ()
    no_units: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    no_accounts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@invocation.told
def plan(event: Any, context: invocation.Context) -> invocation.Answer:
    """Writes shards.json; says where it lies, and of how many accounts.

    Raises:
        WaAuditError: the accounts could not be listed, or shards.json not be written.
    """
    from wa_audit.collect import session as sessions
    from wa_audit.organization import ORGANIZATIONS, planning, shards

    asked = invocation.settings(Planning, event, os.environ)
    run = _run_of(asked.started)
    found = planning.plan(
        sessions.connect(
            region=asked.regions[0] if asked.regions else None,
            endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),
        ),
        asked.regions,
        planning.Choice(asked.units, asked.no_units, asked.accounts, asked.no_accounts, _pairs(asked.tags)),
        run=run,
        all_regions=asked.all_regions,
        role_name=asked.role_name,
        external_id=asked.external_id,
    )
    place = invocation.place(asked)
    key = f"{ORGANIZATIONS}/{run}/shards.json"
    place.write(key, [shards.render(found.shards)], over=True)
    figures = {"run": run, "accounts": len(found.shards), "inactive": found.inactive}
    invocation.log(status="planned", **figures)
    # A Distributed Map reads the object by its whole key; `merge` by the one under the prefix.
    return {**figures, "bucket": place.bucket, "key": place.prefix + key, "shards": key}


def _run_of(started: str) -> str:
    import datetime

    try:
        when = datetime.datetime.fromisoformat(started)
        if when.tzinfo is None:
            raise ValueError("it names no time zone")
    except ValueError as error:
        raise ConfigurationError(f"the event: 'started' is no time as ISO 8601 has it: {error}") from None
    return when.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def _pairs(tags: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = {tag: key_value(tag) for tag in tags}
    if wrong := [tag for tag, pair in found.items() if pair is None]:
        raise ConfigurationError(f"the event and the environment: the tag {wrong[0]!r} is not KEY=VALUE")
    return tuple(sorted(filter(None, found.values())))


# -- scan ------------------------------------------------------------------------------------------


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts of one call, as a Distributed Map batches them, and as a call before this one left them.

    shards:       the accounts that are still to be audited.
    settings:     what the batch is given beside, and gives on: nothing that `scan` looks at.
    invocation:   which call of this batch it is.
    continuation: key of what a call before this one has read of the first account.
    """

    shards: list[Shard] = msgspec.field(name="Items")
    settings: dict[str, Any] = msgspec.field(name="BatchInput", default_factory=dict)
    invocation: int = 1
    continuation: str = ""


@invocation.told
def scan(event: Any, context: invocation.Context) -> invocation.Answer:
    """Audits the accounts of a batch, each by itself. An account whose object is there, and whole, is not
    read again, so that a call that is made twice changes nothing.

    With a minute left it says in `Items` which accounts are left, and in `continuation` where that lies which
    has been read of the first of them; its object is marked as audited in part until then. A call that was
    ended from outside is made again with the accounts in another order, so that one which takes its memory
    away touches no other.

    Raises:
        WaAuditError: an object could not be written, or the event is no batch.
    """
    settings = invocation.settings(invocation.Reads, {}, os.environ)
    batch, attempt = _batch(event)
    place = invocation.place(settings)
    states = Counter[str]()
    left: list[Shard] = []
    for shard in batch.shards:
        kept = _kept(place, shard)
        states.update([kept] if kept else [])
        left += [] if kept else [shard]
    turn = attempt % len(left) if left and not batch.continuation else 0
    left = left[turn:] + left[:turn]
    token = batch.continuation if left and left[0] == batch.shards[0] else ""
    while left and invocation.has_time(context):
        state, token = _audit(left[0], settings, place, token, context)
        if token:
            break
        states[state] += 1
        del left[0]
    figures = {"invocation": batch.invocation, "left": len(left), **dict(sorted(states.items()))}
    invocation.log(status="scanned", run=batch.shards[0].run, **figures)
    following = Batch(
        shards=left, settings=batch.settings, invocation=batch.invocation + 1, continuation=token
    )
    return {**msgspec.to_builtins(following), "states": dict(sorted(states.items()))}


def _batch(event: Any) -> tuple[Batch, int]:
    """The batch, and how often Step Functions has made this call before. A map without batches hands over an
    account alone."""
    given = event if isinstance(event, dict) else {}
    attempt = given.get("attempt", 0)
    found = given.get("batch", {})
    try:
        batch = msgspec.convert(found if "Items" in found else {"Items": [found]}, Batch)
    except (msgspec.ValidationError, TypeError) as error:
        raise ConfigurationError(f"the event: 'batch' is no batch of shards: {error}") from None
    if not batch.shards:
        raise ConfigurationError("the event: 'batch' has no shards")
    if not isinstance(attempt, int):
        raise ConfigurationError(f"the event: 'attempt' is {attempt!r}, not a number")
    return batch, attempt


def _kept(place: Bucket, shard: Shard) -> State | None:
    """What the account's object says, where it is there and need not be made again."""
    from wa_audit import assembly
    from wa_audit.organization.outcomes import State

    there = [key for key in place.keys(shard.key.rpartition("/")[0]) if key == shard.key]
    return next((state for state in assembly.states(place, there) if state is State.AUDITED), None)


def _audit(
    shard: Shard, settings: invocation.Reads, place: Bucket, continuation: str, context: invocation.Context
) -> tuple[State, str]:
    """Writes the account's object; its state, and where that lies which has been read, if time ran out."""
    from functools import partial

    from wa_audit import wiring
    from wa_audit.organization import SHARDS, scanning
    from wa_audit.organization.outcomes import State, render

    book, plan = _prepared(settings)
    judge = partial(wiring.assess, book=book, judging=wiring.Judging.of_everything())

    with tempfile.TemporaryDirectory(prefix="wa-audit-") as folder:
        journal = Path(folder) / "journal.jsonl"
        if continuation:
            ((_, read),) = place.read([continuation])
            journal.write_bytes(read)
        reading = _reading(plan, settings)._replace(
            journal=journal,
            resume=bool(continuation),
            on_wait=invocation.until_time_is_out(context),
        )
        outcome, audit = scanning.attempt(shard, reading, judge, book.pillar_weights)
        place.write(shard.key, render(outcome, audit), over=True)
        if outcome.state is not State.PARTIAL or invocation.has_time(context):
            return outcome.state, ""
        token = f"continuations/{SHARDS}/run={shard.run}/account_id={shard.account}.jsonl"
        place.write(token, [journal.read_bytes()], over=True)
        return outcome.state, token


def _reading(plan: Plan, settings: invocation.Reads) -> Reading:
    from wa_audit.organization.scanning import Reading

    return Reading(
        plan,
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),
        workers=settings.workers,
        metrics_days=settings.metrics_days,
    )


@cache
def _prepared(settings: invocation.Reads) -> tuple[Rulebook, Plan]:
    """What a process makes once, and keeps from call to call."""
    from wa_audit import report

    report.check(("parquet",))
    return invocation.prepared(settings)


# -- merge -----------------------------------------------------------------------------------------


class Merging(invocation.Kept, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is put together. Fields come from event and environment, see `invocation.settings`.

    run, shards: which run, and the key of its shards.json.
    namespace: of the metrics in CloudWatch.
    topic: ARN of an SNS topic that is told where the score fell, or fewer accounts were audited than before.
    """

    run: str
    shards: str
    namespace: str = "wa-audit"
    topic: str = ""


@invocation.told
def merge(event: Any, context: invocation.Context) -> invocation.Answer:
    """Writes organization.json and organization.html; says in figures what the accounts come to.

    Raises:
        WaAuditError: the objects cannot be put together, or the reports not be written.
    """
    from wa_audit import assembly, publishing
    from wa_audit.organization import shards

    asked = invocation.settings(Merging, event, os.environ)
    place = invocation.place(asked)
    ((_, raw),) = place.read([asked.shards])
    what = f"{place.place}/{asked.shards}"
    whole = assembly.assemble(place, asked.run, shards.parse(raw, what), what)
    reports = [f"{place.place}/{key}" for key in assembly.write(place, whole)]
    for line in publishing.organization_metrics(whole, asked.namespace):
        invocation.line(line)
    if asked.topic and publishing.got_worse(whole):
        publishing.tell_of_organization(asked.topic, whole, reports[-1])
    figures = {
        "run": whole.run,
        "score": whole.overall.score,
        "coverage": whole.overall.coverage,
        "audited": whole.audited,
        "planned": whole.planned,
        "reports": reports,
    }
    invocation.log(status="merged", **figures)
    return figures
