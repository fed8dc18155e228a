"""`wa-audit org scan`: the accounts of shards.json, each audited by itself, in processes of this machine."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import active_children, get_context
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from wa_audit import flags, wiring

if TYPE_CHECKING:
    from wa_audit.collect.plan import Plan
    from wa_audit.organization.outcomes import Outcome, State
    from wa_audit.organization.shards import Shard
    from wa_audit.report.audit import Audit
    from wa_audit.rulebook import Rulebook
    from wa_audit.tomlfile import Document

# Passes over what is left in which a process was killed and no account came to its end.
_MOST_IN_VAIN = 3


class Job(NamedTuple):
    """What every process is told: where to write, by which rules to judge, and how to read. `options` are
    those of the rulebook and of what is read only where it is asked for, as the command got them;
    `configured` is the configuration."""

    place: str
    options: dict[str, Any]
    configured: Document | None
    profile: str | None
    endpoint_url: str | None
    workers: int
    metrics_days: int
    over: bool

    def prepared(self) -> Prepared:
        """Raises ConfigurationError or UsageError where rules or options are not what they should be."""
        options = dict(self.options)
        book = wiring.load_rulebook(options, self.configured)
        plan = wiring.affordable(wiring.make_plan(book, tags=False), options)
        return Prepared(self, book, plan)


class Prepared(NamedTuple):
    """A job with what is made of it once a process."""

    job: Job
    book: Rulebook
    plan: Plan


class Told(NamedTuple):
    """What became of an account."""

    account: str
    state: State
    message: str


@click.command(epilog=flags.ORGANIZATION_EXIT_CODES)
@click.argument("shards", metavar="SHARDS.JSON")
@flags.organization
@flags.accounts
@flags.parallel
@flags.again
@flags.profile
@flags.endpoint_url
@flags.workers
@flags.no_progress
@flags.asked
@flags.metrics
@flags.rulebook
@flags.common
def scan(
    shards: str,
    place: str,
    accounts: Sequence[str],
    parallel: int,
    again: bool,
    no_progress: bool,
    metrics_days: int,
    no_metrics: bool,
    workers: int,
    profile: str | None,
    endpoint_url: str | None,
    **options: Any,
) -> None:
    """Audit every account that SHARDS.JSON names, and write one object of findings for each. It is a file, or
    an object s3://BUCKET/KEY.

    An account whose object is there is not read again, so that a run that was stopped goes on where it was.
    One that cannot be entered gets an object that says why, and touches no other.
    """
    from wa_audit import assembly, report, stores
    from wa_audit.model import InterruptedRunError
    from wa_audit.organization import scanning
    from wa_audit.organization.outcomes import State
    from wa_audit.organization.shards import folder

    named = _chosen(assembly.planned(shards, profile=profile, endpoint_url=endpoint_url), accounts, shards)
    days = 0 if no_metrics else metrics_days
    configured = flags.configuration().document
    job = Job(place, options, configured, profile, endpoint_url, workers, days, again)
    job.prepared()  # a mistake in the rules is told once, and before any account is read
    report.need("parquet", "org scan")
    store = stores.at(place, profile=profile, endpoint_url=endpoint_url)
    store.check()
    wanted = {shard.key for shard in named}
    there = [key for key in store.keys(folder(named[0].run)) if key in wanted]
    kept = dict(zip(there, assembly.states(store, there), strict=True))
    if again:
        kept = {key: state for key, state in kept.items() if state is State.AUDITED}
    left = scanning.left(named, kept)
    try:
        counts = Counter([*kept.values(), *_all(left, job, parallel, quiet=no_progress)])
    except KeyboardInterrupt:
        raise InterruptedRunError(
            f"interrupted; {store.place} holds what was done; the same command goes on from there"
        ) from None
    click.echo(
        f"{counts[State.AUDITED]} of {len(named)} accounts audited, {counts[State.PARTIAL]} in part, "
        f"{counts[State.NOT_AUDITED]} not; kept in {store.place}"
    )
    if counts[State.AUDITED] < len(named):
        click.get_current_context().exit(4)


def _chosen(shards: list[Shard], accounts: Sequence[str], what: str) -> list[Shard]:
    """Those of these accounts; all, where none is named."""
    from wa_audit.model import ConfigurationError

    for account in accounts:
        if not any(shard.account == account for shard in shards):
            raise ConfigurationError(f"--account: {what} names no account {account!r}")
    return [shard for shard in shards if not accounts or shard.account in accounts]


def _all(shards: Sequence[Shard], job: Job, parallel: int, *, quiet: bool) -> Iterator[State]:
    """Audits the shards, and says of each on stderr what became of it.

    A process that ends without an answer, killed for its memory for one, takes its pool with it: what is left
    goes to a new one. Where nothing comes of that any more, what is left is not audited.
    """
    left = {shard.account: shard for shard in shards}
    in_vain = 0
    while left and in_vain < _MOST_IN_VAIN:
        found = 0
        for told in _pass(left.values(), job, parallel):
            found += 1
            del left[told.account]
            if not quiet or told.message:
                wiring.say(
                    ": ".join(filter(None, (told.account, told.state.replace("_", " "), told.message)))
                )
            yield told.state
        in_vain = 0 if found else in_vain + 1
    for shard in left.values():
        yield _given_up(shard, job).state


def _pass(shards: Iterable[Shard], job: Job, parallel: int) -> Iterator[Told]:
    """What came of the shards, until a process is killed."""
    with ProcessPoolExecutor(parallel, get_context("spawn"), _begin, (job,)) as pool:
        futures = [pool.submit(_one, shard) for shard in list(shards)]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            return
        except BaseException:
            for process in active_children():
                process.terminate()
            raise


def _given_up(shard: Shard, job: Job) -> Told:
    from wa_audit.organization.outcomes import Refusal, refused

    message = f"the process that read it was killed {_MOST_IN_VAIN} times"
    wiring.say(f"{shard.account}: not audited: {message}")
    return _keep(shard, job, refused(shard, Refusal(error="killed", message=message)), None)


_prepared: list[Prepared] = []
"""What this process was told: of a process of the pool alone."""


def _begin(job: Job) -> None:
    """Prepares a process of the pool. Ctrl-C goes to the whole group, and is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prepared[:] = [job.prepared()]


def _one(shard: Shard) -> Told:
    """Audits a shard in a process of the pool. Whatever else goes wrong there is this account's alone."""
    from wa_audit.organization import scanning

    job, book, plan = _prepared[0]
    reading = scanning.Reading(plan, job.profile, job.endpoint_url, job.workers, job.metrics_days)
    judge = partial(wiring.assess, book=book, judging=wiring.Judging.of_everything())
    outcome, audit = scanning.attempt(shard, reading, judge, book.pillar_weights)
    return _keep(shard, job, outcome, audit)


def _keep(shard: Shard, job: Job, outcome: Outcome, audit: Audit | None) -> Told:
    from wa_audit import stores
    from wa_audit.organization.outcomes import render

    store = stores.at(job.place, profile=job.profile, endpoint_url=job.endpoint_url)
    store.write(shard.key, render(outcome, audit), over=job.over)
    return Told(shard.account, outcome.state, outcome.refusal.message if outcome.refusal else "")
