"""Each declared call × each thing that can go wrong with it, through the collector's real stack.

`python -m tests.faults.matrix` prints the table. After a fault, nothing that the call gives may read as
absent or empty: it must be unread, with a gap that names the operation and its IAM action. Everything else
must read as it does without the fault.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import boto3
from botocore import exceptions
from botocore.awsrequest import AWSResponse

from tests import test_truth as truth
from tests.collect.answers import response
from tests.faults import shapes
from wa_audit.assess import assess
from wa_audit.collect import kinds, reader, waiting
from wa_audit.collect.journal import Heading, Journal
from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.permissions import action
from wa_audit.collect.plan import Plan
from wa_audit.collect.scheduler import Scheduler
from wa_audit.collect.session import AwsSession
from wa_audit.collect.units import Scope
from wa_audit.inventory import Inventory, Run
from wa_audit.model import Gap, Reason, Status, Unread

_STARTED = "2026-01-02T03:04:05Z"
_SCOPE = Scope(shapes.ACCOUNT, "aws", (shapes.REGION,), shapes.REGION, _STARTED, metrics_days=14)
_WHO = f"User: arn:aws:sts::{shapes.ACCOUNT}:assumed-role/auditor/ci is not authorized to perform"


@dataclass(frozen=True, slots=True)
class Row:
    """A declared call, of one kind."""

    kind: Kind
    call: Call

    @property
    def operation(self) -> str:
        return self.kind.operation(self.call)

    @property
    def listing(self) -> bool:
        return self.call is self.kind.list

    @property
    def model(self) -> Any:
        return shapes.model(self.kind, self.call)

    def plan(self) -> Plan:
        """The lists that lead to the call, the calls it hangs on, and itself."""
        made: Plan = {}
        parent = kinds.by_type().get(self.kind.parent)
        if parent is not None:
            made = {**Row(parent, parent.list).plan()}
        asked = set(self.call.depends_on)
        wanted = [self.call]
        position = 0 if self.listing else self.kind.details.index(self.call)
        for earlier in reversed(self.kind.details[:position]):
            if asked & set(earlier.fields):
                asked |= earlier.depends_on
                wanted.append(earlier)
        details = () if self.listing else tuple(reversed(wanted))
        return {**made, self.kind.type: (self.kind, details)}


Answer = Callable[[Row, int], AWSResponse]
"""The answer to a faulty call; the number says how often it has been made."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong, and which reasons say so rightly."""

    name: str
    answer: Answer
    reasons: frozenset[Reason]
    fits: Callable[[Row], bool] = lambda row: True


@dataclass(slots=True)
class Outcome:
    """What the matrix has seen of one fault."""

    tried: int = 0
    named: int = 0
    gone: int = 0
    silent: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Verdicts:
    """What became of the findings when each operation failed in turn."""

    touched: int = 0
    turned: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)


# -- faults ----------------------------------------------------------------------------------------


def whole(row: Row, wanted: str = "") -> AWSResponse:
    return response(*_whole(row, wanted))


_WRITTEN: dict[tuple[int, str], tuple[bytes, int, dict[str, str]]] = {}


def _whole(row: Row, wanted: str) -> tuple[bytes, int, dict[str, str]]:
    key = (id(row.call), f"{row.kind.type} {wanted}")
    if key not in _WRITTEN:
        body, headers = shapes.write(row.model, shapes.healthy(row.kind, row.call, wanted))
        _WRITTEN[key] = (body, 200, headers)
    return _WRITTEN[key]


def _error(code: str, status: int, message: str = "no") -> Answer:
    def answer(row: Row, number: int) -> AWSResponse:
        words = message.format(action=action(row.operation))
        body, headers = shapes.write_error(row.model, code, status, words)
        return response(body, status, headers)

    return answer


def _throttled(row: Row, number: int) -> AWSResponse:
    code, status = {"s3": ("SlowDown", 503), "ec2": ("RequestLimitExceeded", 503)}.get(
        row.model.service_model.service_name, ("ThrottlingException", 400)
    )
    return _error(code, status, "Rate exceeded")(row, number)


def _gone(row: Row, number: int) -> AWSResponse:
    code = next(iter(row.call.gone), "ResourceNotFoundException")
    code, _, words = (code if code not in row.call.absent else "NoSuchEntityException").partition(": ")
    return _error(code, 404 if code == "404" else 400, words or "is not there")(row, number)


def _cut(row: Row, number: int) -> AWSResponse:
    body, headers = shapes.write(row.model, shapes.healthy(row.kind, row.call, row.operation))
    return response(body[: len(body) // 2], 200, headers)


def _empty(row: Row, number: int) -> AWSResponse:
    return response(b"", 200)


def _has_body(row: Row) -> bool:
    return row.model.http.get("method") != "HEAD"


def _wrong(replace: Callable[[Any, Any], Any]) -> Answer:
    """Every member that the row takes, replaced by what is of another type."""

    def answer(row: Row, number: int) -> AWSResponse:
        found = shapes.healthy(row.kind, row.call, row.operation)
        members = row.model.output_shape.members
        for name in taken(row.call, members):
            if name in found:
                found[name] = replace(members[name], found[name])
        body, headers = shapes.write(row.model, found)
        return response(body, 200, headers)

    return answer


def taken(call: Call, members: Any) -> set[str]:
    """The members of the answer that `take` looks at."""
    return set(call.keep.split()) & set(members) if call.take in ("", "@") else shapes.fields_of(call.take)


def _other_type(shape: Any, value: Any) -> Any:
    return {"surprise": "text"} if shape.type_name in ("string", "blob") else "surprise"


def _other_items(shape: Any, value: Any) -> Any:
    """A list of the wrong things; within a structure, every member of the wrong type."""
    if shape.type_name == "list":
        return [_other_type(shape.member, item) for item in value]
    if shape.type_name == "structure":
        return {name: _other_type(shape.members[name], item) for name, item in value.items()}
    return _other_type(shape, value)


def _is_structured(row: Row) -> bool:
    """Whether its protocol has types, and the call takes something with something in it."""
    members = row.model.output_shape.members
    inner = {members[name].type_name for name in taken(row.call, members)} & {"list", "structure"}
    return "json" in row.model.service_model.resolved_protocol and bool(inner)


def _has_members(row: Row) -> bool:
    """An answer that is one text has no types: what the text must be is the row's `decode`."""
    shape = row.model.output_shape
    payload = shape.serialization.get("payload")
    as_text = payload is not None and shape.members[payload].type_name in ("string", "blob")
    if "json" in row.model.service_model.resolved_protocol:
        return not as_text
    # In XML all is text: what shows is text where there should be elements.
    kinds_ = {shape.members[name].type_name for name in taken(row.call, shape.members)}
    return _has_body(row) and not as_text and bool(kinds_ & {"list", "structure", "map"})


def _page(token: Callable[[int], str]) -> Answer:
    def answer(row: Row, number: int) -> AWSResponse:
        request, more = _paging(row)
        found = shapes.healthy(row.kind, row.call, row.operation)
        for path, value in ((request, token(number)), (more, True)):
            *parents, last = path.split(".") if path else [""]
            inner = found
            for name in parents:
                inner = inner.setdefault(name, {})
            if last:
                inner[last] = value
        body, headers = shapes.write(row.model, found)
        return response(body, 200, headers)

    return answer


def _paging(row: Row) -> tuple[str, str]:
    """Where an answer holds its page token, and what says that there is more."""
    if row.call.token:
        output = row.model.output_shape.members
        if row.call.next in output:
            return row.call.next, "IsTruncated" if "IsTruncated" in output else ""
        return "", next(name for name in output if name.startswith("HasMore"))
    loader = shapes.SESSION.get_component("data_loader")
    service = row.model.service_model.service_name
    with contextlib.suppress(exceptions.UnknownServiceError, exceptions.DataNotFoundError):
        rule = loader.load_service_model(service, "paginators-1")["pagination"].get(row.call.operation)
        if rule is not None:
            output_token = rule["output_token"]
            path = output_token[0] if isinstance(output_token, list) else output_token
            return path.partition("||")[0].strip(), rule.get("more_results", "")
    return "", ""


def _pages(row: Row) -> bool:
    return not row.call.pages and any(_paging(row))


def _never_done(row: Row, number: int) -> AWSResponse:
    """An answer that does not say that what was begun is done."""
    found = shapes.healthy(row.kind, row.call, row.operation)
    told = shapes.fields_of(row.call.until)
    body, headers = shapes.write(
        row.model, {name: value for name, value in found.items() if name not in told}
    )
    return response(body, 200, headers)


def _raises(make: Callable[[str], Exception]) -> Answer:
    def answer(row: Row, number: int) -> AWSResponse:
        raise make("https://example.test/")

    return answer


def _denied(words: str) -> Answer:
    return _error("AccessDeniedException", 403, f"{_WHO}: {{action}} {words}")


def _broken(error: type[exceptions.HTTPClientError]) -> Answer:
    return _raises(lambda url: error(endpoint_url=url))


def _only(*reasons: Reason) -> frozenset[Reason]:
    return frozenset(reasons)


_EXPIRED = _only(Reason.EXPIRED_CREDENTIALS)
_DENIED = _only(Reason.ACCESS_DENIED)
_MALFORMED = _only(Reason.MALFORMED)
_UNREACHABLE = _only(Reason.UNREACHABLE)
FAULTS: tuple[Fault, ...] = (
    Fault("denied: identity", _denied("because no identity-based policy allows the action"), _DENIED),
    Fault("denied: SCP", _denied("with an explicit deny in a service control policy"), _DENIED),
    Fault("denied: boundary", _denied("because no permissions boundary allows the {action} action"), _DENIED),
    Fault("throttled", _throttled, _only(Reason.THROTTLED), _has_body),
    Fault("expired token", _error("ExpiredTokenException", 400), _EXPIRED, _has_body),
    Fault("gone after the list", _gone, _only(Reason.FAILED), lambda row: not row.listing and _has_body(row)),
    Fault("HTTP 500", _error("InternalFailure", 500), _only(Reason.FAILED)),
    # Botocore takes what S3 cut off for an error of the server, and tries again.
    Fault("cut-off body", _cut, _only(Reason.MALFORMED, Reason.FAILED), _has_body),
    Fault("empty body", _empty, _MALFORMED, _has_body),
    Fault("wrong type", _wrong(_other_type), _MALFORMED, _has_members),
    Fault("wrong type within", _wrong(_other_items), _MALFORMED, _is_structured),
    Fault("page token repeated", _page(lambda number: "again"), _MALFORMED, _pages),
    Fault("page token endless", _page(lambda number: f"page-{number}"), _MALFORMED, _pages),
    Fault("never done", _never_done, _only(Reason.FAILED), lambda row: bool(row.call.until)),
    Fault("connection reset", _broken(exceptions.ConnectionClosedError), _UNREACHABLE),
    Fault("unknown region", _broken(exceptions.EndpointConnectionError), _UNREACHABLE),
    Fault("no connection", _broken(exceptions.ConnectTimeoutError), _UNREACHABLE),
    Fault("no answer", _broken(exceptions.ReadTimeoutError), _UNREACHABLE),
    Fault("not implemented", _error("NotImplemented", 501), _only(Reason.NOT_IMPLEMENTED)),
)  # fmt: skip


# -- the engine ------------------------------------------------------------------------------------


class _Session(AwsSession):
    """One session for the whole matrix: clients are made once, and listen to no run that has ended."""

    def register(self, event: str, handler: Callable[..., Any]) -> None:
        if handler is reader.note_malformed:
            self._session.events.register(event, handler, unique_id="note-malformed")

    def retry_by(self, handler: Callable[..., float | None]) -> None:
        """Botocore alone tries again, without waiting."""


class Engine:
    """Runs one row's plan, with healthy answers to all but the calls that a fault meets."""

    def __init__(self) -> None:
        inner = boto3.session.Session(
            aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
            aws_secret_access_key="example",
            region_name=shapes.REGION,
        )
        inner.events.register("before-send", self._before_send)
        self._session = _Session(inner)
        self._session.guard.allow({kind.operation(call) for kind, call in kinds.declared()})
        self._row: Row
        self._plan: Plan = {}
        self._fault: Answer | None = None
        self._calls = 0

    def _before_send(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        row = self._asked(event_name.split(".", 2)[2], str(request.body))
        if row.call is self._row.call and row.kind is self._row.kind and self._fault is not None:
            self._calls += 1
            return self._fault(row, self._calls)
        return whole(row, self._row.operation)

    def _asked(self, name: str, body: str) -> Row:
        """The planned call that a request is; of two calls of one operation, the one with its parameters."""
        found = [
            Row(kind, call)
            for kind, details in self._plan.values()
            for call in (kind.list, *details)
            if call.operation == name
        ]
        if len(found) > 1:
            found.sort(key=lambda row: -len(row.call.params))
            found = [row for row in found if all(name in body for name in row.call.params)] or found
        return found[0]

    def run(self, row: Row, fault: Answer | None = None) -> tuple[Scheduler, Inventory]:
        self._row, self._plan, self._fault, self._calls = row, row.plan(), fault, 0
        heading = Heading(account=shapes.ACCOUNT, regions=(shapes.REGION,), operations="", started=_STARTED)
        scheduler = Scheduler(self._session, self._plan, _SCOPE, Journal(heading), workers=1)
        quick = types.SimpleNamespace(sleep=lambda seconds: None)
        with (
            mock.patch("botocore.endpoint.time", quick),
            mock.patch.object(reader, "_PATIENCE", 5),
            mock.patch.object(waiting, "LONGEST", 0.0),
        ):
            scheduler.run()
            scheduler._pool.shutdown(wait=True)
        run = Run(account=shapes.ACCOUNT, regions=(shapes.REGION,), started=_STARTED)
        gaps = {*scheduler.gaps, *scheduler.interrupted()}
        return scheduler, Inventory(run, scheduler.resources, gaps)


def rows() -> list[Row]:
    return [Row(kind, call) for kind, call in kinds.declared()]


def try_all(faults: Sequence[Fault] = FAULTS, only: Sequence[Row] = ()) -> dict[str, Outcome]:
    """The matrix."""
    engine = Engine()
    outcomes = {fault.name: Outcome() for fault in faults}
    for row in only or rows():
        _, before = engine.run(row)
        for fault in faults:
            if fault.fits(row):
                _try(engine, row, fault, before, outcomes[fault.name])
    return outcomes


def _try(engine: Engine, row: Row, fault: Fault, before: Inventory, outcome: Outcome) -> None:
    outcome.tried += 1
    scheduler, after = engine.run(row, fault.answer)
    where = f"{row.kind.type} {row.operation}"
    outcome.changed += [f"{where}: {name}" for name in _changed(row, before, after)]
    if fault.name == "gone after the list" and scheduler.tally.gone and not after.known(row.kind.type):
        outcome.gone += 1
        return
    unread = list(_unread(row, after))
    expired = scheduler.expired
    for gap in unread:
        # What ends the run is told once for every list that is not whole; metrics come after the lists.
        told_by_list = expired and not row.call.metrics
        operation = row.kind.operation(row.kind.list) if told_by_list else row.operation
        if (
            gap is None
            or gap.reason not in fault.reasons
            or gap.operation != operation
            or gap.action != action(operation)
        ):
            outcome.silent.append(f"{where}: {gap}")
            return
    outcome.named += 1


def _unread(row: Row, after: Inventory) -> Iterator[Gap | None]:
    """For everything that the call gives, the gap that stands in its place, or None where it reads."""
    if row.listing or not after.known(row.kind.type):
        yield _raised(lambda: after.of(row.kind.type))
        return
    for resource in after.known(row.kind.type):
        for name in row.call.fields:
            yield _raised(lambda resource=resource, name=name: resource[name])


def _raised(read: Callable[[], Any]) -> Gap | None:
    try:
        read()
    except Unread as unread:
        return unread.gap
    return None


def _changed(row: Row, before: Inventory, after: Inventory) -> Iterator[str]:
    """What reads otherwise than without the fault, and is neither the call's own nor hidden by a gap."""
    own = set(row.call.fields)
    for resource in after:
        was = before.get(resource.arn)
        if was is None:
            yield f"{resource.arn} came out of nothing"
            continue
        hidden = {name for gap in resource.gaps for name in gap.fields}
        for name in (was.data.keys() | resource.data.keys()) - hidden:
            if row.kind.type == resource.type and name in own and not row.listing:
                continue
            if was.data.get(name) != resource.data.get(name):
                yield f"{resource.arn} {name}"


# -- verdicts --------------------------------------------------------------------------------------


def judge(reasons: Sequence[Reason], operations: Sequence[str] = truth.OPERATIONS) -> dict[Reason, Verdicts]:
    """What the rules make of each operation's failure, over the demo account, which exercises them all."""
    return {reason: _judge(reason, operations) for reason in reasons}


def _judge(reason: Reason, operations: Sequence[str]) -> Verdicts:
    seen = Verdicts()
    for operation in operations:
        inventory = truth.refuse([operation], reason)
        there = {resource.arn for resource in inventory}
        after = {finding.id: finding for finding in assess(inventory, truth.BOOK)}
        for was in truth.WHOLE.values():
            now = after.get(was.id)
            if was.arn not in there:
                # What can no longer be listed is said by a finding on the list.
                told = any(f.rule == was.rule and f.gap and f.name == "*" for f in after.values())
                seen.vanished += [] if told else [f"{operation}: {was.rule} on {was.arn}"]
            elif now is None:
                seen.vanished.append(f"{operation}: {was.rule} on {was.arn}")
            elif now.status is not was.status:
                seen.touched += 1
                gap = now.gap
                if now.status is not Status.NOT_EVALUATED or gap is None or gap.operation != operation:
                    seen.turned.append(f"{operation}: {was.rule} on {was.arn}: {now.message}")
    return seen


def table(outcomes: dict[str, Outcome], verdicts: dict[Reason, Verdicts]) -> Iterator[str]:
    """One line a fault: calls tried, gaps that name them, resources that have gone, and what must be 0."""
    yield (
        f"{'fault':<22}{'tried':>6}{'named':>7}{'gone':>6}{'silent':>8}{'changed':>9}"
        f"{'unevaluated':>13}{'turned':>8}{'vanished':>10}"
    )
    reasons = {fault.name: fault.reasons for fault in FAULTS}
    for name, seen in outcomes.items():
        judged = [verdicts[reason] for reason in verdicts if reason in reasons[name]]
        yield (
            f"{name:<22}{seen.tried:>6}{seen.named:>7}{seen.gone:>6}{len(seen.silent):>8}{len(seen.changed):>9}"
            f"{max((v.touched for v in judged), default=0):>13}{sum(len(v.turned) for v in judged):>8}"
            f"{sum(len(v.vanished) for v in judged):>10}"
        )


def main() -> int:
    outcomes = try_all()
    reasons = list(dict.fromkeys(reason for fault in FAULTS for reason in sorted(fault.reasons)))
    verdicts = judge(reasons)
    print("\n".join(table(outcomes, verdicts)))
    wrong = [line for seen in outcomes.values() for line in (*seen.silent, *seen.changed)]
    wrong += [line for seen in verdicts.values() for line in (*seen.turned, *seen.vanished)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
