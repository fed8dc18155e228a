"""The Amazon States Language: every state of a definition, what each Task calls, and what becomes of errors.

The language is AWS's: https://states-language.net/spec.html and
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html.
What is not a definition has no states: nothing here raises on odd input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from wa_audit.aws import arns

SYNC = "sync"
CALLBACK = "waitForTaskToken"
ACTIVITY = "activity"

# AWS's default for TimeoutSeconds: three years, more than a Standard execution may last.
_NO_TIMEOUT = 99_999_999
_DEFAULT_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """One `States` map: the definition's own, a Parallel's branch, or a Map's item processor."""

    start: str
    states: Mapping[str, Mapping[str, Any]]

    def reachable(self, first: str) -> set[str]:
        """The states that may run after `first` where nothing fails; `first` itself only in a loop."""
        found: set[str] = set()
        open_ = _next(self.states.get(first, {}))
        while open_:
            name = open_.pop()
            if name in self.states and name not in found:
                found.add(name)
                open_ += _next(self.states[name])
        return found


@dataclass(frozen=True, slots=True)
class State:
    """One state, with the Parallel and Map states around it, outermost first."""

    name: str
    body: Mapping[str, Any]
    scope: Scope = field(repr=False)
    enclosing: tuple[State, ...] = ()

    @property
    def type(self) -> str:
        return str(self.body.get("Type", ""))

    @property
    def path(self) -> str:
        """`Each file > Load`: unique within a definition."""
        return " > ".join([*(state.name for state in self.enclosing), self.name])

    @property
    def levels(self) -> tuple[State, ...]:
        """The state and what encloses it, innermost first: the order in which an error meets them."""
        return (self, *reversed(self.enclosing))

    @property
    def remarks(self) -> str:
        """Name and comment in lower case: what its author says about it."""
        return f"{self.name} {self.body.get('Comment') or ''}".lower()


def walk(definition: object) -> Iterator[State]:
    """Every state, through Parallel branches and Map item processors, each before those within it."""
    if isinstance(definition, dict):
        yield from _walk(definition, ())


def _walk(machine: Mapping[str, Any], enclosing: tuple[State, ...]) -> Iterator[State]:
    found = machine.get("States")
    states = {n: b for n, b in found.items() if isinstance(b, dict)} if isinstance(found, dict) else {}
    scope = Scope(str(machine.get("StartAt", "")), states)
    for name, body in states.items():
        state = State(name, body, scope, enclosing)
        yield state
        inner = [*_list(body, "Branches"), body.get("ItemProcessor"), body.get("Iterator")]
        for part in inner:
            if isinstance(part, dict):
                yield from _walk(part, (*enclosing, state))


def tasks(definition: object) -> list[State]:
    """Every Task state."""
    return [state for state in walk(definition) if state.type == "Task"]


def _next(body: Mapping[str, Any]) -> list[str]:
    """Where a state leads where nothing fails."""
    leads = [body.get("Next"), body.get("Default"), *(c.get("Next") for c in _list(body, "Choices"))]
    return [name for name in leads if isinstance(name, str)]


def _list(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = body.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


# -- what a Task calls -----------------------------------------------------------------------------


class Reference(NamedTuple):
    """What a Task works on: `Reference("job", "nightly")`, with its name, URL or ARN as written."""

    what: str
    name: str


class Integration(NamedTuple):
    """A Task's service, action and pattern.

    `pattern` is `sync`, `waitForTaskToken`, `activity`, or empty where the Task waits for the call's
    response alone.
    """

    service: str
    action: str
    pattern: str
    references: tuple[Reference, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether the Task lasts until the work that it started is done."""
        return bool(self.pattern)


_RESOURCE = re.compile(r"(?:aws-sdk:)?([A-Za-z0-9-]+):(\w+)(?:\.(sync|waitForTaskToken)(?::\d+)?)?")

# The SDK integrations' service names, where the optimised integrations call the service otherwise.
_SERVICES = {
    "emr": "elasticmapreduce",
    "emrserverless": "emr-serverless",
    "emrcontainers": "emr-containers",
    "eventbridge": "events",
    "redshiftdata": "redshift-data",
    "sfn": "states",
}

_PARAMETERS = {
    "athena": {"WorkGroup": "workgroup"},
    "dynamodb": {"TableName": "table"},
    "ecs": {"TaskDefinition": "taskdefinition"},
    "elasticmapreduce": {"ClusterId": "cluster", "JobFlowId": "cluster"},
    "firehose": {"DeliveryStreamName": "deliverystream"},
    "glue": {"JobName": "job", "CrawlerName": "crawler", "Name": "crawler"},
    "kinesis": {"StreamName": "stream", "StreamARN": "stream"},
    "lambda": {"FunctionName": "function"},
    "sns": {"TopicArn": "topic"},
    "sqs": {"QueueUrl": "queue"},
    "states": {"StateMachineArn": "statemachine"},
}


def integration(task: State) -> Integration:
    """What a Task calls; empty strings where its Resource is none that is known."""
    resource = task.body.get("Resource")
    arn = arns.parse(resource)
    if arn.service == "lambda":
        return Integration("lambda", "invoke", "", (Reference("function", str(resource)),))
    if arn.service != "states":
        return Integration("", "", "")
    if arn.resource.startswith("activity:"):
        return Integration("states", "activity", ACTIVITY, (Reference("activity", str(resource)),))
    match = _RESOURCE.fullmatch(arn.resource)
    if not match:
        return Integration("", "", "")
    service = _SERVICES.get(match[1], match[1])
    given = arguments(task)
    references = tuple(
        Reference(what, given[name])
        for name, what in _PARAMETERS.get(service, {}).items()
        if isinstance(given.get(name), str) and (what != "crawler" or "Crawler" in match[2])
    )
    return Integration(service, match[2], match[3] or "", references)


def arguments(task: State) -> dict[str, Any]:
    """A Task's constant arguments, from `Parameters` (JSONPath) or `Arguments` (JSONata).

    What is computed as the machine runs is left out: keys that end in `.$`, strings in `{% %}`.
    """
    found: dict[str, Any] = {}
    for key in ("Parameters", "Arguments"):
        given = task.body.get(key)
        if isinstance(given, dict):
            found |= {
                name: value
                for name, value in given.items()
                if not name.endswith(".$")
                and not (isinstance(value, str) and value.lstrip().startswith("{%"))
            }
    return found


# Calls that return as soon as the work has begun, so that its failure is nobody's unless somebody asks.
_STARTS_WORK = frozenset(
    {
        ("athena", "startQueryExecution"),
        ("ecs", "runTask"),
        ("elasticmapreduce", "addStep"),
        ("elasticmapreduce", "addJobFlowSteps"),
        ("emr-serverless", "startJobRun"),
        ("glue", "startJobRun"),
        ("redshift-data", "batchExecuteStatement"),
        ("redshift-data", "executeStatement"),
        ("states", "startExecution"),
    }
)
_ASKS = ("get", "describe", "batchGet", "list")
_NOTIFIERS = frozenset({"chatbot", "pinpoint", "ses", "sesv2", "sns"})


def starts_work(task: State) -> bool:
    """Whether a Task begins work elsewhere that goes on after the call has returned."""
    called = integration(task)
    return (called.service, called.action) in _STARTS_WORK


def notifies(task: State) -> bool:
    """Whether a Task only tells somebody: publishes to a topic, sends an e-mail."""
    return integration(task).service in _NOTIFIERS


def awaits_approval(task: State) -> bool:
    """Whether a Task waits for a person's approval, as its name or comment says."""
    return integration(task).pattern in (CALLBACK, ACTIVITY) and "approv" in task.remarks


def declines_retry(task: State) -> bool:
    """Whether a Task's author says that it must not be repeated: "no-retry" in its name or comment."""
    return "no-retry" in task.remarks or "no retry" in task.remarks


def polled(task: State) -> bool:
    """Whether a loop of Wait, Choice and a Task that asks for a status follows the Task."""
    scope = task.scope
    later = scope.reachable(task.name)
    for wait in later:
        if scope.states[wait].get("Type") != "Wait":
            continue
        loop = {name for name in scope.reachable(wait) if wait in scope.reachable(name)} - {task.name}
        types = {scope.states[name].get("Type") for name in loop}
        if "Choice" in types and any(_asks(State(name, scope.states[name], scope)) for name in loop):
            return True
    return False


def _asks(state: State) -> bool:
    if state.type != "Task":
        return False
    called = integration(state)
    return called.service == "lambda" or called.action.startswith(_ASKS)


def tasks_on(definition: object, reference: Reference) -> list[State]:
    """The Tasks that name this job, queue, …"""
    return [task for task in tasks(definition) if reference in integration(task).references]


# -- what comes of it --------------------------------------------------------------------------------


class Effect(Enum):
    """What a Task does to what it names."""

    STARTS = "starts"
    WRITES = "writes"
    READS = "reads"


# By service: what an action does, by how its name begins, and the arguments that name what it does it to.
_EFFECTS: Mapping[str, tuple[tuple[Effect, str, Mapping[str, str]], ...]] = {
    "athena": ((Effect.STARTS, "startQueryExecution", {"WorkGroup": "workgroup"}),),
    "dynamodb": (
        (Effect.WRITES, "put update delete", {"TableName": "table"}),
        (Effect.READS, "get query scan", {"TableName": "table"}),
    ),
    "ecs": ((Effect.STARTS, "runTask", {"TaskDefinition": "taskdef"}),),
    "elasticmapreduce": (
        (Effect.STARTS, "addStep addJobFlowSteps", {"ClusterId": "cluster", "JobFlowId": "cluster"}),
    ),
    "emr-serverless": ((Effect.STARTS, "startJobRun", {"ApplicationId": "application"}),),
    "firehose": ((Effect.WRITES, "put", {"DeliveryStreamName": "deliverystream"}),),
    "glue": (
        (Effect.STARTS, "startJobRun", {"JobName": "job"}),
        (Effect.STARTS, "startCrawler", {"Name": "crawler"}),
        (Effect.STARTS, "startWorkflowRun", {"Name": "workflow"}),
    ),
    "kinesis": ((Effect.WRITES, "put", {"StreamName": "streamname", "StreamARN": "arn"}),),
    "lambda": ((Effect.STARTS, "invoke", {"FunctionName": "function"}),),
    "redshift-data": (
        (Effect.STARTS, "executeStatement batchExecuteStatement", {"ClusterIdentifier": "redshift"}),
    ),
    "s3": (
        (Effect.WRITES, "put copy upload complete", {"Bucket": "bucket"}),
        (Effect.READS, "get list head select", {"Bucket": "bucket"}),
    ),
    "sns": ((Effect.WRITES, "publish", {"TopicArn": "topic"}),),
    "sqs": (
        (Effect.WRITES, "send", {"QueueUrl": "queue"}),
        (Effect.READS, "receive", {"QueueUrl": "queue"}),
    ),
    "states": ((Effect.STARTS, "startExecution startSyncExecution", {"StateMachineArn": "statemachine"}),),
}


def effects(definition: object, effect: Effect) -> list[tuple[str, str]]:
    """What a definition starts, writes to or reads from, where it is named: `("job", "nightly")`, sorted.

    A Distributed Map reads its items and writes its results itself.
    """
    found: set[tuple[str, str]] = set()
    for state in walk(definition):
        if state.type == "Task":
            found |= _task_effects(state, effect)
        elif state.type == "Map":
            key = {Effect.READS: "ItemReader", Effect.WRITES: "ResultWriter"}.get(effect, "")
            part = state.body.get(key)
            given = arguments(State(state.name, part, state.scope)) if isinstance(part, dict) else {}
            if isinstance(given.get("Bucket"), str):
                found.add(("bucket", given["Bucket"]))
    return sorted(found)


def _task_effects(task: State, effect: Effect) -> set[tuple[str, str]]:
    called = integration(task)
    if called.service == "lambda" and effect is Effect.STARTS:
        return {("function", r.name) for r in called.references if called.action.startswith("invoke")}
    given = arguments(task)
    found = set()
    for does, actions, names in _EFFECTS.get(called.service, ()):
        if does is effect and called.action.startswith(tuple(actions.split())):
            found |= {(what, given[name]) for name, what in names.items() if isinstance(given.get(name), str)}
    if called.service == "dynamodb" and called.action.startswith("batch"):
        writes = called.action.startswith("batchWrite")
        tables = given.get("RequestItems")
        if isinstance(tables, dict) and effect is (Effect.WRITES if writes else Effect.READS):
            found |= {("table", str(name)) for name in tables}
    if called.service == "events" and effect is Effect.WRITES:
        for entry in _list(given, "Entries"):
            bus = entry.get("EventBusName")
            if isinstance(bus, str) and bus != "default":
                found.add(("eventbus", bus))
    return found


# -- time ------------------------------------------------------------------------------------------


def limited(body: Mapping[str, Any]) -> bool:
    """Whether a state, or a whole definition, ends by itself where nothing is heard."""
    for key in ("TimeoutSeconds", "HeartbeatSeconds"):
        if body.get(f"{key}Path"):
            return True
        value = body.get(key)
        if isinstance(value, str) or (isinstance(value, int | float) and 0 < value < _NO_TIMEOUT):
            return True
    return False


# -- errors ----------------------------------------------------------------------------------------

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"

# Errors that say "not now": throttling, a service's own faults, and the catch-all of an SDK's client.
_TRANSIENT = re.compile(
    r"Throttl|TooManyRequests|SlowDown|LimitExceeded|ThroughputExceeded|ConcurrentRuns|ConcurrentModification"
    r"|ServiceException|ServiceUnavailable|ServerException|ServerError|InternalService|InternalFailure"
    r"|SdkClientException|ClientExecutionTimeout|OperationTimeout|RequestTimeout|Unavailable"
    r"|(?:AWS|Amazon)\w*Exception|Lambda\.Unknown"
)


class Retrier(NamedTuple):
    errors: tuple[str, ...]
    attempts: int


class Catcher(NamedTuple):
    errors: tuple[str, ...]
    next: str


def retriers(state: State) -> list[Retrier]:
    """A state's Retry, MaxAttempts 3 where it names none."""
    found = []
    for row in _list(state.body, "Retry"):
        attempts = row.get("MaxAttempts", _DEFAULT_ATTEMPTS)
        found.append(Retrier(_errors(row), attempts if isinstance(attempts, int) else _DEFAULT_ATTEMPTS))
    return found


def catchers(state: State) -> list[Catcher]:
    """A state's Catch."""
    return [Catcher(_errors(row), str(row.get("Next", ""))) for row in _list(state.body, "Catch")]


def _errors(row: Mapping[str, Any]) -> tuple[str, ...]:
    value = row.get("ErrorEquals")
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def matches(errors: tuple[str, ...], error: str, *, last: bool = True) -> bool:
    """Whether an ErrorEquals matches an error.

    `States.ALL` counts only where it stands alone in the last row, and never matches
    States.DataLimitExceeded and States.Runtime; `States.TaskFailed` matches all but States.Timeout.
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    if error in errors:
        return True
    if error in ("States.DataLimitExceeded", "States.Runtime"):
        return False
    if ALL in errors and len(errors) == 1 and last:
        return True
    return TASK_FAILED in errors and error != "States.Timeout"


def retried(task: State) -> bool:
    """Whether passing faults of a Task are tried again, by its own Retry or by one around it."""
    return any(_retries_faults(retriers(state)) for state in task.levels)


def _retries_faults(rows: list[Retrier]) -> bool:
    for position, row in enumerate(rows):
        if row.attempts > 0 and (
            matches(row.errors, TASK_FAILED, last=position == len(rows) - 1)
            or any(_is_transient(error) for error in row.errors)
        ):
            return True
    return False


def _is_transient(error: str) -> bool:
    if error.startswith("States."):
        return error.startswith("States.Http.")
    return bool(_TRANSIENT.search(error))


def off_the_main_path(state: State) -> bool:
    """Whether only a Catch leads to the state, or to what encloses it: it is failure handling itself."""
    return any(
        level.name != level.scope.start and level.name not in level.scope.reachable(level.scope.start)
        for level in state.levels
    )


_WORK = ("Task", "Parallel", "Map")
HANDLED, HIDDEN, UNCAUGHT = "handled", "hidden", "uncaught"


def fate(task: State) -> str:
    """What becomes of a Task's failure: `handled`, `hidden` (the execution looks well), or `uncaught`.

    An error meets the Task's own Catch first, then those of the Parallel and Map states around it, from
    the inside out; a Map that tolerates 100 % failed items lets nothing through.
    """
    for level in task.levels:
        if level.type == "Map" and level.body.get("ToleratedFailurePercentage") == 100:
            return HIDDEN
        rows = catchers(level)
        for position, row in enumerate(rows):
            if matches(row.errors, TASK_FAILED, last=position == len(rows) - 1) and _ends_well(
                row.next, level
            ):
                return HIDDEN
        if any(not _ends_well(row.next, level) for row in rows):
            return HANDLED
    return UNCAUGHT


def answered(task: State) -> bool:
    """Whether a Catch of the Task, or of what is around it, leads on to work that can tell of the failure."""
    for level in task.levels:
        rows = catchers(level)
        for position, row in enumerate(rows):
            after = {row.next} | level.scope.reachable(row.next)
            works = any(level.scope.states.get(name, {}).get("Type") in _WORK for name in after)
            if works and matches(row.errors, TASK_FAILED, last=position == len(rows) - 1):
                return True
    return False


def _ends_well(name: str, state: State) -> bool:
    """Whether a Catch goes straight to success: to a Succeed, or to the execution's end by Pass states alone.

    Within a Map or Parallel, a Pass at the end of the branch hands the error on as output.
    """
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        body = state.scope.states.get(name, {})
        if body.get("Type") == "Succeed":
            return True
        if body.get("Type") != "Pass":
            return False
        if body.get("End"):
            return not state.enclosing
        name = str(body.get("Next", ""))
    return False
