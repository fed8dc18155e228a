"""The only package that talks to AWS: it turns an account into an Inventory."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wa_audit import __version__
from wa_audit.inventory import ACCOUNT_TYPE, Inventory, Run
from wa_audit.model import Resource

if TYPE_CHECKING:
    from wa_audit.collect.plan import Plan
    from wa_audit.collect.scheduler import Tally
    from wa_audit.collect.session import AwsSession


def collect(
    session: AwsSession,
    plan: Plan,
    regions: Sequence[str],
    *,
    workers: int = 16,
    on_wait: Callable[[Tally], None] = lambda tally: None,
) -> Inventory:
    """Reads what the plan names in these regions.

    The guard lets nothing but the plan's own operations through. `Run.complete` is false where the
    credentials ended before the reading did.

    Raises:
        CredentialsError: AWS does not accept the credentials.
        ConfigurationError: a region is switched off, or the endpoint cannot be reached.
    """
    from wa_audit.collect import plan as plans
    from wa_audit.collect.kinds import all_kinds
    from wa_audit.collect.scheduler import Scheduler, Scope, uncollected

    started = _now()
    identity = session.identity(regions[0])
    for region in regions[1:]:
        session.check_region(region)
    scope = Scope(
        account=identity.account,
        partition=session.partition(regions[0]),
        regions=tuple(regions),
        main_region=session.main_region(regions),
        started=started,
    )
    session.guard.allow(plans.operations(plan))
    scheduler = Scheduler(session, plan, scope, workers=workers)
    scheduler.run(on_wait)
    run = Run(
        account=scope.account,
        partition=scope.partition,
        regions=tuple(sorted(regions)),
        identity=identity.arn,
        started=started,
        finished=_now(),
        calls=scheduler.tally.calls,
        throttles=scheduler.tally.throttles,
        gone=scheduler.tally.gone,
        complete=not scheduler.expired,
        tool=f"wa-audit {__version__}",
    )
    account = Resource(
        type=ACCOUNT_TYPE,
        arn=f"arn:{scope.partition}:iam::{scope.account}:root",
        name=scope.account,
        account=scope.account,
    )
    gaps = [*scheduler.gaps, *uncollected(plan, all_kinds())]
    return Inventory(run, [account, *scheduler.resources], gaps)


def _now() -> str:
    """The time, or what SOURCE_DATE_EPOCH says that it is, for runs that must give the same bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = (
        datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
        if epoch
        else datetime.datetime.now(datetime.UTC)
    )
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
