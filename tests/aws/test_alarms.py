"""What alarms watch, and who hears of them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from tests.aws import composites
from wa_audit.aws import alarms
from wa_audit.aws.alarms import Metric


def alarm(**fields: Any) -> Any:
    return defaultdict(lambda: None, fields)


def stat(id_: str, name: str, returned: bool = False, **dimensions: str) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": "AWS/SQS", "MetricName": name, "Dimensions": pairs}
    return {
        "Id": id_,
        "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"},
        "ReturnData": returned,
    }


def test_a_plain_alarm() -> None:
    plain = alarm(
        MetricName="Errors", Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName", "Value": "load"}]
    )
    assert alarms.metrics(plain) == [Metric("AWS/Lambda", "Errors", {"FunctionName": "load"})]
    assert alarms.watches(plain, "AWS/Lambda", {"Errors"}, {"FunctionName": "load"})
    assert not alarms.watches(plain, "AWS/Lambda", {"Throttles"}, {"FunctionName": "load"})
    assert not alarms.watches(plain, "AWS/Lambda", {"Errors"}, {"FunctionName": "load-2"})


def test_a_part_of_a_resource_is_watched_too() -> None:
    alias = Metric("AWS/Lambda", "Errors", {"FunctionName": "load", "Resource": "load:live"})
    assert alias.covers({"FunctionName": "load"})


def test_only_some_namespaces_sum_over_all_resources() -> None:
    assert Metric("AWS/Lambda", "Errors", {}).covers({"FunctionName": "load"})
    assert not Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {}).covers({"QueueName": "q"})


def test_math_counts_what_the_result_is_computed_from() -> None:
    math = alarm(
        Metrics=[
            stat("m1", "Visible", QueueName="q"),
            stat("m2", "NotVisible", QueueName="q"),
            stat("m3", "Unused", QueueName="q"),
            {"Id": "sum1", "Expression": "FILL(m1, 0) + m2", "ReturnData": False},
            {"Id": "e1", "Expression": "sum1 * 2", "ReturnData": True},
        ]
    )
    assert {metric.name for metric in alarms.metrics(math)} == {"Visible", "NotVisible"}
    everything = alarm(
        Metrics=[stat("m1", "Visible", QueueName="q"), {"Id": "e1", "Expression": "SUM(METRICS())"}]
    )
    assert alarms.watches(everything, "AWS/SQS", {"Visible"}, {"QueueName": "q"})


def test_an_anomaly_alarm() -> None:
    anomaly = alarm(
        ThresholdMetricId="ad1",
        Metrics=[
            stat("m1", "Visible", returned=True, QueueName="q"),
            {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "ReturnData": True},
        ],
    )
    assert alarms.watches(anomaly, "AWS/SQS", {"Visible"}, {"QueueName": "q"})


def test_another_accounts_metric_is_not_ours() -> None:
    arn = "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:a"
    there = {**stat("m1", "Visible", returned=True, QueueName="q"), "AccountId": "222222222222"}
    here = {**there, "AccountId": "111111111111"}
    assert not alarms.metrics(alarm(AlarmArn=arn, Metrics=[there]))
    assert alarms.metrics(alarm(AlarmArn=arn, Metrics=[here]))


@pytest.mark.parametrize(
    ("query", "queue", "covered"),
    [
        ('SELECT MAX(Visible) FROM SCHEMA("AWS/SQS", QueueName)', "q", True),
        ('SELECT MAX(Visible) FROM SCHEMA("AWS/SQS", QueueName) GROUP BY QueueName', "q", True),
        ('SELECT MAX("Visible") FROM "AWS/SQS" WHERE QueueName = \'q\'', "q", True),
        (
            "select max(Visible) from \"AWS/SQS\" where QueueName = 'other' order by max() desc limit 5",
            "q",
            False,
        ),
        ("SELECT MAX(Visible) FROM \"AWS/SQS\" WHERE QueueName != 'other'", "q", True),
        ("SELECT MAX(Visible) FROM \"AWS/SQS\" WHERE QueueName != 'q'", "q", False),
        ("SELECT MAX(Visible) FROM \"AWS/SQS\" WHERE tag.env = 'prod' AND QueueName = 'q'", "q", False),
        ('SELECT MAX(Visible) FROM SCHEMA("AWS/SNS", TopicName)', "q", False),
        ('SELECT MAX(Age) FROM SCHEMA("AWS/SQS", QueueName)', "q", False),
    ],
)
def test_a_metrics_insights_query(query: str, queue: str, covered: bool) -> None:
    asked = alarm(Metrics=[{"Id": "q1", "Expression": query, "Period": 60}])
    assert alarms.watches(asked, "AWS/SQS", {"Visible"}, {"QueueName": queue}) is covered


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("ALARM(a)", {"a"}),
        ('ALARM("a b") OR ALARM("c (d)")', {"a b", "c (d)"}),
        ("(ALARM(a) OR ALARM(b)) AND NOT ALARM(deploying)", {"a", "b"}),
        ("ALARM(a) AND OK(b) AND INSUFFICIENT_DATA(c)", {"a"}),
        ("NOT (OK(a) AND ALARM(b))", {"a"}),
        ("NOT NOT ALARM(a) AND ALARM(b)", {"a", "b"}),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:1:alarm:a)", {"arn:aws:cloudwatch:eu-west-1:1:alarm:a"}),
        ("AT_LEAST(2, ALARM, (a, b, c)) AND ALARM(d)", {"a", "b", "c", "d"}),
        ('AT_LEAST(60%, NOT OK, ("a", "b"))', {"a", "b"}),
        ("AT_LEAST(1, OK, (a, b)) OR ALARM(c)", {"c"}),
        ("TRUE", set()),
        ("", set()),
        ("ALARM(", set()),
    ],
)
def test_members_of_a_composite(rule: str, wanted: set[str]) -> None:
    assert alarms.members(rule) == wanted


def test_heard_of_through_composites() -> None:
    quiet = alarm(AlarmName="a", ActionsEnabled=True, AlarmActions=[])
    middle = alarm(AlarmName="m", AlarmRule="ALARM(a)", ActionsEnabled=True, AlarmActions=[])
    top = alarm(AlarmName="t", AlarmRule="ALARM(m) OR ALARM(t)", ActionsEnabled=True, AlarmActions=["arn:x"])
    muted = alarm(AlarmName="n", AlarmRule="ALARM(a)", ActionsEnabled=False, AlarmActions=["arn:x"])
    assert composites.is_heard(alarm(AlarmName="z", ActionsEnabled=True, AlarmActions=["arn:x"]), [])
    assert not composites.is_heard(quiet, [middle, muted])
    assert composites.is_heard(quiet, [middle, top])
