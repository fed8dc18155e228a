"""EventBridge event patterns: does a pattern match an event?

The operators and their meaning are AWS's:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html

The sample events have the fields that AWS documents for the service, with values no filter would name by
chance; a pattern that filters on a run's own id or message text is judged by them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

_MISSING = object()


def matches(pattern: Mapping[str, Any] | None, event: Mapping[str, Any]) -> bool:
    """Whether EventBridge would hand this event to a rule with this pattern; without a pattern, never.

    An operator that this module does not know matches nothing.
    """
    return bool(pattern) and _matches(pattern or {}, event)


def _matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    for field, wanted in pattern.items():
        if field == "$or" and isinstance(wanted, list) and all(isinstance(p, dict) for p in wanted):
            if not any(_matches(alternative, event) for alternative in wanted):
                return False
        elif isinstance(wanted, dict):
            if not _descends(wanted, event.get(field, _MISSING)):
                return False
        elif not any(_accepts(matcher, event.get(field, _MISSING)) for matcher in _listed(wanted)):
            return False
    return True


def _descends(pattern: Mapping[str, Any], value: Any) -> bool:
    """A nested pattern over an object, over any object of an array, or over nothing at all."""
    if isinstance(value, list):
        return any(_matches(pattern, item) for item in value if isinstance(item, dict))
    # {"exists": false} below a field that is not there holds.
    return _matches(pattern, value if isinstance(value, dict) else {})


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _accepts(matcher: Any, value: Any) -> bool:
    """Whether one element of a pattern's list accepts the event's value, or, of a list, any item."""
    if isinstance(matcher, dict) and "exists" in matcher:
        there = value is not _MISSING and value != [] and not isinstance(value, dict)
        return there is bool(matcher["exists"])
    if value is _MISSING:
        return False
    if isinstance(value, list):
        return any(_accepts(matcher, item) for item in value)
    if not isinstance(matcher, dict):
        return _equal(matcher, value)
    return bool(matcher) and all(
        operator in _OPERATORS and _OPERATORS[operator](operand, value)
        for operator, operand in matcher.items()
    )


def _equal(wanted: Any, value: Any) -> bool:
    # True == 1 in Python, and not in JSON.
    return isinstance(wanted, bool) == isinstance(value, bool) and bool(wanted == value)


def _text(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """An operator over text, which may be told to ignore case."""

    def operator(operand: Any, value: Any) -> bool:
        if isinstance(operand, dict):
            folded = operand.get("equals-ignore-case")
            return isinstance(folded, str) and operator(folded.lower(), _lower(value))
        return isinstance(operand, str) and isinstance(value, str) and compare(value, operand)

    return operator


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _wildcard(value: str, operand: str) -> bool:
    """`*` stands for any text; `\\*` and `\\\\` for themselves."""
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", operand)
    pattern = "".join(".*" if part == "*" else re.escape(re.sub(r"\\([*\\])", r"\1", part)) for part in parts)
    return re.fullmatch(pattern, value, re.DOTALL) is not None


def _anything_but(operand: Any, value: Any) -> bool:
    """The value is none of these, and none of the texts that a nested operator describes."""
    if not isinstance(operand, dict):
        return not any(_equal(wanted, value) for wanted in _listed(operand))
    return bool(operand) and all(
        operator in _OPERATORS
        and not any(_OPERATORS[operator](wanted, value) for wanted in _listed(operands))
        for operator, operands in operand.items()
    )


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def _numeric(operand: Any, value: Any) -> bool:
    """`[">", 0, "<=", 5]` over numbers; a number written as text is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(operand, list):
        return False
    pairs = list(zip(operand[::2], operand[1::2], strict=False))
    return bool(pairs) and all(
        sign in _COMPARISONS and _COMPARISONS[sign](value, bound) for sign, bound in pairs
    )


def _cidr(operand: Any, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _text(str.startswith),
    "suffix": _text(str.endswith),
    "equals-ignore-case": _text(lambda value, operand: value.lower() == operand.lower()),
    "wildcard": _text(_wildcard),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
}


# -- what a pattern speaks of ------------------------------------------------------------------------

# How services name themselves in events, and where in `detail` they name the resource.
# https://docs.aws.amazon.com/eventbridge/latest/ref/events.html
_NAMES: Mapping[str, Mapping[str, str]] = {
    "aws.dynamodb": {"tableName": "table"},
    "aws.emr": {"clusterId": "cluster"},
    "aws.glue": {"jobName": "job", "crawlerName": "crawler", "databaseName": "database"},
    "aws.s3": {"bucket.name": "bucket"},
    "aws.states": {"stateMachineArn": "statemachine"},
}
_FAILURES = frozenset(
    "FAILED FAILURE TIMEOUT TIMED_OUT ABORTED STOPPED ERROR TERMINATED_WITH_ERRORS CANCELLED".split()
)
_OBJECTS = "aws.s3"


def names(pattern: object) -> list[tuple[str, str]]:
    """The resources that a pattern names in full, each with what it is: `("bucket", "orders")`, sorted."""
    found = set()
    for source, alternative in _alternatives(pattern):
        for path, what in _NAMES.get(source, {}).items():
            found |= {(what, value) for value in _texts(_at(alternative, ("detail", *path.split("."))))}
        found |= {("arn", value) for value in _texts(alternative.get("resources"))}
    return sorted(found)


def only_failures(pattern: object) -> bool:
    """Whether a pattern lets through nothing but the news that something failed."""
    alternatives = [alternative for _, alternative in _alternatives(pattern)]
    return bool(alternatives) and all(map(_fails_alone, alternatives))


def _fails_alone(alternative: Mapping[str, Any]) -> bool:
    for path in (("detail", "state"), ("detail", "status"), ("detail", "currentStatus")):
        wanted = _at(alternative, path)
        if isinstance(wanted, list) and wanted:
            return all(isinstance(w, str) and w.upper() in _FAILURES for w in wanted)
    return False


def speaks_of_objects(pattern: object) -> bool:
    """Whether a pattern is about objects of S3 and leaves open, or describes, in which buckets."""
    return any(
        source == _OBJECTS and not _texts_alone(_at(alternative, ("detail", "bucket", "name")))
        for source, alternative in _alternatives(pattern)
    )


def accepts_bucket(pattern: object, bucket: str) -> bool:
    """Whether a pattern about objects lets a bucket of this name through."""
    for source, alternative in _alternatives(pattern):
        wanted = _at(alternative, ("detail", "bucket", "name"))
        if source == _OBJECTS and (
            wanted is None or any(_accepts(matcher, bucket) for matcher in _listed(wanted))
        ):
            return True
    return False


def _alternatives(pattern: object) -> list[tuple[str, Mapping[str, Any]]]:
    """A pattern, or each side of its `$or`, by each source that it names."""
    if not isinstance(pattern, dict):
        return []
    either = pattern.get("$or")
    rest = {name: value for name, value in pattern.items() if name != "$or"}
    sides = [s for s in either if isinstance(s, dict)] if isinstance(either, list) else [{}]
    return [(s, {**rest, **side}) for side in sides for s in _texts({**rest, **side}.get("source"))]


def _at(pattern: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = pattern
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _texts(value: Any) -> list[str]:
    return [item for item in _listed(value) if isinstance(item, str)]


def _texts_alone(value: Any) -> bool:
    return value is not None and all(isinstance(item, str) for item in _listed(value))


# -- sample events -----------------------------------------------------------------------------------


def _event(source: str, kind: str, account: str, region: str, **more: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "source": source,
        "detail-type": kind,
        "account": account,
        "region": region,
        "time": "2026-01-01T00:00:00Z",
        "resources": [],
        **more,
    }


def glue_job_event(job: str, state: str, *, account: str, region: str) -> dict[str, Any]:
    """What Glue sends when a run of the job ends as FAILED, TIMEOUT, STOPPED or SUCCEEDED.

    Source: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-glue.html
    """
    severity = {"FAILED": "ERROR", "SUCCEEDED": "INFO"}.get(state, "WARN")
    detail = {
        "jobName": job,
        "severity": severity,
        "state": state,
        "jobRunId": "jr_0000000000000000",
        "message": f"Job run ended as {state}",
    }
    return _event("aws.glue", "Glue Job State Change", account, region, detail=detail)


def execution_event(machine_arn: str, status: str, *, account: str, region: str) -> dict[str, Any]:
    """What Step Functions sends when a STANDARD execution ends; EXPRESS workflows send nothing.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    execution = machine_arn.replace(":stateMachine:", ":execution:") + ":0000"
    detail = {
        "executionArn": execution,
        "stateMachineArn": machine_arn,
        "name": "0000",
        "status": status,
        "startDate": 1767225600000,
        "stopDate": 1767225660000,
        "input": "{}",
        "output": None,
        "error": "States.TaskFailed",
        "cause": "",
    }
    return _event(
        "aws.states",
        "Step Functions Execution Status Change",
        account,
        region,
        resources=[execution],
        detail=detail,
    )
