"""The only package that talks to AWS: it turns an account into an Inventory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wa_audit import __version__
from wa_audit.aws import times
from wa_audit.inventory import ACCOUNT_TYPE, Inventory, Run
from wa_audit.model import Resource

if TYPE_CHECKING:
    from wa_audit.collect.journal import Heading
    from wa_audit.collect.plan import Plan
    from wa_audit.collect.scheduler import Scheduler
    from wa_audit.collect.session import AwsSession, Identity
    from wa_audit.collect.units import Scope, Tally
    from wa_audit.model import Gap


class OutOfTime(Exception):
    """What `on_wait` raises to stop a run, as Ctrl-C does."""


class Interrupted(Exception):
    """The run was stopped; `inventory` holds what had been read, and gaps for all that had not."""

    def __init__(self, inventory: Inventory) -> None:
        super().__init__("interrupted")
        self.inventory = inventory


def collect(
    session: AwsSession,
    plan: Plan,
    regions: Sequence[str],
    *,
    workers: int = 16,
    processes: int = 1,
    metrics_days: int = 14,
    journal: Path | None = None,
    resume: bool = False,
    as_of: str = "",
    on_wait: Callable[[Tally], None] = lambda tally: None,
) -> Inventory:
    """Reads what the plan names in these regions.

    The guard lets nothing but the plan's own operations through. `workers` calls are under way at once in
    each of `processes`, of which all but the first are forks of this one. With `journal`, what is read is
    written down there as it comes, and `resume` takes up what an earlier run left. `Run.complete` is false
    where the credentials ended before the reading did. `metrics_days` is how far back metrics are read; 0
    switches them off, whatever the plan says. `as_of`, a time in UTC, is when the account is said to have
    been read, and up to when metrics are; without it, now.

    Raises:
        CredentialsError: AWS does not accept the credentials.
        ConfigurationError: a region is switched off, the endpoint cannot be reached, or there is nothing
            to resume.
        Interrupted: the user stopped the run, or `on_wait` did.
    """
    from wa_audit.collect import fast, sharing
    from wa_audit.collect import plan as plans
    from wa_audit.collect.journal import Heading, Journal
    from wa_audit.collect.missing import not_offered
    from wa_audit.collect.scheduler import Scheduler
    from wa_audit.collect.units import Scope
    from wa_audit.memory import seldom_collected

    identity = session.identity(regions[0], dict.fromkeys(kind.service for kind in plans.in_order(plan)))
    session.check_regions(regions[1:], workers)
    if not metrics_days:
        plan = plans.without_metrics(plan)
    partition = session.partition(regions[0])
    nowhere = not_offered(plan, partition)
    plan = plans.offered(plan, partition)
    operations = plans.operations(plan)
    session.guard.allow(plans.permitted(plan))
    heading = Heading(
        account=identity.account,
        regions=tuple(sorted(regions)),
        operations=Heading.digest(operations),
        started=as_of or _now(),
        metrics_days=metrics_days,
    )
    if journal is None:
        written = Journal(heading)
    else:
        written = Journal.resume(journal, heading) if resume else Journal.begin(journal, heading)
    scope = Scope(
        account=identity.account,
        partition=partition,
        regions=tuple(regions),
        main_region=session.main_region(regions),
        started=written.heading.started,
        metrics_days=metrics_days,
    )
    shares = sharing.parts(plan, processes)
    scheduler = Scheduler(session, plan, scope, written, workers=workers)
    try:
        with seldom_collected(), fast.seldom_switched():
            scheduler.run(on_wait, sharing.helpers(shares[1:], scheduler.help))
    except (KeyboardInterrupt, OutOfTime):
        inventory = _inventory(scheduler, scope, identity, written.heading, nowhere, as_of, whole=False)
        raise Interrupted(inventory) from None
    whole = not scheduler.expired
    inventory = _inventory(scheduler, scope, identity, written.heading, nowhere, as_of, whole=whole)
    if inventory.run.complete:
        written.end()
    return inventory


def _inventory(
    scheduler: Scheduler,
    scope: Scope,
    identity: Identity,
    heading: Heading,
    nowhere: Sequence[Gap],
    as_of: str,
    *,
    whole: bool,
) -> Inventory:
    from wa_audit.collect.kinds import all_kinds
    from wa_audit.collect.metrics import call_of
    from wa_audit.collect.missing import uncollected

    spent = scheduler.total()
    details = {type_: calls for type_, (_, calls) in scheduler.plan.items()}
    run = Run(
        account=scope.account,
        partition=scope.partition,
        regions=heading.regions,
        identity=identity.arn,
        started=heading.started,
        finished=as_of or _now(),
        # Beside the plan's calls, one a region sees that the credentials are good there.
        calls=spent.calls + len(scope.regions),
        throttles=spent.throttles,
        gone=spent.gone,
        complete=whole,
        metrics_days=scope.metrics_days if any(map(call_of, details.values())) else 0,
        tool=f"wa-audit {__version__}",
    )
    account = Resource(
        type=ACCOUNT_TYPE,
        arn=f"arn:{scope.partition}:iam::{scope.account}:root",
        name=scope.account,
        account=scope.account,
    )
    _name_keys(scheduler.resources)
    _join(scheduler.resources)
    untold = {gap.type for gap in nowhere}
    left_out = uncollected(scheduler.plan, tuple(kind for kind in all_kinds() if kind.type not in untold))
    gaps = {*scheduler.gaps, *scheduler.interrupted(), *left_out, *nowhere}
    return Inventory(run, [account, *scheduler.resources], gaps)


def _name_keys(resources: list[Resource]) -> None:
    """Gives a KMS key the name of its alias: nobody knows a key by its id."""
    aliases = {
        str(alias.data.get("TargetKeyId")): alias.name
        for alias in sorted(resources, key=lambda found: found.arn)
        if alias.type == "AWS::KMS::Alias"
    }
    for key in resources:
        if key.type == "AWS::KMS::Key":
            key.name = aliases.get(str(key.data.get("KeyId")), key.name)


def _join(resources: list[Resource]) -> None:
    """Makes one object of what many resources say alike: a field's name comes anew with every answer."""
    gaps: dict[tuple[Gap, ...], tuple[Gap, ...]] = {}
    for resource in resources:
        resource.data = {sys.intern(name): value for name, value in resource.data.items()}
        resource.region = sys.intern(resource.region)
        resource.gaps = gaps.setdefault(resource.gaps, resource.gaps)


def _now() -> str:
    return times.now().strftime("%Y-%m-%dT%H:%M:%SZ")
