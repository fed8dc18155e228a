"""Whether an audit can run: credentials, identity, clock, regions, permissions, versions, data files.

The permissions are tried with the reading's own engine on one resource of each list, in one region: whether
IAM allows an action seldom hangs on the region, and a region that is switched off has a line of its own.
Nothing but what an audit calls is called.
"""

from __future__ import annotations

import datetime
import json
import platform
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore
import botocore.session

from wa_audit import __version__, aws
from wa_audit.collect import permissions
from wa_audit.collect.journal import Heading, Journal
from wa_audit.collect.plan import Plan, offered, operations, permitted
from wa_audit.collect.scheduler import Scheduler
from wa_audit.collect.session import chosen_regions
from wa_audit.collect.units import Scope, Tally
from wa_audit.model import CredentialsError, Gap, Reason, WaAuditError
from wa_audit.text import visible

if TYPE_CHECKING:
    from wa_audit.collect.session import AwsSession, Identity

# Above this AWS refuses requests: https://docs.aws.amazon.com/IAM/latest/UserGuide/signing-elements.html
_MOST_SKEW = datetime.timedelta(minutes=5)
_STALE = datetime.timedelta(days=183)
_MONTHS = "January February March April May June July August September October November December".split()
_DATE = re.compile(rf"(?:(\d{{1,2}}) )?({'|'.join(_MONTHS)}) (\d{{4}})")
_METHODS = {
    "env": "environment variables",
    "explicit": "keys given by the caller",
    "shared-credentials-file": "the shared credentials file",
    "config-file": "the configuration file",
    "assume-role": "a role that is assumed",
    "assume-role-with-web-identity": "a role that is assumed with a web identity",
    "sso": "IAM Identity Center",
    "iam-role": "the role of this EC2 instance",
    "container-role": "the role of this container",
    "custom-process": "a process of the profile's",
}


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Check:
    """What one look has found. `code` is the exit code of a failure."""

    name: str
    level: Level
    message: str
    advice: str = ""
    code: int = 0


def examine(
    plan: Plan,
    *,
    connect: Callable[[], AwsSession],
    regions: Sequence[str] = (),
    all_regions: bool = False,
    workers: int = 16,
    on_wait: Callable[[Tally], None] = lambda tally: None,
    today: datetime.date | None = None,
) -> list[Check]:
    """Every check, in order; what cannot be looked at, because an earlier one failed, is left out."""
    found = list(_account(plan, connect, regions, all_regions, workers, on_wait))
    return [*found, _versions(plan), *_data_files(today or datetime.datetime.now(datetime.UTC).date())]


def exit_code(checks: Sequence[Check]) -> int:
    """0 where nothing failed; where several things did, the one to put right first."""
    codes = {check.code for check in checks}
    return next((code for code in (5, 2, 4) if code in codes), 0)


def as_text(checks: Sequence[Check]) -> str:
    """One line a check."""
    width = max(len(check.name) for check in checks)
    return "\n".join(
        visible(
            f"{check.level:<8} {check.name:<{width}}  {check.message}"
            + (f"; {check.advice}" if check.advice else "")
        )
        for check in checks
    )


def as_json(checks: Sequence[Check]) -> str:
    rows = [{name: value for name, value in asdict(check).items() if name != "code"} for check in checks]
    return json.dumps(rows, indent=2)


# -- the account -----------------------------------------------------------------------------------


def _account(
    plan: Plan,
    connect: Callable[[], AwsSession],
    named: Sequence[str],
    all_regions: bool,
    workers: int,
    on_wait: Callable[[Tally], None],
) -> Iterator[Check]:
    try:
        session = connect()
    except WaAuditError as error:
        name = "credentials" if isinstance(error, CredentialsError) else "configuration"
        yield Check(name, Level.FAILURE, str(error), code=error.exit_code)
        return
    method = session.credentials
    yield Check("credentials", Level.OK, f"found in {_METHODS.get(method, method)}")
    clock = _Clock(session)
    region = next(iter(named), session.region or "us-east-1")
    try:
        identity = session.identity(region)
    except WaAuditError as error:
        yield Check("identity", Level.FAILURE, str(error), code=error.exit_code)
        yield clock.check()
        return
    yield _who(identity)
    yield clock.check()
    try:
        regions = chosen_regions(session, named, all_regions=all_regions)
    except WaAuditError as error:
        # All regions are asked for with a permission; without it that is what is missing.
        yield Check("regions", Level.FAILURE, str(error), code=4 if all_regions else error.exit_code)
        return
    for other in regions:
        yield _region(session, other, known=other == region)
    yield from _permissions(session, plan, identity, regions[0], workers, on_wait)


def _who(identity: Identity) -> Check:
    words = f"account {identity.account}, {identity.arn}"
    if identity.arn.endswith(":root"):
        return Check("identity", Level.WARNING, words, "this is the root user: audit with a read-only role")
    return Check("identity", Level.OK, words)


def _region(session: AwsSession, region: str, *, known: bool) -> Check:
    """A region in which AWS has answered already is known to be switched on."""
    try:
        if not known:
            session.check_regions([region], 1)
    except WaAuditError as error:
        return Check("region", Level.FAILURE, str(error), code=error.exit_code)
    return Check("region", Level.OK, f"{region} is switched on")


class _Clock:
    """Compares this machine's clock with the Date header of what STS answers, be it a refusal."""

    def __init__(self, session: AwsSession) -> None:
        self._skew: datetime.timedelta | None = None
        session.register("after-call.sts.GetCallerIdentity", self._note)

    def _note(self, http_response: Any, **_: Any) -> None:
        try:
            theirs = parsedate_to_datetime(http_response.headers["Date"])
            self._skew = datetime.datetime.now(datetime.UTC) - theirs
        except (KeyError, TypeError, ValueError):
            self._skew = None

    def check(self) -> Check:
        if self._skew is None:
            return Check("clock", Level.WARNING, "AWS did not say what time it is", "compare it yourself")
        seconds = round(self._skew.total_seconds())
        words = f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} AWS's" if seconds else "agrees"
        if abs(self._skew) > _MOST_SKEW:
            return Check("clock", Level.WARNING, words, "set it: AWS refuses what is 5 minutes off")
        return Check("clock", Level.OK, words)


# -- permissions -----------------------------------------------------------------------------------


def _permissions(
    session: AwsSession,
    plan: Plan,
    identity: Identity,
    region: str,
    workers: int,
    on_wait: Callable[[Tally], None],
) -> Iterator[Check]:
    """Tries them all; what is granted has one line a service, and what is not one of its own."""
    plan = offered(plan, session.partition(region))
    asked = permitted(plan)
    session.guard.allow(asked)
    answered: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        answered.add(f"{model.service_model.service_name}:{model.name}")

    session.register("after-call", note)
    started = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    scope = Scope(
        account=identity.account,
        partition=session.partition(region),
        regions=(region,),
        main_region=session.main_region([region]),
        started=started,
        metrics_days=1,
    )
    heading = Heading(account=identity.account, regions=(region,), operations="", started=started)
    scheduler = Scheduler(session, plan, scope, Journal(heading), workers=workers, most=1)
    scheduler.run(on_wait)
    if scheduler.expired:
        yield Check("credentials", Level.FAILURE, "expired while the permissions were tried", code=5)
        return
    gaps = [*scheduler.gaps, *(gap for resource in scheduler.resources for gap in resource.gaps)]
    yield from _refused(gaps)
    for gap in {
        gap.action: gap for gap in scheduler.unhelpful if gap.action not in {g.action for g in gaps}
    }.values():
        yield Check(
            "permission",
            Level.WARNING,
            f"{gap.action} is of no help: {str(gap.reason).replace('_', ' ')}: {gap.message}",
            "nothing is missing without it, but a scan makes a call for each resource in its place",
        )
    yield from _granted(asked, answered, [*gaps, *scheduler.unhelpful], region)


def _refused(gaps: Sequence[Gap]) -> Iterator[Check]:
    """One line an action; a permission that is missing outweighs whatever else went wrong with it."""
    worst: dict[str, Gap] = {}
    for gap in sorted(gaps, key=lambda gap: (gap.reason is not Reason.ACCESS_DENIED, gap.operation)):
        worst.setdefault(gap.action, gap)
    for action, gap in sorted(worst.items()):
        if gap.reason is Reason.ACCESS_DENIED:
            yield Check(
                "permission",
                Level.FAILURE,
                f"{action} is missing: {gap.message}",
                "grant it ('wa-audit iam-policy'), or what needs it is not evaluated",
                code=4,
            )
        else:
            words = str(gap.reason).replace("_", " ")
            yield Check(
                "permission",
                Level.WARNING,
                f"{action} could not be tried: {words}: {gap.message}",
                "what needs it is not evaluated while that lasts",
            )


def _granted(asked: frozenset[str], answered: set[str], gaps: Sequence[Gap], region: str) -> Iterator[Check]:
    bad, failed = {gap.action for gap in gaps}, {gap.operation for gap in gaps}
    granted = _actions((asked & answered) - failed) - bad
    untried = _actions(asked - failed) - granted - bad
    services: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for names, place in ((granted, 0), (untried, 1)):
        for action in sorted(names):
            service, _, name = action.partition(":")
            services[service][place].append(name)
    for service, (fine, open_) in sorted(services.items()):
        parts = [
            f"{len(fine)} granted: {', '.join(fine)}" if fine else "",
            f"{len(open_)} not tried, for want of a resource: {', '.join(open_)}" if open_ else "",
        ]
        words = "; ".join(filter(None, parts))
        yield Check("permissions", Level.OK, f"{service}, tried in {region}: {words}")


def _actions(operations: frozenset[str]) -> frozenset[str]:
    return frozenset(name for operation in operations for name in permissions.actions(operation))


# -- this machine ----------------------------------------------------------------------------------


def _versions(plan: Plan) -> Check:
    words = (
        f"wa-audit {__version__}, Python {platform.python_version()}, "
        f"boto3 {boto3.__version__}, botocore {botocore.__version__}"
    )
    known = set(botocore.session.Session().get_available_services())
    services = {operation.partition(":")[0] for operation in operations(plan)}
    if missing := sorted(services - known):
        return Check(
            "versions", Level.WARNING, words, f"botocore does not know {', '.join(missing)}: upgrade"
        )
    return Check("versions", Level.OK, words)


def _data_files(today: datetime.date) -> Iterator[Check]:
    for path, dated in data_files():
        if dated is None:
            yield Check("data", Level.WARNING, f"{path.name} bears no date", "upgrade wa-audit")
        elif today - dated > _STALE:
            words = f"{path.name} is of {dated:%B %Y}, more than 6 months ago"
            yield Check("data", Level.WARNING, words, "upgrade wa-audit")
        else:
            yield Check("data", Level.OK, f"{path.name} is of {dated:%B %Y}")


def data_files() -> Iterator[tuple[Path, datetime.date | None]]:
    """The data files by name, each with the date that its comment names."""
    for path in sorted((Path(str(aws.__file__)).parent / "data").glob("*.tsv")):
        lines = path.read_text(encoding="utf-8").splitlines()
        yield path, _dated(" ".join(line for line in lines if line.startswith("#")))


def _dated(comment: str) -> datetime.date | None:
    dates = [
        datetime.date(int(year), _MONTHS.index(month) + 1, int(day or 1))
        for day, month, year in _DATE.findall(comment)
    ]
    return max(dates, default=None)
