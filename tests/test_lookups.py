"""What is looked up is what would be found by going through everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wa_audit import lookups
from wa_audit.aws import alarms, patterns, states
from wa_audit.inventory import Inventory, Run
from wa_audit.model import Gap, Reason, Resource, Unread

REGION, ACCOUNT = "eu-west-1", "123456789012"


def _resource(type_: str, name: str, region: str = REGION, **data: Any) -> Resource:
    service = type_.split("::")[1].lower()
    arn = f"arn:aws:{service}:{region}:{ACCOUNT}:{name}"
    return Resource(type=type_, arn=arn, name=name, account=ACCOUNT, region=region, data=data)


def _inventory(*resources: Resource, gaps: tuple[Gap, ...] = ()) -> Inventory:
    return Inventory(Run(account=ACCOUNT, regions=(REGION, "us-east-1")), resources, gaps)


def _alarm(name: str, region: str = REGION, **data: Any) -> Resource:
    return _resource("AWS::CloudWatch::Alarm", name, region, AlarmName=name, **data)


def _on(queue: str, *more: tuple[str, str], metric: str = "Age") -> dict[str, Any]:
    pairs = [("QueueName", queue), *more]
    dimensions = [{"Name": name, "Value": value} for name, value in pairs]
    return {"Namespace": "AWS/SQS", "MetricName": metric, "Dimensions": dimensions}


_QUERY = 'SELECT MAX(Age) FROM SCHEMA("AWS/SQS", QueueName)'
ALARMS = (
    _alarm("a-orders", **_on("orders")),
    _alarm("b-returns", **_on("returns")),
    _alarm("c-part", **_on("orders", ("Shard", "1"))),
    _alarm("d-backlog", **_on("orders", metric="Visible")),
    _alarm("e-there", "us-east-1", **_on("orders")),
    _alarm("f-query", Metrics=[{"Id": "q", "Expression": _QUERY}]),
    _alarm("g-math", Metrics=[
        {"Id": "e", "Expression": "m * 2"},
        {"Id": "m", "ReturnData": False, "MetricStat": {"Metric": _on("orders")}},
    ]),
    _alarm("h-nothing", Namespace="AWS/SQS", MetricName="Age"),
)  # fmt: skip


@pytest.mark.parametrize("names", [{"Age"}, {"Visible"}, {"Age", "Visible"}, {"Other"}])
@pytest.mark.parametrize("dimensions", [{"QueueName": "orders"}, {"QueueName": "nobody"}, {}])
def test_alarms_are_those_that_watch(names: set[str], dimensions: dict[str, str]) -> None:
    inventory = _inventory(*ALARMS)
    found = lookups.alarms_on(REGION, inventory, "AWS/SQS", names, dimensions)
    own = [alarm for alarm in ALARMS if alarm.region == REGION]
    assert found == [alarm for alarm in own if alarms.watches(alarm, "AWS/SQS", names, dimensions)]


def test_alarms_of_functions_without_dimensions_watch_them_all() -> None:
    every = _alarm("errors", Namespace="AWS/Lambda", MetricName="Errors")
    found = lookups.alarms_on(REGION, _inventory(every), "AWS/Lambda", {"Errors"}, {"FunctionName": "f"})
    assert found == [every]


def _rule(name: str, **pattern: Any) -> Resource:
    return _resource("AWS::Events::Rule", name, EventPattern=pattern)


RULES = (
    _rule("a-named", source=["aws.glue"], detail={"jobName": ["nightly", "hourly"]}),
    _rule("b-prefix", source=["aws.glue"], detail={"jobName": [{"prefix": "night"}]}),
    _rule("b-prefix-and-name", detail={"jobName": [{"prefix": "hour"}, "nightly"]}),
    _rule("b-suffix", source=["aws.glue"], detail={"jobName": [{"suffix": "ly"}]}),
    _rule("c-source", source=["aws.glue"]),
    _rule("d-other-source", source=["aws.states"]),
    _rule("e-any-source", **{"detail-type": ["Glue Job State Change"]}),
    _rule("f-other-job", source=["aws.glue"], detail={"jobName": ["weekly"]}),
    _rule("g-either", **{"$or": [{"source": ["aws.glue"]}, {"source": ["aws.states"]}]}),
    _rule("h-prefix-of-source", source=[{"prefix": "aws."}], detail={"state": ["FAILED"]}),
    _resource("AWS::Events::Rule", "i-on-a-schedule", ScheduleExpression="rate(1 day)"),
)


@pytest.mark.parametrize("job", ["nightly", "hourly", "weekly", "never"])
def test_no_rule_that_matches_is_left_out(job: str) -> None:
    events = [
        patterns.glue_job_event(job, state, account=ACCOUNT, region=REGION) for state in ("FAILED", "TIMEOUT")
    ]
    found = lookups.rules_for(REGION, events, _inventory(*RULES))
    matching = [
        rule for rule in RULES if any(patterns.matches(rule["EventPattern"], event) for event in events)
    ]
    assert matching
    assert [rule for rule in found if rule in matching] == matching
    assert _rule("d-other-source", source=["aws.states"]) not in found
    assert len(found) < len(RULES) - 1


def test_rules_are_found_by_their_targets() -> None:
    topic = _resource("AWS::SNS::Topic", "oncall")
    rule = _resource("AWS::Events::Rule", "failed", Targets=[{"Arn": topic.arn}, {"Arn": "arn:aws:sns:::x"}])
    inventory = _inventory(topic, rule, *RULES)
    assert lookups.rules_to(topic, inventory) == [rule]


def test_a_machine_is_found_by_what_its_tasks_name() -> None:
    def machine(name: str, job: str) -> Resource:
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::glue:startJobRun.sync",
            "Parameters": {"JobName": job},
            "End": True,
        }
        return _resource(
            "AWS::StepFunctions::StateMachine", name, definition={"StartAt": "T", "States": {"T": task}}
        )

    one, two = machine("one", "nightly"), machine("two", "hourly")
    inventory = _inventory(one, two)
    assert lookups.machines_on(states.Reference("job", "nightly"), REGION, inventory) == [one]
    assert lookups.machines_on(states.Reference("job", "never"), REGION, inventory) == []


def test_mappings_triggers_and_error_prefixes_are_found_by_what_they_name() -> None:
    stream = _resource("AWS::Kinesis::Stream", "stream/clicks")
    polled, fanned, other = (
        _resource("AWS::Lambda::EventSourceMapping", name, EventSourceArn=arn)
        for name, arn in (("1", stream.arn), ("2", f"{stream.arn}/consumer/c:1"), ("3", f"{stream.arn}-2"))
    )
    job = _resource("AWS::Glue::Job", "nightly")
    starts = _resource(
        "AWS::Glue::Trigger", "at-two", Actions=[{"JobName": "nightly"}, {"JobName": "nightly"}]
    )
    idle = _resource("AWS::Glue::Trigger", "never", Actions=[{"CrawlerName": "nightly"}])
    bucket = Resource(type="AWS::S3::Bucket", arn="arn:aws:s3:::lake", name="lake", account=ACCOUNT)
    destination = {"BucketARN": bucket.arn, "ErrorOutputPrefix": "errors/"}
    firehose = _resource(
        "AWS::KinesisFirehose::DeliveryStream",
        "to-lake",
        Destinations=[{"ExtendedS3DestinationDescription": destination}],
    )
    inventory = _inventory(stream, polled, fanned, other, job, starts, idle, bucket, firehose)
    assert lookups.mappings_of(stream, inventory) == [polled, fanned]
    assert lookups.triggers_of(job, inventory) == [starts]
    assert lookups.error_prefixes(bucket, inventory) == [("errors/", "to-lake")]


ASKED: dict[str, Callable[[Inventory], object]] = {
    "AWS::CloudWatch::Alarm": lambda found: lookups.alarms_on(REGION, found, "AWS/SQS", {"Age"}, {}),
    "AWS::Events::Rule": lambda found: lookups.rules_for(REGION, [], found),
    "AWS::StepFunctions::StateMachine": lambda found: lookups.machines_on(
        states.Reference("job", "j"), REGION, found
    ),
    "AWS::Lambda::EventSourceMapping": lambda found: lookups.mappings_of(ALARMS[0], found),
    "AWS::Glue::Trigger": lambda found: lookups.triggers_of(ALARMS[0], found),
    "AWS::KinesisFirehose::DeliveryStream": lambda found: lookups.error_prefixes(ALARMS[0], found),
}


@pytest.mark.parametrize("type_", ASKED)
def test_a_list_that_was_not_read_is_not_taken_for_empty(type_: str) -> None:
    gap = Gap(type=type_, operation="x:Y", action="x:Y", reason=Reason.ACCESS_DENIED, region=REGION)
    with pytest.raises(Unread):
        ASKED[type_](_inventory(gaps=(gap,)))


@pytest.mark.parametrize(
    ("type_", "field", "ask"),
    [
        ("AWS::CloudWatch::Alarm", "MetricName", lambda found: lookups.alarms_on(
            REGION, found, "AWS/SQS", {"Age"}, {"QueueName": "orders"}
        )),
        ("AWS::KinesisFirehose::DeliveryStream", "Destinations", lambda found: lookups.error_prefixes(
            ALARMS[0], found
        )),
    ],
)  # fmt: skip
def test_a_fact_that_was_not_read_is_not_taken_for_none(
    type_: str, field: str, ask: Callable[[Inventory], object]
) -> None:
    resource = _resource(type_, "unread")
    resource.gaps = (
        Gap(type=type_, operation="x:Y", action="x:Y", reason=Reason.ACCESS_DENIED, fields=(field,)),
    )
    with pytest.raises(Unread):
        ask(_inventory(resource))


@pytest.mark.parametrize(
    ("type_", "field", "ask"),
    [
        ("AWS::Events::Rule", "EventPattern", lambda found: lookups.rules_for(REGION, [], found)),
        ("AWS::StepFunctions::StateMachine", "definition", lambda found: lookups.machines_on(
            states.Reference("job", "j"), REGION, found
        )),
        ("AWS::Events::Rule", "Targets", lambda found: lookups.rules_to(ALARMS[0], found)),
        ("AWS::Glue::Trigger", "Actions", lambda found: lookups.triggers_of(ALARMS[0], found)),
    ],
)  # fmt: skip
def test_what_may_be_meant_is_handed_over(type_: str, field: str, ask: Callable[[Inventory], object]) -> None:
    """Whoever asked for it looks at it, and finds that nobody can."""
    resource = _resource(type_, "unread")
    resource.gaps = (
        Gap(type=type_, operation="x:Y", action="x:Y", reason=Reason.ACCESS_DENIED, fields=(field,)),
    )
    assert ask(_inventory(resource)) == [resource]
