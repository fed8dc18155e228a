"""CloudWatch alarms: what an alarm watches, and whether anybody hears of it.

An alarm is anything that answers `alarm["MetricName"]` with None where there is no such field: a resource.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, Protocol

# The namespaces of the services a data pipeline is built of.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
PIPELINE_NAMESPACES = frozenset(
    {
        "AWS/Athena",
        "AWS/DynamoDB",
        "AWS/ElasticMapReduce",
        "AWS/EMRServerless",
        "AWS/ES",
        "AWS/Events",
        "AWS/EventBridge/Pipes",
        "AWS/Firehose",
        "AWS/Glue",
        "AWS/Kafka",
        "AWS/KafkaConnect",
        "AWS/Kinesis",
        "AWS/KinesisAnalytics",
        "AWS/Lambda",
        "AWS/Redshift",
        "AWS/Redshift-Serverless",
        "AWS/S3",
        "AWS/Scheduler",
        "AWS/SNS",
        "AWS/SQS",
        "AWS/States",
        "Glue",
    }
)
# Namespaces in which a metric without dimensions is the sum over all resources.
_SUMMED = frozenset({"AWS/Lambda"})

# A destination's field in DescribeDeliveryStream, and the names its metrics begin with. Redshift's data goes
# through S3, and only that step measures its age.
# https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html
FIREHOSE_DELIVERIES: Mapping[str, tuple[str, ...]] = {
    "ExtendedS3DestinationDescription": ("DeliveryToS3",),
    "S3DestinationDescription": ("DeliveryToS3",),
    "RedshiftDestinationDescription": ("DeliveryToRedshift", "DeliveryToS3"),
    "ElasticsearchDestinationDescription": ("DeliveryToElasticsearch", "DeliveryToAmazonOpenSearchService"),
    "AmazonopensearchserviceDestinationDescription": (
        "DeliveryToAmazonOpenSearchService",
        "DeliveryToElasticsearch",
    ),
    "AmazonOpenSearchServerlessDestinationDescription": ("DeliveryToAmazonOpenSearchServerless",),
    "SplunkDestinationDescription": ("DeliveryToSplunk",),
    "HttpEndpointDestinationDescription": ("DeliveryToHttpEndpoint",),
    "SnowflakeDestinationDescription": ("DeliveryToSnowflake",),
    "IcebergDestinationDescription": ("DeliveryToIceberg",),
}


class Alarm(Protocol):
    def __getitem__(self, field: str, /) -> Any: ...


class Metric(NamedTuple):
    """A metric that an alarm watches.

    `dimensions` are those it has, or, of a Metrics Insights query, those the query asks for; `excluded` are
    the pairs that a query rules out. A query watches everything that it does not rule out.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    query: bool = False
    excluded: tuple[tuple[str, str], ...] = ()

    def covers(self, dimensions: Mapping[str, str]) -> bool:
        """Whether it speaks of the resource with these dimensions, or of a part of it."""
        if self.query:
            return all(dimensions.get(key) == value for key, value in self.dimensions.items()) and all(
                dimensions.get(key, value) != value for key, value in self.excluded
            )
        if not self.dimensions and self.namespace in _SUMMED:
            return True
        return dimensions.items() <= self.dimensions.items()


def metrics(alarm: Alarm) -> list[Metric]:
    """The metrics that decide an alarm's state: its own, or those its expression is computed from.

    Metrics that an alarm carries and its expression does not use are left out, and so are those of other
    accounts, as their resources are not here.
    """
    if alarm["MetricName"]:
        return [_metric(alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"])]
    queries: dict[str, Mapping[str, Any]] = {query["Id"]: query for query in alarm["Metrics"] or ()}
    account = str(alarm["AlarmArn"] or "").split(":")[4:5]
    found = []
    for query in _used(queries):
        if query.get("AccountId") and [query["AccountId"]] != account:
            continue
        if stat := query.get("MetricStat"):
            metric = stat["Metric"]
            found.append(_metric(metric["Namespace"], metric["MetricName"], metric.get("Dimensions")))
        elif insight := _insight(query.get("Expression", "")):
            found.append(insight)
    return found


def watches(alarm: Alarm, namespace: str, names: Collection[str], dimensions: Mapping[str, str]) -> bool:
    """Whether the alarm watches one of these metrics of the resource with these dimensions."""
    # Nearly every alarm is on another metric, and is told apart without building anything.
    plain = alarm["MetricName"]
    if plain and plain not in names:
        return False
    return any(
        metric.namespace == namespace and metric.name in names and metric.covers(dimensions)
        for metric in metrics(alarm)
    )


def _metric(namespace: str, name: str, dimensions: Iterable[Mapping[str, str]] | None) -> Metric:
    return Metric(namespace, name, {pair["Name"]: pair["Value"] for pair in dimensions or ()})


def _used(queries: Mapping[str, Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The queries that the returned one is computed from, itself included."""
    waiting = [id_ for id_, query in queries.items() if query.get("ReturnData", True)]
    seen: set[str] = set()
    while waiting:
        id_ = waiting.pop()
        if id_ in seen:
            continue
        seen.add(id_)
        yield queries[id_]
        expression = str(queries[id_].get("Expression", ""))
        if "METRICS(" in expression.upper():
            waiting.extend(queries)
        waiting.extend(name for name in re.findall(r"\b[a-z]\w*\b", expression) if name in queries)


_IDENTIFIER = r'(?:"([^"]+)"|([\w.]+))'
_QUERY = re.compile(
    rf"^\s*SELECT\s+\w+\s*\(\s*{_IDENTIFIER}\s*\)\s+"
    r'FROM\s+(?:SCHEMA\s*\(\s*)?"([^"]+)"[^)]*?\)?\s*'
    r"(?:WHERE\s+(.*?))?\s*(?:GROUP\s+BY\s.*|ORDER\s+BY\s.*|LIMIT\s.*)?$",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(rf"{_IDENTIFIER}\s*(!?=)\s*'((?:[^']|'')*)'")


def _insight(expression: str) -> Metric | None:
    """A Metrics Insights query, `SELECT MAX(m) FROM SCHEMA("AWS/SQS", QueueName) WHERE QueueName = 'q'`.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage
    """
    match = _QUERY.match(expression)
    if match is None:
        return None
    equal, unequal = {}, []
    for quoted, plain, sign, value in _CONDITION.findall(match[4] or ""):
        if sign == "=":
            equal[quoted or plain] = value.replace("''", "'")
        else:
            unequal.append((quoted or plain, value.replace("''", "'")))
    return Metric(match[3], match[1] or match[2], equal, True, tuple(unequal))


# -- who hears of it -------------------------------------------------------------------------------


def acts(alarm: Alarm) -> bool:
    """Whether the alarm itself does something when it goes off."""
    return bool(alarm["ActionsEnabled"] and alarm["AlarmActions"])


_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([()])|(,)|([^\s(),"]+)')
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")


@cache
def members(rule: str) -> frozenset[str]:
    """The alarms, by name or ARN as the rule has them, whose going off can raise a composite alarm.

    That is `ALARM(x)`, and `OK(x)` under a NOT; an alarm named only as `OK(x)` or `NOT ALARM(x)` holds the
    composite down instead. Grammar: PutCompositeAlarm's AlarmRule, with `AT_LEAST(2, ALARM, (a, b, c))`.
    """
    tokens = [
        (quoted or paren or comma or word, bool(quoted))
        for quoted, paren, comma, word in _TOKEN.findall(rule)
    ]
    found: set[str] = set()
    _read(tokens, 0, False, found)
    return frozenset(found)


def _read(tokens: list[tuple[str, bool]], at: int, negated: bool, found: set[str]) -> int:
    """Reads an expression up to its closing parenthesis; gives the position behind it."""
    flip = negated
    while at < len(tokens):
        word, quoted = tokens[at]
        at += 1
        opens = at < len(tokens) and tokens[at] == ("(", False)
        if word == ")":
            return at
        if word == "(":
            at, flip = _read(tokens, at, flip, found), negated
        elif word.upper() == "NOT" and not quoted:
            flip = not flip
        elif word.upper() in _STATES and opens:
            at, flip = _names(tokens, at + 1, word.upper(), flip, found), negated
        elif word.upper() == "AT_LEAST" and opens:
            at, flip = _at_least(tokens, at + 1, flip, found), negated
    return at


def _names(tokens: list[tuple[str, bool]], at: int, state: str, negated: bool, found: set[str]) -> int:
    raises = state == ("OK" if negated else "ALARM")
    words = []
    while at < len(tokens) and tokens[at][0] != ")":
        if tokens[at][0] != ",":
            words.append(tokens[at][0])
        elif words:
            if raises:
                found.add(" ".join(words))
            words = []
        at += 1
    if words and raises:
        found.add(" ".join(words))
    return at + 1


def _at_least(tokens: list[tuple[str, bool]], at: int, negated: bool, found: set[str]) -> int:
    """`AT_LEAST(50%, NOT OK, (a, b))`: the count, the state, the alarms."""
    state = ""
    while at < len(tokens) and tokens[at][0] != "(":
        word = tokens[at][0].upper()
        negated = negated != (word == "NOT")
        state = word if word in _STATES else state
        at += 1
    return _names(tokens, at + 1, state, negated, found) + 1
