"""CloudWatch metrics of resources that have been read: up to 500 series a call, a few numbers kept of each.

Read after everything else, region by region. A region is one unit of the journal: read whole, or again. What
is kept of a series, in the resource's field `Metrics`, is what its datapoints come to:

    {"IncomingRecords": {"Datapoints": 14, "Above0": 13, "Sum": 8e6, "Minimum": 0, "Maximum": 7e5, …}}

Each datapoint is the row's statistic over the row's period; `Above0` counts those above zero, `Latest` is the
last. `{"Datapoints": 0}` says that CloudWatch was asked and has nothing; a series that could not be read
whole is not there, and a gap on `Metrics.<key>`, or on `Metrics` where none of them could, says why.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

import jmespath
from botocore import exceptions

from wa_audit.collect import reader
from wa_audit.collect.errors import Malformed
from wa_audit.collect.journal import Measured
from wa_audit.collect.kinds import Call, Kind, Metric
from wa_audit.collect.plan import Plan
from wa_audit.model import Gap, Resource

# The most that one GetMetricData takes:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
MOST_SERIES = 500
# USD, in most regions: https://aws.amazon.com/cloudwatch/pricing/
PRICE_OF_SERIES = 0.01 / 1000

# The unit that a region's metrics are, to the scheduler and the journal; nothing of this type is listed.
KIND = Kind(
    "AWS::CloudWatch::Metric",
    service="cloudwatch",
    list=Call(
        operation="GetMetricData",
        args={name: name for name in ("MetricDataQueries", "StartTime", "EndTime")},
        take="MetricDataResults",
    ),
    arn="",
)


def call_of(details: Iterable[Call]) -> Call | None:
    """The call among a type's detail calls that asks for metrics."""
    return next((call for call in details if call.metrics), None)


def series_of_each(plan: Plan) -> dict[str, int]:
    """By type: how many series a plan asks for on each resource, at the most.

    What is counted by a resource's own number, of brokers for one, counts once.
    """
    calls = {type_: call_of(details) for type_, (_, details) in plan.items()}
    return {type_: len(call.metrics) for type_, call in calls.items() if call}


def price(plan: Plan, resources: Mapping[str, int]) -> float:
    """What AWS asks for a plan's metrics, in USD, at the most; `resources` counts them by type."""
    each = series_of_each(plan)
    return sum(count * resources.get(type_, 0) for type_, count in each.items()) * PRICE_OF_SERIES


@dataclass(frozen=True, slots=True)
class Window:
    """The time that metrics are asked for: `days` that end at the last full hour before the run began."""

    end: datetime.datetime
    days: int

    @classmethod
    def before(cls, started: str, days: int) -> Window:
        end = datetime.datetime.fromisoformat(started).replace(minute=0, second=0, microsecond=0)
        return cls(end, days)

    def parameters(self, hours: int) -> dict[str, datetime.datetime]:
        """GetMetricData's, for the window or for its last hours."""
        back = datetime.timedelta(hours=hours) if hours else datetime.timedelta(days=self.days)
        return {"StartTime": self.end - back, "EndTime": self.end}


@dataclass(frozen=True, slots=True)
class Series:
    """One row, asked of one resource."""

    arn: str
    key: str
    row: Metric
    dimensions: Mapping[str, str]


@dataclass(slots=True)
class Summary:
    """What the datapoints of one series come to, as the pages bring them."""

    count: int = 0
    above: int = 0
    sum: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    latest: float = 0.0
    latest_at: datetime.datetime | None = None
    status: str = ""

    def add(self, result: Mapping[str, Any]) -> None:
        times, values = result.get("Timestamps") or (), result.get("Values") or ()
        if len(times) != len(values):
            raise Malformed("GetMetricData answered with more times than values, or fewer")
        self.status = str(result.get("StatusCode", ""))
        for time, raw in zip(times, values, strict=True):
            value = float(raw)
            if not math.isfinite(value):
                continue
            self.count += 1
            self.above += value > 0
            self.sum += value
            self.minimum, self.maximum = min(self.minimum, value), max(self.maximum, value)
            if self.latest_at is None or time > self.latest_at:
                self.latest, self.latest_at = value, time

    def kept(self) -> dict[str, int | float]:
        if not self.count:
            return {"Datapoints": 0}
        return {
            "Datapoints": self.count,
            "Above0": self.above,
            "Sum": self.sum,
            "Minimum": self.minimum,
            "Maximum": self.maximum,
            "Latest": self.latest,
        }


@dataclass(slots=True)
class Region:
    """The metrics of one region's resources: what is asked, and what came of it."""

    window: Window
    resources: list[tuple[Kind, Call, Resource]] = field(default_factory=list)
    context: Mapping[str, Any] = field(default_factory=dict)
    _kept: dict[str, dict[str, dict[str, int | float]]] = field(default_factory=dict)
    _errors: dict[str, dict[str, BaseException]] = field(default_factory=dict)

    def batches(self) -> Iterator[list[Series]]:
        """Every series, in calls: those of one call are asked over one time."""
        windows = {row.hours for _, call, _ in self.resources for row in call.metrics}
        for hours in sorted(windows):
            found = (series for series in self._series() if series.row.hours == hours)
            while batch := list(islice(found, MOST_SERIES)):
                yield batch

    def _series(self) -> Iterator[Series]:
        for kind, call, resource in self.resources:
            if reader.unknowable(kind, call, resource) is None:
                yield from _series_of(call, resource, self.context)

    def read(self, client: Any, batch: list[Series]) -> None:
        """Asks for a batch. An error is kept as the outcome of each of its series.

        Thread-safe: a series belongs to one batch. Raises what the call raised, after it is kept.
        """
        try:
            read = _read(client, batch, self.window)
        except Exception as error:
            for series in batch:
                self._errors.setdefault(series.arn, {})[series.key] = error
            raise
        for series, summary in zip(batch, read, strict=True):
            if summary.status == "Complete":
                self._kept.setdefault(series.arn, {})[series.key] = summary.kept()
            else:
                self._errors.setdefault(series.arn, {})[series.key] = _incomplete(summary)

    def finish(self) -> dict[str, Measured]:
        """What became of every resource, by its ARN. Every series has been read, or was tried."""
        return {resource.arn: self._finished(kind, call, resource) for kind, call, resource in self.resources}

    def _finished(self, kind: Kind, call: Call, resource: Resource) -> Measured:
        if missing := reader.unknowable(kind, call, resource):
            return Measured(gaps=(missing,))
        asked = [series.key for series in _series_of(call, resource, self.context)]
        kept, errors = self._kept.get(resource.arn, {}), self._errors.get(resource.arn, {})
        lost = {key: errors.get(key) or Malformed("no answer") for key in asked if key not in kept}
        if lost and not kept:
            return Measured(gaps=(self._gap(kind, call, resource, next(iter(lost.values())), call.fields),))
        gaps = [
            self._gap(kind, call, resource, error, (f"{call.into}.{key}",)) for key, error in lost.items()
        ]
        return Measured(metrics={key: kept[key] for key in asked if key in kept}, gaps=tuple(gaps))

    def _gap(
        self, kind: Kind, call: Call, resource: Resource, error: BaseException, fields: tuple[str, ...]
    ) -> Gap:
        return reader.gap(kind, call, error, region=resource.region, arn=resource.arn, fields=fields)


def regions(plan: Plan, resources: Iterable[Resource], window: Window, main_region: str) -> dict[str, Region]:
    """What a plan asks for on these resources, by the region that keeps their metrics.

    In an order that does not hang on the one in which they were read.
    """
    found: dict[str, Region] = {}
    for resource in sorted(resources, key=lambda r: (r.type, r.arn)):
        kind, details = plan.get(resource.type, (None, ()))
        call = call_of(details)
        if kind is not None and call is not None:
            region = resource.region or main_region
            context = {"account": resource.account, "region": region}
            found.setdefault(region, Region(window, context=context)).resources.append((kind, call, resource))
    return dict(sorted(found.items()))


def _series_of(call: Call, resource: Resource, context: Mapping[str, Any]) -> Iterator[Series]:
    facts = {"name": resource.name, **resource.data, **context, "arn": resource.arn}
    for row in call.metrics:
        if row.when and not _compiled(row.when).search(facts):
            continue
        key = row.key or row.name
        for number in range(1, int(_compiled(row.each).search(facts) or 0) + 1) if row.each else (0,):
            more = {**facts, "number": number}
            dimensions = {name: _compiled(path).search(more) for name, path in row.dimensions.items()}
            if None not in dimensions.values():
                dimensions = {name: str(value) for name, value in dimensions.items()}
                yield Series(resource.arn, f"{key}.{number}" if number else key, row, dimensions)


def _read(client: Any, batch: list[Series], window: Window) -> list[Summary]:
    """The outcome of every series of a batch, in its order."""
    summaries = {f"m{number}": Summary() for number in range(len(batch))}
    queries = [_query(id_, series) for id_, series in zip(summaries, batch, strict=True)]
    asked = {"MetricDataQueries": queries, **window.parameters(batch[0].row.hours)}
    for results in reader.taken_pages(client, KIND.list, asked):
        for result in results:
            if result.get("Id") in summaries:
                summaries[result["Id"]].add(result)
    return list(summaries.values())


def _query(id_: str, series: Series) -> dict[str, Any]:
    row = series.row
    return {
        "Id": id_,
        "MetricStat": {
            "Metric": {
                "Namespace": row.namespace,
                "MetricName": row.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions.items()],
            },
            "Period": row.period,
            "Stat": row.stat,
        },
        "ReturnData": True,
    }


def _incomplete(summary: Summary) -> BaseException:
    """PartialData on the last page, InternalError or Forbidden, as an error of the call; or no word of it."""
    if not summary.status:
        return Malformed("GetMetricData left a series out")
    found = {"Code": summary.status, "Message": "CloudWatch gave this metric in part or not at all"}
    error: BaseException = exceptions.ClientError({"Error": found}, "GetMetricData")
    return error


@cache
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)
