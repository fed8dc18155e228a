"""Kinds: what to list and what to describe, as rows of data, one file a service.

From the same rows come the calls, the read-only guard's allow-list, the auditor's IAM policy, and a test
that holds each row against botocore's own service model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from wa_audit.expressions import fields_of


@dataclass(frozen=True, slots=True)
class Metric:
    """One CloudWatch metric of a resource type, read through GetMetricData.

    name, namespace: as CloudWatch has them.
    dimensions: dimension → JMESPath over the resource's data, and over its `name`, `arn`, `account` and
                `region`.
    stat:       what CloudWatch makes of each period: Sum, Average, Minimum, Maximum.
    period:     seconds.
    hours:      only the window's last hours; 0: the whole window.
    key:        what it is called in the field `Metrics`, where that is not its name.
    when:       JMESPath: read only where it holds.
    each:       JMESPath to a number n: read for each `number` from 1 to n, which ends the key.
    """

    name: str
    namespace: str
    dimensions: Mapping[str, str]
    stat: str = "Sum"
    period: int = 86_400
    hours: int = 0
    key: str = ""
    when: str = ""
    each: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every expression of the row."""
        return tuple(path for path in (self.when, self.each, *self.dimensions.values()) if path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation and what is kept of its answer.

    operation: the API's name, `GetQueueAttributes`.
    service:   boto3's name of the service, where it is not the kind's own.
    args:      parameter → JMESPath over the resource's data (a list call's: over its parent's data). The
               names `account`, `region`, `partition` and `arn` are there too, and times before the run:
               `month_ago` (30 days, ISO 8601), and the first days of `this_month`, of `last_month`, and of
               the month six before this, `half_year_ago`.
    params:    constant parameters.
    each:      of a list call: constant parameters, each set of which makes a call of its own.
    take:      JMESPath into the answer: the items of a list call, the fact of a detail call. An answer
               without it is malformed, unless the row says `optional`: AWS leaves it out when it is empty.
    keep:      the names of the fields that enter the inventory; of a map or structure, or of each item of a
               list. Everything else that AWS sends is dropped at the door.
    drop:      paths within the kept fields, `Field[].field`, that do not enter it after all.
    into:      the field that a detail call fills; without it the kept fields become the resource's own.
    absent:    error codes that mean "not configured". Where one code has several meanings, `Code: words`
               is the one whose message holds these words.
    gone:      error codes that mean "no longer there"; of a list call: "there is none of this type", as
               where a service is not in use.
    failures:  JMESPath to the error codes that stand in an answer of HTTP 200, which are errors like others;
               each may be `Code: words`.
    until:     JMESPath over the answer: the call is made again until it holds, or `waiting.LONGEST` is over.
    when:      JMESPath over the resource's data: the call is made only where it holds.
    token:     for operations botocore cannot page: the request's token, filled from the answer by `next`.
    pages:     how many pages are read, where AWS gives the newest first or the first say enough; 0: all.
    price:     what AWS asks for one request, in USD; 0 for almost all.
    metrics:   what GetMetricData is asked for on each resource, many resources a call. AWS asks a price for
               each of them.
    aid:       a call that can answer in its place, for all resources of a region.
    """

    operation: str
    service: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    each: tuple[Mapping[str, Any], ...] = ()
    take: str = ""
    keep: str = ""
    drop: str = ""
    into: str = ""
    absent: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    failures: str = ""
    until: str = ""
    when: str = ""
    optional: bool = False
    token: str = ""
    next: str = ""
    pages: int = 0
    price: float = 0.0
    metrics: tuple[Metric, ...] = ()
    aid: Aid | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The resource fields that this call fills."""
        return (self.into,) if self.into else tuple(self.keep.split())

    @property
    def depends_on(self) -> frozenset[str]:
        """The resource fields on which it depends whether the call is made, and what it asks for."""
        # What metrics are asked with is made of their rows, for many resources at once.
        args = (path for row in self.metrics for path in row.paths) if self.metrics else self.args.values()
        paths = (self.when, *args)
        return frozenset[str]().union(*(fields_of(path) for path in paths if path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aid:
    """A call that spares the asking of each resource: made once in a region, when the first could do with it.

    Where it fails, is refused, or does not say, each resource is asked: an aid saves calls and hides nothing.

    name:       what tells it from others.
    call:       what is asked: pages of `ResourceARN` and the value that the spared call would take.
    none_where: JMESPath over its one answer: where it holds, no resource has what the spared call asks for.
    """

    name: str
    call: Call
    none_where: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource type: how it is listed, how it is described, and what it is called.

    arn, name: `str.format` templates and JMESPath expressions: `arn` is a template over `partition`,
               `account`, `region`, `name` and the fields of the listed item; `name` is a JMESPath over the
               item, and what follows its last `/` or `:` is the name.
    region:    field of the item, for a type whose list is global and whose resources are not.
    elsewhere: a resource is kept even if its own region is not audited, because it reaches into those that
               are.
    parent:    the type whose every resource is asked for a list of its own.
    when:      a number of the parent's that is read first: where it is 0, there is no list to ask for.
    inherits:  the fields of the parent's list that its children take over.
    within:    types, without any of which a region has none of this one, or none that tells anything: the
               list is read in a region as soon as one of them is found there, or could not be listed.
    scope:     "regional": listed in each region; "global": listed once.
    not_in:    the partitions in which AWS does not offer the service: its host there is another partition's,
               or none.
    decode:    fields that AWS sends as text and that are JSON, numbers or booleans.
    properties: fields that AWS sends as the bytes of a Java properties file, and that become a map.
    project:   field → JMESPath over it: what of a decoded field enters the inventory.
    secrets:   maps whose values may be secrets: each value is replaced by the class of what it looks like,
               but for the keys named here, which are settings of the service. A path that ends in `[]`
               leads to pairs of `name` and `value` instead of a map.
    refers:    texts, or lists of words, in which anything may stand, the arguments of a step or the URL of an
               endpoint: what they refer to is kept, and they are not.
    submits:   lists of words, some of which submit a Spark job: of its settings those are kept beside
               them that are judged.
    passing:   fields that later calls ask by, and that then go: the id of something begun, say.
    scrub:     fields in which people write what they like: what lies under a telling key, or has the shape
               of a secret, is blotted out.
    """

    type: str
    service: str
    list: Call
    arn: str
    name: str = "Name"
    details: tuple[Call, ...] = ()
    region: str = ""
    elsewhere: bool = False
    parent: str = ""
    when: str = ""
    inherits: str = ""
    within: str = ""
    scope: str = "regional"
    not_in: str = ""
    decode: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    project: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    refers: tuple[str, ...] = ()
    submits: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    scrub: tuple[str, ...] = ()

    @property
    def calls(self) -> tuple[Call, ...]:
        return (self.list, *self.details)

    @property
    def fields(self) -> frozenset[str]:
        """Every field that a resource of this kind can have."""
        made = {"References"} if self.secrets or self.refers else set()
        return frozenset(self.inherits.split()).union(made, *(call.fields for call in self.calls))

    @property
    def listed(self) -> frozenset[str]:
        """The fields that a resource has before any detail call."""
        return frozenset(self.inherits.split()).union(self.list.fields)

    def operation(self, call: Call) -> str:
        """`sqs:GetQueueAttributes`: boto3's service name and the API's operation."""
        return f"{call.service or self.service}:{call.operation}"

    def operations(self, call: Call) -> frozenset[str]:
        """Its own, and that of its aid."""
        helping = [self.operation(call.aid.call)] if call.aid else []
        return frozenset([self.operation(call), *helping])


# What is used there is billed to an account in the partition aws:
# https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/usage-and-payment.html
BILLED_ELSEWHERE = "aws-us-gov"

MODULES = (
    "athena",
    "backup",
    "budgets",
    "ce",
    "cloudformation",
    "cloudtrail",
    "cloudwatch",
    "config",
    "datasync",
    "dms",
    "dynamodb",
    "ec2",
    "ecs",
    "emr",
    "emrserverless",
    "events",
    "firehose",
    "glue",
    "iam",
    "iot",
    "kinesis",
    "kms",
    "lakeformation",
    "lambda_",
    "logs",
    "msk",
    "opensearch",
    "organizations",
    "pipes",
    "quicksight",
    "redshift",
    "s3",
    "scheduler",
    "secretsmanager",
    "servicequotas",
    "sns",
    "sqs",
    "stepfunctions",
    "xray",
)


@cache
def all_kinds() -> tuple[Kind, ...]:
    """Every kind, parents before their children, sorted by type."""
    found: list[Kind] = []
    for module in MODULES:
        found.extend(import_module(f"{__name__}.{module}").KINDS)
    rows: Mapping[str, tuple[Metric, ...]] = import_module(f"{__name__}.metrics").METRICS
    found = [_measured(kind, rows[kind.type]) if kind.type in rows else kind for kind in found]
    return tuple(sorted(found, key=lambda kind: (bool(kind.parent), kind.type)))


def _measured(kind: Kind, rows: tuple[Metric, ...]) -> Kind:
    """The kind with its metrics, which come last: what they are asked for by was described before."""
    call = Call(
        operation="GetMetricData",
        service="cloudwatch",
        args={name: name for name in ("MetricDataQueries", "StartTime", "EndTime")},
        take="MetricDataResults",
        into="Metrics",
        metrics=rows,
    )
    return replace(kind, details=(*kind.details, call))


@cache
def by_type() -> Mapping[str, Kind]:
    """Every kind by its resource type."""
    return MappingProxyType({kind.type: kind for kind in all_kinds()})


def declared() -> Iterator[tuple[Kind, Call]]:
    """Every declared call with the kind that declares it."""
    for kind in all_kinds():
        for call in kind.calls:
            yield kind, call
