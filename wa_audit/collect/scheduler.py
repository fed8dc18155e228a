"""Reads a plan: one bounded pool over all services and regions.

A list's resources are described while the list is still paging. Each resource is described by one task,
its calls one after another, so that what one call says can decide whether the next is made. A task ends in
a resource, or in a gap; nothing is dropped in silence.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import IO, Any, TypeVar

from wa_audit.aws import arns
from wa_audit.collect import aids, errors, metrics, naming, reader
from wa_audit.collect.hanging import Hanging
from wa_audit.collect.journal import Done, Journal, Key, Measured
from wa_audit.collect.kinds import Aid, Call, Kind
from wa_audit.collect.limiter import Lane, Limiter, Task, backoff
from wa_audit.collect.missing import left_unread
from wa_audit.collect.pacer import Pacer
from wa_audit.collect.plan import Plan, in_order
from wa_audit.collect.session import AwsSession
from wa_audit.collect.sharing import Helper
from wa_audit.collect.units import Scope, Spent, Tally, Unit, listed_in
from wa_audit.memory import Shared
from wa_audit.model import Gap, Reason, Resource

log = logging.getLogger(__name__)

_Read = TypeVar("_Read")
# How often more is read where AWS throttled every try.
_MORE_READS = 2
# How many tasks may wait, each with what a list says of a resource. Beyond it who lists describes as well,
# and asks for no further page until there is room: memory does not grow with what has yet to be read.
_MOST_WAITING = 1_000


class Scheduler:
    """One run over a plan. `run` is called once. With `most`, no more resources of each list are read."""

    def __init__(
        self,
        session: AwsSession,
        plan: Plan,
        scope: Scope,
        journal: Journal,
        *,
        workers: int = 16,
        most: int | None = None,
    ) -> None:
        self._most = most
        self.tally = Tally()
        self.resources: list[Resource] = list(journal.resources.values())
        self.gaps: list[Gap] = list(journal.gaps)
        self.done: list[Done] = list(journal.done.values())
        self.spent = Spent(journal.calls, journal.throttles)
        self.expired = False
        self._journal = journal
        self._open: dict[Key, Unit] = {}
        self._own = threading.local()
        self._shared = Shared()
        self._session = session
        self.plan = plan
        self._scope = scope
        self._times = naming.times_of(scope.started)
        self._measuring = False
        # What an aid may answer comes last, when it has.
        self._details = {
            type_: tuple(
                sorted((call for call in details if not call.metrics), key=lambda call: call.aid is not None)
            )
            for type_, (_, details) in plan.items()
        }
        self.unhelpful: list[Gap] = []
        """What came of aids that failed: nothing is missing for it, but more calls are made."""
        self._aids: dict[tuple[str, str], aids.Awaited] = {}
        self._parked = 0  # descriptions that wait for an aid
        self._children: dict[str, list[Kind]] = {}
        for kind, _ in plan.values():
            if kind.parent:
                self._children.setdefault(kind.parent, []).append(kind)
        # What an earlier run has found, or could not list.
        known = {(found.type, found.region) for found in journal.resources.values()}
        known.update((unlisted.type, unlisted.region) for unlisted in journal.gaps)
        # Who reads no more than a sample does it to see whether he may, and tries every list.
        self._hanging = Hanging(plan, known, every=most is not None)
        self._reading: set[str] = set()  # services
        self._begun: set[Key] = set()
        self._limiter = Limiter()
        self._pacer = Pacer()
        self._seen: set[str] = set(journal.resources)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="wa-audit")
        self._changed = threading.Condition()
        self._counting = threading.Lock()  # of its own: every call is counted
        self._stopping = False
        self._keeping = True  # unless it is for another process
        self._helpers: Sequence[Helper] = ()
        session.register("request-created", self._count_call)
        session.retry_by(self._retry_throttle)
        session.register("after-call", reader.note_malformed)

    def run(
        self, on_wait: Callable[[Tally], None] = lambda tally: None, helpers: Sequence[Helper] = ()
    ) -> None:
        """Reads everything, with helpers what they leave, calling `on_wait` at the beginning and about ten
        times a second."""
        self._helpers = helpers
        helped = {service for helper in helpers for service in helper.services}
        try:
            on_wait(self.tally)
            for helper in helpers:
                helper.listen(self._adopt, self._look_again)
            self._begin_lists({kind.service for kind, _ in self.plan.values()} - helped)
            self._wait(on_wait)
            if not self.expired:
                self._begin_lists(self._left_by_helpers())
                self._helpers = ()
                self._wait(on_wait)
            if not self.expired:
                self._begin_metrics()
                self._wait(on_wait)
        finally:
            with self._changed:
                self._stopping = True
                self._changed.notify_all()
            for helper in helpers:
                helper.stop()
            self._pool.shutdown(wait=False, cancel_futures=True)
        on_wait(self.tally)

    def help(self, services: Collection[str], lines: IO[bytes]) -> bool:
        """Reads the lists of these services for another process and writes what it reads on `lines`, as in a
        journal. Whether it has read them whole."""
        self._journal.continue_on(lines)
        self._keeping = False
        self._begin_lists(services)
        self._wait(lambda tally: None)
        return not self.expired

    def _adopt(self, written: bytes) -> None:
        """Takes what a helper has read: a line of its journal."""
        with self._changed:
            if self._stopping:
                return
        line = self._journal.take(written)
        cost = line.done or line
        if line.resource is not None and not self._hold(line.resource, Spent(line.calls, line.throttles)):
            return
        if (found := line.resource or line.gap) is not None:
            self._open_up(found.type, found.region)
        with self._changed:
            if self._stopping:
                return
            if line.resource is not None:
                self._seen.add(line.resource.arn)
                self.tally.services.add(self.plan[line.resource.type][0].service)
            elif line.gap is not None:
                self.gaps.append(line.gap)
            elif line.done is not None:
                self.done.append(line.done)
                self.tally.gone += line.done.gone
            self.tally.calls += cost.calls
            self.tally.throttles += cost.throttles

    def _left_by_helpers(self) -> set[str]:
        """The services that helpers have not read whole, or not yet."""
        return {service for helper in self._helpers if not helper.whole for service in helper.services}

    def _look_again(self) -> None:
        """Somebody has something to tell whoever waits."""
        with self._changed:
            self._changed.notify_all()

    def _begin_lists(self, services: Collection[str]) -> None:
        """Begins the lists of services. Their clients are made here, by one thread: where the workers make
        them, each waits for all, and leaves memory in pieces."""
        self._reading.update(services)
        for kind in in_order(self.plan):
            if kind.parent or kind.service not in services:
                continue
            for region in self._regions_of(kind):
                if not self._hanging.is_due(kind, region):
                    continue
                with suppress(Exception):  # it is told where the list is read, which asks for it again
                    self._session.client(kind.service, region)
                self._begin_once(Unit(kind, region))

    def _open_up(self, type_: str, region: str) -> None:
        """There are resources of a type in a region, or may be: starts the lists that hang on it, unless
        they are another process's."""
        place = type_, region
        if not self._hanging.is_news(place):
            return
        with self._changed:
            due = self._hanging.opened_by(place)
        for kind in due:
            if kind.service in self._reading:
                self._begin_once(Unit(kind, region))

    def _begin_once(self, unit: Unit) -> None:
        """Starts a unit that more than one may find due."""
        with self._changed:
            if unit.key in self._begun:
                return
            self._begun.add(unit.key)
        self._begin(unit)

    def _wait(self, on_wait: Callable[[Tally], None]) -> None:
        while not self._idle() and not self.expired:
            on_wait(self.tally)

    def _idle(self) -> bool:
        def idle() -> bool:
            helped = any(helper.busy for helper in self._helpers)
            return self.tally.finished == self.tally.queued and not helped

        with self._changed:
            return self._changed.wait_for(idle, 0.1)

    def total(self) -> Spent:
        """What the whole run has cost, earlier parts of it included."""
        whole = Spent()
        whole.add(self.spent)
        for done in self.done:
            whole.add(Spent(done.calls, done.throttles, done.gone))
        return whole

    def _regions_of(self, kind: Kind) -> tuple[str, ...]:
        return (self._scope.main_region,) if kind.scope == "global" else self._scope.regions

    def _begin(self, unit: Unit) -> None:
        """Starts a unit, or what hangs on it where an earlier run has done it already."""
        if unit.key in self._journal.done:
            if unit.kind.type not in self._children:
                return
            for resource in self._journal.resources.values():
                if resource.type == unit.kind.type and listed_in(resource, unit, self._scope):
                    self._begin_children(unit, resource)
                    self._begin_late_children(unit, resource)
            return
        with self._changed:
            self._open[unit.key] = unit
        self._submit(unit, unit.region, partial(self._list, unit))

    def _begin_children(self, unit: Unit, parent: Resource) -> None:
        """Starts the lists that hang on a resource's being there."""
        for child in self._children.get(unit.kind.type, ()):
            if not child.when:
                self._begin(Unit(child, unit.region, parent))

    def _begin_late_children(self, unit: Unit, parent: Resource) -> None:
        """Starts the lists that hang on what has been read of a resource, or could not be read."""
        for child in self._children.get(unit.kind.type, ()):
            if child.when and parent.data.get(child.when) != 0:
                self._begin(Unit(child, unit.region, parent))

    def _begin_metrics(self) -> None:
        """Starts the reading of the metrics of everything that was found; of a region that an earlier run has
        done, what it left is enough."""
        self._measured(self._journal.measured)
        window = metrics.Window.before(self._scope.started, self._scope.metrics_days)
        asked = metrics.regions(self.plan, self.resources, window, self._scope.main_region)
        for region, measured in asked.items():
            unit = Unit(metrics.KIND, region, metrics=measured)
            if unit.key not in self._journal.done:
                with self._changed:
                    self._open[unit.key] = unit
                self._submit(unit, region, partial(self._list_series, unit, measured))
        self._measuring = True

    def _submit(self, unit: Unit, region: str, task: Task) -> None:
        """Hands a task to the lane of its service and region, which starts it when there is room."""
        lane = self._limiter.lane(region, unit.kind.service)
        with self._changed:
            unit.left += 1
            self.tally.queued += 1
            self._start(lane.admit(partial(self._perform, unit, lane, task)))

    def _start(self, tasks: list[Task]) -> None:
        for task in tasks:
            if not self._stopping:
                self._pool.submit(task)

    def _perform(self, unit: Unit, lane: Lane, task: Task) -> None:
        self._own.spent = Spent()
        try:
            if not self._stopping:
                task()
        except Exception:
            # Calls' errors become gaps where they arise; what arrives here is a mistake of this program.
            log.exception("a collection task broke")
            self._broken()
            self._open_up(unit.kind.type, unit.region)
        finally:
            with self._changed:
                self.tally.finished += 1
                unit.spent.add(self._own.spent)
                self._leave(unit)
                self._start(lane.release())
                if self.tally.finished == self.tally.queued:
                    self._changed.notify_all()

    def _leave(self, unit: Unit) -> None:
        """One that was at a unit is done with it. The lock is held."""
        unit.left -= 1
        if unit.left == 0 and not self._stopping:
            self._end(unit)

    def _end(self, unit: Unit) -> None:
        """A unit has been read whole. The lock is held."""
        if unit.aid and unit.key in self._journal.done:
            return  # asked again after a stop: it was paid for before
        self._open.pop(unit.key, None)
        done = Done(unit.key, unit.spent.calls, unit.spent.throttles, unit.spent.gone)
        self.done.append(done)
        found = unit.metrics.finish() if unit.metrics else {}
        self._measured(found)
        self._journal.add_done(done, found)

    def _measured(self, found: Mapping[str, Measured]) -> None:
        """Gives resources their metrics, or the gaps that say why they have none."""
        for resource in self.resources if found else ():
            if measured := found.get(resource.arn):
                resource.gaps = (*resource.gaps, *measured.gaps)
                if measured.metrics is not None:
                    resource.data["Metrics"] = measured.metrics

    def interrupted(self) -> list[Gap]:
        """What a run that was stopped has not read: a gap on every list that is not whole, and on metrics."""
        reason = Reason.EXPIRED_CREDENTIALS if self.expired else Reason.INTERRUPTED
        done = {spent.unit for spent in self.done}
        open_ = {(unit.kind.type, unit.region) for unit in self._open.values()}
        left = self._left_by_helpers()

        def unread(kind: Kind, region: str) -> bool:
            if (kind.type, region) in open_ or (kind.type, region, "") in done:
                return (kind.type, region) in open_
            # What it hangs on tells how many more lists there are, unless nobody began them.
            above = (kind.parent,) if kind.parent else self._hanging.above(kind)
            whole = bool(above) and all((type_, region, "") in done for type_ in above)
            return not whole or kind.service in left

        lists = [
            (kind, region)
            for kind, _ in self.plan.values()
            for region in self._regions_of(kind)
            if unread(kind, region)
        ]
        unmeasured = not self._measuring or any(unit.metrics for unit in self._open.values())
        return left_unread(self.plan, lists, reason, unmeasured=unmeasured)

    def _broken(self) -> None:
        self._add_gap(
            Gap(
                type="AWS::::Account",
                operation="wa-audit:Collect",
                action="",
                reason=Reason.FAILED,
                message="a collection task broke; run with -v for its trace",
            )
        )

    # -- tasks -------------------------------------------------------------------------------------

    def _list(self, unit: Unit) -> None:
        """Lists a kind in one place, and starts the description of whatever it finds."""
        kind, region, parent = unit.kind, unit.region, unit.parent
        context = self._context(region, parent.data if parent else {}, parent.arn if parent else "")
        inherited = {name: context[name] for name in kind.inherits.split() if name in context}
        shown = "" if kind.scope == "global" else region
        try:
            self._patiently(partial(self._list_all, unit, context, inherited))
        except Exception as error:
            if errors.means(error, kind.list.gone):
                return
            if errors.means(error, kind.list.absent):
                self._found(unit, inherited)
                return
            if self._ends_the_run(error):
                return
            arn = f"{parent.arn}/*" if parent else ""
            self._add_gap(reader.gap(kind, kind.list, error, region=shown, arn=arn, fields=()))
            self._open_up(kind.type, region)

    def _list_series(self, unit: Unit, region: metrics.Region) -> None:
        """Starts a call for every batch of a region's series."""
        with self._changed:
            self.tally.services.add(unit.kind.service)
        for batch in region.batches():
            self._submit(unit, unit.region, partial(self._measure, unit, region, batch))

    def _measure(self, unit: Unit, region: metrics.Region, batch: list[metrics.Series]) -> None:
        try:
            region.read(self._session.client(unit.kind.service, unit.region), batch)
        except Exception as error:
            # It is kept as the outcome of each series; unless it ends the run, and nothing is known of them.
            self._ends_the_run(error)

    def _list_all(self, unit: Unit, context: dict[str, Any], inherited: dict[str, Any]) -> None:
        found = reader.items(self._session.client(unit.kind.service, unit.region), unit.kind, context)
        for item in itertools.islice(found, self._most):
            self._found(unit, inherited | item)

    def _patiently(self, read: Callable[[], _Read]) -> _Read:
        """Reads again where AWS throttled every one of botocore's tries. What a list repeats adds nothing."""
        for _ in range(_MORE_READS):
            try:
                return read()
            except Exception as error:
                if self._stopping or not errors.is_throttle(errors.code(error)):
                    raise
        return read()

    def _found(self, unit: Unit, item: dict[str, Any]) -> None:
        kind, region = unit.kind, unit.region
        own_region = item.get(kind.region, "") if kind.region else ""
        if self._outside(kind, own_region):
            return
        name = naming.name_of(kind, item)
        arn = naming.arn_of(kind, item, self._context(region, item, ""), name)
        resource = Resource(
            type=kind.type,
            arn=arn,
            name=name or arns.parse(arn).name,
            account=self._scope.account,
            region=own_region or ("" if kind.scope == "global" else region),
            data=item,
        )
        self._open_up(kind.type, region)
        with self._changed:
            self.tally.services.add(kind.service)
            # A page that AWS repeats adds nothing, nor does what an earlier run has read.
            known = resource.arn in self._seen
            self._seen.add(resource.arn)
        if known:
            if (read := self._journal.resources.get(resource.arn)) is not None:
                self._begin_children(unit, resource)
                self._begin_late_children(unit, read)
            return
        self._begin_children(unit, resource)
        details = self._details[kind.type]
        if details and self.tally.queued - self.tally.finished + self._parked > _MOST_WAITING:
            self._describe_here(unit, details, resource)
        elif details:
            task = partial(self._describe, unit, details, resource, Spent())
            self._submit(unit, resource.region or region, task)
        else:
            self._keep(unit, resource, Spent())

    def _describe(self, unit: Unit, details: tuple[Call, ...], resource: Resource, earlier: Spent) -> None:
        """Makes a resource's detail calls, in their order; `earlier` is what others have cost before."""
        kind, region = unit.kind, unit.region
        self._own.spent.add(earlier)
        for number, call in enumerate(details):
            if unknown := reader.unknowable(kind, call, resource):
                # Where it is unknown whether a call applies, its facts are as unknown as what it hangs on.
                resource.gaps = (*resource.gaps, unknown)
                continue
            where = resource.region or region
            context = self._context(where, resource.data, resource.arn)
            if not reader.applies(call, context):
                continue
            if call.aid and where in self._scope.regions:
                answer = self._aided(
                    unit, call.aid, where, partial(self._go_on, unit, details[number:], resource)
                )
                if answer is None:
                    return
                fact = answer.fact(call, resource)
                # Who reads no more than a sample does it to see whether he may.
                if fact is not None and self._most is None:
                    resource.data.update(fact)
                    continue
            try:
                client = self._session.client(call.service or kind.service, where)
                read = partial(reader.fact, client, call, context, self._pause)
                resource.data.update(self._patiently(read))
            except reader.Gone:
                with self._changed:
                    self.tally.gone += 1
                    self._own.spent.gone += 1
                return
            except Exception as error:
                if self._ends_the_run(error):
                    return
                missing = reader.gap(kind, call, error, region=resource.region, arn=resource.arn)
                resource.gaps = (*resource.gaps, missing)
            if kind.region in call.fields:
                resource.region = resource.data.get(kind.region, "")
                if self._outside(kind, resource.region):
                    return
        self._keep(unit, resource, self._taken())

    def _describe_here(self, unit: Unit, details: tuple[Call, ...], resource: Resource) -> None:
        """Describes a resource within the task that lists it; what the list has cost stays the list's."""
        listing = self._taken()
        where = resource.region or unit.region
        for call in details:
            if call.aid and (awaited := self._aids.get((where, call.aid.name))):
                self._settle(call.aid, awaited)
        self._describe(unit, details, resource, Spent())
        self._own.spent.add(listing)

    def _settle(self, aid: Aid, awaited: aids.Awaited) -> None:
        """Sees that an aid has answered: asks it, where nobody has begun to."""
        with self._changed:
            if unit := awaited.unit:
                unit.left += 1
        if unit:
            self._ask(aid, awaited)
            with self._changed:
                unit.spent.add(self._taken())
                self._leave(unit)
        with self._changed:
            self._changed.wait_for(lambda: awaited.answer is not None or self._stopping)

    def _taken(self) -> Spent:
        """What the task has cost so far, which goes with what it leaves: nothing is paid for twice."""
        spent: Spent = self._own.spent
        self._own.spent = Spent()
        return spent

    def _aided(self, unit: Unit, aid: Aid, region: str, go_on: Callable[[Spent], None]) -> aids.Answer | None:
        """What an aid says in a region; None where it has yet to say it, and calls `go_on` when it has."""
        with self._changed:
            awaited = self._aids.setdefault((region, aid.name), aids.Awaited())
            if awaited.answer is not None:
                return awaited.answer
            first = not awaited.waiting
            awaited.waiting.append(partial(go_on, self._taken()))
            self._parked += 1
            unit.left += 1  # it is not done before this has gone on
            if first:
                awaited.unit = Unit(aids.KIND, region, aid=aid.name)
                awaited.service = aid.call.service or unit.kind.service
                self._submit(awaited.unit, region, partial(self._ask, aid, awaited))
        return None

    def _ask(self, aid: Aid, awaited: aids.Awaited) -> None:
        """Asks an aid, unless somebody has begun to."""
        with self._changed:
            unit, awaited.unit = awaited.unit, None
        if unit is None:
            return
        answer = aids.Answer()
        try:
            client = self._session.client(awaited.service, unit.region)
            answer = self._patiently(partial(aids.read, client, aid, self._context(unit.region, {}, "")))
        except Exception as error:
            if self._ends_the_run(error):
                return
            self.unhelpful.append(reader.gap(aids.KIND, aid.call, error, region=unit.region, fields=()))
        with self._changed:
            awaited.answer, waiting = answer, awaited.waiting
            awaited.waiting = []
            self._parked -= len(waiting)
            self._changed.notify_all()
        for go_on in waiting:
            go_on()

    def _go_on(self, unit: Unit, details: tuple[Call, ...], resource: Resource, earlier: Spent) -> None:
        """Takes up a description that waited for an aid."""
        task = partial(self._describe, unit, details, resource, earlier)
        with self._changed:
            # In one: who does the task must not find the unit waiting still, and leave it open.
            unit.left -= 1
            self._submit(unit, resource.region or unit.region, task)

    def _pause(self, seconds: float) -> None:
        """Waits before a call is made again; where the run is stopped meanwhile, it is not, and nobody asks
        for its answer."""
        with self._changed:
            if self._changed.wait_for(lambda: self._stopping, seconds):
                raise errors.Unfinished("the run was stopped")

    def _outside(self, kind: Kind, region: str) -> bool:
        """Whether a resource with a region of its own lies outside the audit."""
        return bool(region) and region not in self._scope.regions and not kind.elsewhere

    def _keep(self, unit: Unit, resource: Resource, spent: Spent) -> None:
        reader.finish(unit.kind, resource)
        if not self._hold(resource, spent):
            return
        # Before the task ends, and so before its unit is written down as done.
        self._journal.add_resource(resource, spent.calls, spent.throttles)
        self._begin_late_children(unit, resource)

    def _hold(self, resource: Resource, spent: Spent) -> bool:
        """Takes a finished resource in, and what it has cost; not where the run is being stopped."""
        if self._keeping:
            resource.data = {name: self._shared.value(value) for name, value in resource.data.items()}
        with self._changed:
            if self._stopping:
                return False
            if self._keeping:
                self.resources.append(resource)
            self.tally.resources += 1
            self.spent.add(spent)
        return True

    # -- bookkeeping -------------------------------------------------------------------------------

    def _context(self, region: str, data: Mapping[str, Any], arn: str) -> dict[str, Any]:
        return {
            **data,
            **self._times,
            "account": self._scope.account,
            "partition": self._scope.partition,
            "region": region,
            "arn": arn,
        }

    def _add_gap(self, missing: Gap) -> None:
        with self._changed:
            if self._stopping:
                return
            self.gaps.append(missing)
        self._journal.add_gap(missing)

    def _ends_the_run(self, error: BaseException) -> bool:
        """Whether the credentials have expired: no further call can succeed, and what is open stays so."""
        if errors.code(error) in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
            self.expired = True
            self._stopping = True
        return self.expired

    def _count_call(self, request: Any, operation_name: str, event_name: str, **_: Any) -> None:
        """Counts a call that is about to be made, and has it wait for its turn."""
        self._own.spent.calls += 1
        with self._counting:
            self.tally.calls += 1
        if not self._pacer.holds_back:
            return
        operation = f"{event_name.split('.')[1]}:{operation_name}"
        region = request.context.get("client_region", "")
        with self._changed:
            if wait := self._pacer.wait(region, operation, time.monotonic()):
                self._changed.wait_for(lambda: self._stopping, wait)

    def _retry_throttle(
        self, response: Any, operation: Any, request_dict: Any, attempts: int, **_: Any
    ) -> float | None:
        """How long to wait before a throttled call is made again; None where botocore decides.

        Botocore backs off by whole seconds, for programs that know nothing of each other; here a lane narrows
        and its calls are paced as well, so that a call can soon be tried again.
        """
        if not errors.was_throttled(response):
            return None
        region = request_dict.get("context", {}).get("client_region", "")
        now = time.monotonic()
        with self._changed:
            self.tally.throttles += 1
            self._own.spent.throttles += 1
            self._limiter.lane(region, operation.service_model.service_name).slow_down(now)
            service = operation.service_model.service_id.hyphenize()
            self._pacer.throttled(region, f"{service}:{operation.name}", now)
        return None if self._stopping else backoff(attempts)
