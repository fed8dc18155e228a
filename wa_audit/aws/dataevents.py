"""Which data events a trail or an event data store takes in of a resource, by its event selectors.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DataResource.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wa_audit.aws import arns

READ, WRITE = "read", "write"
EVENTS: Mapping[str, str] = {
    "AWS::DynamoDB::Table": "AWS::DynamoDB::Table",
    "AWS::Kinesis::Stream": "AWS::Kinesis::Stream",
    "AWS::Lambda::Function": "AWS::Lambda::Function",
    "AWS::S3::Bucket": "AWS::S3::Object",
    "AWS::SQS::Queue": "AWS::SQS::Queue",
}
"""The resource types that are known here, each with what CloudTrail calls its data events."""

_BOTH = frozenset({READ, WRITE})
_BASIC = {"All": _BOTH, "ReadOnly": frozenset({READ}), "WriteOnly": frozenset({WRITE})}
# Fields that say what a selector is about; any other lets through some of the events alone.
_FRAME = frozenset({"eventCategory", "resources.type", "readOnly", "resources.ARN"})
_Selectors = Iterable[Mapping[str, Any]] | None


def logged(type_: str, arn: str, basic: _Selectors, advanced: _Selectors) -> frozenset[str]:
    """Which of `READ` and `WRITE` are logged of all that is done to a resource.

    An event is logged where any selector takes it in. A selector that takes in a part of a resource's events,
    those of some keys of a bucket or by some names, counts for nothing.
    """
    found: frozenset[str] = frozenset()
    for selector in basic or ():
        resources = selector.get("DataResources") or ()
        if any(row.get("Type") == EVENTS[type_] and _names(row, type_, arn) for row in resources):
            # "All" is what holds where nothing is said.
            found |= _BASIC.get(selector.get("ReadWriteType", "All"), frozenset())
    for selector in advanced or ():
        found |= _advanced(type_, arn, selector.get("FieldSelectors") or ())
    return found


def _names(row: Mapping[str, Any], type_: str, arn: str) -> bool:
    """Whether a basic selector's values, ARNs or the beginning of every ARN of a service, name a resource.

    In S3 any beginning will do, down to the bucket and its slash.
    """
    parsed = arns.parse(arn)
    whole = (arn, f"arn:{parsed.partition}:{parsed.service}")
    values = row.get("Values") or ()
    if type_ == "AWS::S3::Bucket":
        return any(f"{arn}/".startswith(value) for value in values)
    return any(value in whole for value in values)


def _advanced(type_: str, arn: str, fields: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    by_name = {str(field.get("Field")): field for field in fields}
    if (by_name.get("eventCategory") or {}).get("Equals") != ["Data"]:
        return frozenset()
    if EVENTS[type_] not in ((by_name.get("resources.type") or {}).get("Equals") or ()):
        return frozenset()
    if set(by_name) - _FRAME or not _takes_in(type_, arn, by_name.get("resources.ARN") or {}):
        return frozenset()
    flags = (by_name.get("readOnly") or {}).get("Equals") or ("true", "false")
    return frozenset(READ if flag == "true" else WRITE for flag in flags)


def _takes_in(type_: str, arn: str, field: Mapping[str, Any]) -> bool:
    """Whether a filter on resources.ARN lets all of a resource through.

    What selects is joined by or, what deselects by and, and the two by and:
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html#filtering-data-events-conditions
    """
    within = type_ == "AWS::S3::Bucket"  # the events are of the objects in it
    start = f"{arn}/" if within else arn
    selects = [start.startswith(value) for value in field.get("StartsWith") or ()]
    selects += [not within and arn == value for value in field.get("Equals") or ()]
    selects += [not within and arn.endswith(value) for value in field.get("EndsWith") or ()]
    deselects = [_meet(start, value, within) for value in field.get("NotStartsWith") or ()]
    deselects += [
        value.startswith(start) if within else arn == value for value in field.get("NotEquals") or ()
    ]
    deselects += [within or arn.endswith(value) for value in field.get("NotEndsWith") or ()]
    return (any(selects) or not selects) and not any(deselects)


def _meet(start: str, value: str, within: bool) -> bool:
    """Whether what begins with `value` is all, or within a bucket some, of what begins with `start`."""
    return start.startswith(value) or (within and value.startswith(start))
