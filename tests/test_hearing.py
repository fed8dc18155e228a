"""Who would hear of it: what the indexes find is what going through everything would."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.aws import composites
from tests.rules.cases import ACCOUNT, REGION, resource
from wa_audit import hearing
from wa_audit.aws import alarms, patterns, states
from wa_audit.inventory import Inventory, Run
from wa_audit.model import Gap, Reason, Resource, Unread

RUN = Run(account=ACCOUNT, regions=(REGION, "us-east-1"))
PLACE = {"account": ACCOUNT, "region": REGION}
NAMES = ("acme-orders", "acme-clicks", "orders", "", "acme")
ASKED: tuple[Any, ...] = (
    ["acme-orders"],
    ["acme-orders", "orders"],
    [{"prefix": "acme-"}],
    [{"prefix": ""}],
    [{"prefix": "acme-"}, "orders"],
    [{"prefix": {"equals-ignore-case": "ACME-"}}],
    [{"suffix": "orders"}],
    [{"anything-but": ["acme-orders"]}],
    [{"wildcard": "acme-*"}],
    [{"equals-ignore-case": "ACME-ORDERS"}],
    [{"exists": True}],
    [{"exists": False}],
    [],
    "acme-orders",
)
SOURCES: tuple[Any, ...] = (
    ["aws.glue"],
    ["aws.glue", "aws.states"],
    [{"prefix": "aws."}],
    ["aws.s3"],
    None,
    "aws.glue",
)


def rules() -> Iterator[Resource]:
    """Rules that ask for a source and a job in every combination, and some that ask in other ways."""
    asked: list[dict[str, Any]] = [
        {"detail": {"jobName": name}} | ({} if source is None else {"source": source})
        for source, name in product(SOURCES, ASKED)
    ]
    asked += [
        {"source": ["aws.glue"]},
        {"source": ["aws.glue"], "detail": {"state": ["FAILED"]}},
        {"$or": [{"source": ["aws.glue"]}, {"source": ["aws.s3"]}]},
        {
            "source": ["aws.glue"],
            "$or": [{"detail": {"jobName": ["orders"]}}, {"detail": {"state": ["TIMEOUT"]}}],
        },
        {"source": ["aws.glue"], "detail": {"$or": [{"jobName": ["orders"]}, {"jobName": ["acme"]}]}},
    ]
    for number, pattern in enumerate(asked):
        yield rule(f"r{number:03}", pattern)


def rule(name: str, pattern: dict[str, Any], **more: Any) -> Resource:
    data = {"State": "ENABLED", "EventPattern": pattern, "Targets": [{"Arn": "arn:aws:sns:x"}], **more}
    return resource("AWS::Events::Rule", {"name": name, "data": data}, RUN)


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_of_an_event_are_all_found(name: str) -> None:
    job = resource("AWS::Glue::Job", {"name": name}, RUN)
    event = patterns.glue_job_event(name, "FAILED", **PLACE)
    for made in rules():
        inventory = Inventory(RUN, [made])
        found = hearing.event_rule(job, inventory, [event])
        assert bool(found) == patterns.matches(made["EventPattern"], event), made["EventPattern"]


def test_the_first_in_order_is_named() -> None:
    job = resource("AWS::Glue::Job", {"name": "acme-orders"}, RUN)
    event = patterns.glue_job_event(job.name, "FAILED", **PLACE)
    listed = list(rules())
    first = next(made for made in listed if patterns.matches(made["EventPattern"], event))
    assert hearing.event_rule(job, Inventory(RUN, listed[::-1]), [event]) == first


@pytest.mark.parametrize(
    "more",
    [{"State": "DISABLED"}, {"EventBusName": "own"}, {"Targets": []}],
    ids=lambda more: next(iter(more)),
)
def test_a_rule_that_tells_nobody(more: dict[str, Any]) -> None:
    job = resource("AWS::Glue::Job", {"name": "orders"}, RUN)
    event = patterns.glue_job_event("orders", "FAILED", **PLACE)
    inventory = Inventory(RUN, [rule("r", {"source": ["aws.glue"]}, **more)])
    assert hearing.event_rule(job, inventory, [event]) is None


# -- alarms ----------------------------------------------------------------------------------------


def alarm(name: str, **data: Any) -> Resource:
    base = {"AlarmName": name, "ActionsEnabled": True, "AlarmActions": ["arn:aws:sns:x"]}
    return resource("AWS::CloudWatch::Alarm", {"name": name, "data": base | data}, RUN)


def pair(name: str, value: str) -> dict[str, str]:
    return {"Name": name, "Value": value}


ALARMS = (
    alarm("own", Namespace="AWS/SQS", MetricName="Age", Dimensions=[pair("QueueName", "q")]),
    alarm("other", Namespace="AWS/SQS", MetricName="Age", Dimensions=[pair("QueueName", "p")]),
    alarm("wrong", Namespace="AWS/SQS", MetricName="Sent", Dimensions=[pair("QueueName", "q")]),
    alarm("none", Namespace="AWS/SQS", MetricName="Age"),
    alarm("more", Namespace="AWS/SQS", MetricName="Age", Dimensions=[pair("A", "b"), pair("QueueName", "q")]),
    alarm(
        "math",
        Metrics=[
            {"Id": "e", "Expression": "m * 2", "ReturnData": True},
            {
                "Id": "m",
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SQS",
                        "MetricName": "Age",
                        "Dimensions": [pair("QueueName", "q")],
                    }
                },
            },
        ],
    ),
    alarm("query", Metrics=[{"Id": "q", "Expression": 'SELECT MAX(Age) FROM SCHEMA("AWS/SQS", QueueName)'}]),
    alarm(
        "excluded",
        Metrics=[{"Id": "q", "Expression": "SELECT MAX(Age) FROM \"AWS/SQS\" WHERE QueueName != 'q'"}],
    ),
    alarm("summed", Namespace="AWS/Lambda", MetricName="Age"),
)


@pytest.mark.parametrize("namespace", ["AWS/SQS", "AWS/Lambda"])
@pytest.mark.parametrize(
    "dimensions", [{"QueueName": "q"}, {"QueueName": "q", "A": "b"}, {"QueueName": "z"}], ids=str
)
def test_the_alarms_of_a_metric_are_all_found(namespace: str, dimensions: dict[str, str]) -> None:
    queue = resource("AWS::SQS::Queue", {"name": "q"}, RUN)
    inventory = Inventory(RUN, ALARMS)
    wanted = [
        a for a in inventory.of("AWS::CloudWatch::Alarm") if alarms.watches(a, namespace, {"Age"}, dimensions)
    ]
    assert hearing.alarms_on(queue, inventory, namespace, {"Age"}, **dimensions) == wanted


def composite(name: str, rule: str, *, acts: bool) -> Resource:
    data = {"AlarmName": name, "AlarmRule": rule, "ActionsEnabled": acts, "AlarmActions": ["arn:aws:sns:x"]}
    return resource("AWS::CloudWatch::CompositeAlarm", {"name": name, "data": data}, RUN)


@pytest.mark.parametrize(
    ("above", "is_heard"),
    [
        ([], False),
        ([composite("c", "ALARM(quiet)", acts=True)], True),
        ([composite("c", "ALARM(quiet)", acts=False)], False),
        ([composite("c", "OK(quiet)", acts=True)], False),
        ([composite("c", "ALARM(quiet)", acts=False), composite("d", "ALARM(c)", acts=True)], True),
        (
            [composite("c", "ALARM(quiet) OR ALARM(d)", acts=False), composite("d", "ALARM(c)", acts=False)],
            False,
        ),
    ],
)
def test_a_composite_speaks_for_its_members(above: list[Resource], is_heard: bool) -> None:
    quiet = alarm("quiet", ActionsEnabled=False)
    inventory = Inventory(RUN, [quiet, *above])
    assert bool(hearing.heard([quiet], inventory)) is is_heard
    assert composites.is_heard(quiet, inventory.of("AWS::CloudWatch::CompositeAlarm")) is is_heard


# -- what could not be read ------------------------------------------------------------------------


def lost(type_: str, arn: str = "", *fields: str) -> Gap:
    return Gap(
        type=type_,
        operation="x:Y",
        action="x:Y",
        reason=Reason.ACCESS_DENIED,
        arn=arn,
        fields=fields,
        region=REGION,
    )


def test_what_could_not_be_listed_is_never_silence() -> None:
    queue = resource("AWS::SQS::Queue", {"name": "q"}, RUN)
    types = (
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::Events::Rule",
        "AWS::StepFunctions::StateMachine",
    )
    inventory = Inventory(RUN, [], map(lost, types))
    for ask in (
        lambda: hearing.alarms_on(queue, inventory, "AWS/SQS", {"Age"}, QueueName="q"),
        lambda: hearing.heard([alarm("a")], inventory),
        lambda: hearing.flink_alarms(REGION, inventory),
        lambda: hearing.event_rule(queue, inventory, []),
        lambda: hearing.is_told_of_events(queue, inventory),
        lambda: hearing.waiting_machines(REGION, inventory),
    ):
        with pytest.raises(Unread):
            ask()


def test_one_hit_suffices_and_a_miss_does_not() -> None:
    told = resource("AWS::SNS::Topic", {"name": "told"}, RUN)
    silent = resource("AWS::SNS::Topic", {"name": "silent"}, RUN)
    dark = rule("dark", {"source": ["aws.glue"]})
    del dark.data["Targets"]
    dark.gaps = (lost(dark.type, dark.arn, "Targets"),)
    inventory = Inventory(RUN, [dark, rule("r", {"source": ["x"]}, Targets=[{"Arn": told.arn}])])
    assert hearing.is_told_of_events(told, inventory)
    with pytest.raises(Unread):
        hearing.is_told_of_events(silent, inventory)


def machine(name: str, **data: Any) -> Resource:
    return resource("AWS::StepFunctions::StateMachine", {"name": name, "data": data}, RUN)


def task(resource_: str, **arguments: Any) -> dict[str, Any]:
    return {
        "StartAt": "T",
        "States": {"T": {"Type": "Task", "Resource": resource_, "Parameters": arguments, "End": True}},
    }


def test_machines_that_wait() -> None:
    run = "arn:aws:states:::glue:startJobRun"
    dark = machine("dark")
    dark.gaps = (lost(dark.type, dark.arn, "definition"),)
    listed = [
        machine("waits", definition=task(f"{run}.sync", JobName="nightly")),
        machine("goes-on", definition=task(run, JobName="nightly")),
        machine("asks", definition=task(f"{run}.sync", **{"JobName.$": "$.job"})),
        dark,
    ]
    found = hearing.waiting_machines(REGION, Inventory(RUN, listed))
    assert [(m.name, len(tasks)) for m, tasks in found.on[states.Reference("job", "nightly")]] == [
        ("waits", 1)
    ]
    assert [m.name for m in found.some_job] == ["asks"]
    assert found.unread is not None
