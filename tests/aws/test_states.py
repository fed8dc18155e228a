"""The States Language walker: states, what Tasks call, retries, catches, timeouts, polling."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules import cases
from wa_audit.aws import states
from wa_audit.inventory import Inventory, Run
from wa_audit.relations import relate

LAMBDA = "arn:aws:states:::lambda:invoke"


def machine(**bodies: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(bodies)), "States": bodies}


def task(resource: str = LAMBDA, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "End": True, **more}


def only(body: dict[str, Any]) -> states.State:
    (found,) = states.walk(machine(Only=body))
    return found


NESTED = machine(
    Both={
        "Type": "Parallel",
        "Branches": [
            machine(A=task()),
            machine(Each={"Type": "Map", "ItemProcessor": machine(B=task()), "End": True}),
        ],
        "Next": "Old",
    },
    Old={"Type": "Map", "Iterator": machine(C=task()), "End": True},
)


def test_walks_through_branches_and_both_forms_of_map() -> None:
    assert [state.path for state in states.walk(NESTED)] == [
        "Both",
        "Both > A",
        "Both > Each",
        "Both > Each > B",
        "Old",
        "Old > C",
    ]
    innermost = next(state for state in states.tasks(NESTED) if state.name == "B")
    assert [level.name for level in innermost.levels] == ["B", "Each", "Both"]


@pytest.mark.parametrize(
    "odd", [None, "", [], {}, {"States": []}, {"States": {"A": None}}, {"States": {"A": 1}}]
)
def test_what_is_no_definition_has_no_states(odd: object) -> None:
    assert list(states.walk(odd)) == []


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("arn:aws:states:::glue:startJobRun", ("glue", "startJobRun", "")),
        ("arn:aws:states:::glue:startJobRun.sync", ("glue", "startJobRun", "sync")),
        ("arn:aws:states:::states:startExecution.sync:2", ("states", "startExecution", "sync")),
        ("arn:aws-cn:states:::sqs:sendMessage.waitForTaskToken", ("sqs", "sendMessage", "waitForTaskToken")),
        ("arn:aws:states:::emr-serverless:startJobRun.sync", ("emr-serverless", "startJobRun", "sync")),
        ("arn:aws:states:::aws-sdk:emrserverless:startJobRun", ("emr-serverless", "startJobRun", "")),
        ("arn:aws:states:::aws-sdk:sfn:startExecution", ("states", "startExecution", "")),
        ("arn:aws:states:::aws-sdk:redshiftdata:executeStatement", ("redshift-data", "executeStatement", "")),
        ("arn:aws:states:eu-west-1:123456789012:activity:work", ("states", "activity", "activity")),
        ("arn:aws:lambda:eu-west-1:123456789012:function:load", ("lambda", "invoke", "")),
        ("arn:aws:s3:::lake", ("", "", "")),
        ("{% $resource %}", ("", "", "")),
        (None, ("", "", "")),
    ],
)
def test_integrations(resource: Any, expected: tuple[str, str, str]) -> None:
    assert states.integration(only(task(resource)))[:3] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (task("arn:aws:states:::glue:startJobRun", Parameters={"JobName": "load"}), ("job", "load")),
        (task("arn:aws:states:::glue:startJobRun", Arguments={"JobName": "load"}), ("job", "load")),
        (task(Parameters={"FunctionName": "load:prod", "Payload.$": "$"}), ("function", "load:prod")),
        (task("arn:aws:states:::aws-sdk:glue:startCrawler", Parameters={"Name": "raw"}), ("crawler", "raw")),
        (
            task("arn:aws:states:::sqs:sendMessage", Arguments={"QueueUrl": "https://sqs/1/q"}),
            ("queue", "https://sqs/1/q"),
        ),
    ],
)
def test_references(body: dict[str, Any], expected: tuple[str, str]) -> None:
    assert states.integration(only(body)).references == (states.Reference(*expected),)


@pytest.mark.parametrize(
    "body",
    [
        task("arn:aws:states:::glue:startJobRun", Parameters={"JobName.$": "$.job"}),
        task("arn:aws:states:::glue:startJobRun", Arguments={"JobName": "{% $job %}"}),
        task("arn:aws:states:::glue:startJobRun", Arguments="{% $everything %}"),
        task("arn:aws:states:::aws-sdk:glue:getDatabase", Parameters={"Name": "raw"}),
    ],
)
def test_computed_names_are_no_references(body: dict[str, Any]) -> None:
    assert states.integration(only(body)).references == ()


def test_tasks_on() -> None:
    start = task("arn:aws:states:::glue:startJobRun", Parameters={"JobName": "load"})
    found = states.tasks_on(machine(A=start, B=task()), states.Reference("job", "load"))
    assert [state.name for state in found] == ["A"]


@pytest.mark.parametrize(
    ("errors", "error", "last", "expected"),
    [
        (("States.ALL",), "Any", True, True),
        (("States.ALL",), "Any", False, False),
        (("States.ALL", "Other"), "Any", True, False),
        (("States.ALL",), "States.Runtime", True, False),
        (("States.ALL",), "States.DataLimitExceeded", True, False),
        (("States.DataLimitExceeded",), "States.DataLimitExceeded", True, True),
        (("States.TaskFailed",), "Any", False, True),
        (("States.TaskFailed",), "States.Timeout", True, False),
        (("Any",), "Any", True, True),
        ((), "Any", True, False),
    ],
)
def test_error_equals(errors: tuple[str, ...], error: str, last: bool, expected: bool) -> None:
    assert states.matches(errors, error, last=last) is expected


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        ([{"ErrorEquals": ["States.ALL"]}], True),
        ([{"ErrorEquals": ["States.ALL"], "MaxAttempts": 0}], False),
        ([{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["Bad"]}], False),
        ([{"ErrorEquals": ["Bad"], "MaxAttempts": 0}, {"ErrorEquals": ["States.TaskFailed"]}], True),
        ([{"ErrorEquals": ["Lambda.SdkClientException"]}], True),
        ([{"ErrorEquals": ["Glue.ConcurrentRunsExceededException"]}], True),
        ([{"ErrorEquals": ["Athena.TooManyRequestsException"]}], True),
        ([{"ErrorEquals": ["ECS.AmazonECSException"]}], True),
        ([{"ErrorEquals": ["DynamoDB.ProvisionedThroughputExceededException"]}], True),
        ([{"ErrorEquals": ["States.Timeout"]}], False),
        ([{"ErrorEquals": ["Glue.EntityNotFoundException"]}], False),
        ([{"ErrorEquals": None}], False),
        ("odd", False),
    ],
)
def test_retried(retry: Any, expected: bool) -> None:
    assert states.retried(only(task(Retry=retry))) is expected


def test_a_retry_around_counts() -> None:
    definition = machine(
        Each={
            "Type": "Map",
            "ItemProcessor": machine(A=task()),
            "Retry": [{"ErrorEquals": ["States.ALL"]}],
            "End": True,
        }
    )
    assert states.retried(states.tasks(definition)[0])


def fate(**bodies: dict[str, Any]) -> str:
    return states.fate(states.tasks(machine(**bodies))[0])


def catch(next_: str, *errors: str) -> list[dict[str, Any]]:
    return [{"ErrorEquals": list(errors or ("States.ALL",)), "Next": next_}]


def test_fates() -> None:
    fail, succeed, end = {"Type": "Fail"}, {"Type": "Succeed"}, {"Type": "Pass", "End": True}
    assert fate(A=task()) == states.UNCAUGHT
    assert fate(A=task(Catch=catch("F")), F=fail) == states.HANDLED
    assert fate(A=task(Catch=catch("S")), S=succeed) == states.HIDDEN
    assert fate(A=task(Catch=catch("P")), P={"Type": "Pass", "Next": "S"}, S=succeed) == states.HIDDEN
    assert fate(A=task(Catch=catch("P")), P=end) == states.HIDDEN
    assert fate(A=task(Catch=catch("P")), P={"Type": "Pass", "Next": "P"}) == states.HANDLED
    assert fate(A=task(Catch=catch("S", "Exists")), S=succeed) == states.UNCAUGHT
    assert fate(A=task(Catch=catch("S", "Exists") + catch("F")), S=succeed, F=fail) == states.HANDLED


def test_fates_within_a_map() -> None:
    def around(inner: dict[str, Any], **more: Any) -> str:
        return fate(M={"Type": "Map", "ItemProcessor": inner, "End": True, **more}, F={"Type": "Fail"})

    passes_on = machine(A=task(Catch=catch("P")), P={"Type": "Pass", "End": True})
    assert around(passes_on) == states.HANDLED
    assert around(machine(A=task()), Catch=catch("F")) == states.HANDLED
    assert around(machine(A=task()), Catch=catch("F"), ToleratedFailurePercentage=100) == states.HIDDEN
    assert around(machine(A=task()), Catch=catch("F"), ToleratedFailurePercentage=5) == states.HANDLED


def test_only_a_catch_leads_to_failure_handling() -> None:
    definition = machine(
        A=task(Catch=catch("Clean"), Next="B"),
        B=task(),
        Clean={"Type": "Parallel", "Branches": [machine(C=task())], "Next": "Tell"},
        Tell=task("arn:aws:states:::sns:publish"),
    )
    off = {state.name for state in states.tasks(definition) if states.off_the_main_path(state)}
    assert off == {"C", "Tell"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"TimeoutSeconds": 60}, True),
        ({"HeartbeatSeconds": 60}, True),
        ({"TimeoutSecondsPath": "$.limit"}, True),
        ({"TimeoutSeconds": "{% $limit %}"}, True),
        ({"TimeoutSeconds": 99_999_999}, False),
        ({}, False),
    ],
)
def test_limited(body: dict[str, Any], expected: bool) -> None:
    assert states.limited(body) is expected


def test_polling_needs_wait_choice_and_a_question() -> None:
    start = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun", "Next": "Wait"}
    wait = {"Type": "Wait", "Seconds": 5, "Next": "Ask"}
    ask = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:glue:getJobRun", "Next": "Done?"}
    choice = {"Type": "Choice", "Choices": [{"Next": "End"}], "Default": "Wait"}
    end = {"Type": "Succeed"}
    whole = {"Start": start, "Wait": wait, "Ask": ask, "Done?": choice, "End": end}

    def polled(**changes: dict[str, Any]) -> bool:
        return states.polled(states.tasks(machine(**{**whole, **changes}))[0])

    assert polled()
    assert not polled(**{"Done?": {**choice, "Default": "End"}})
    assert not polled(Ask={**ask, "Resource": "arn:aws:states:::sns:publish"})
    assert not polled(Start={**start, "Next": "End"})
    # Starting the job again after each wait is not asking how it ended.
    assert not polled(Ask={"Type": "Pass", "Next": "Done?"}, **{"Done?": {**choice, "Default": "Start"}})


def test_what_its_author_says() -> None:
    assert states.declines_retry(only(task(Comment="No retry: pays each time")))
    assert states.awaits_approval(only(task(f"{LAMBDA}.waitForTaskToken", Comment="Approval by finance")))
    assert not states.awaits_approval(only(task(Comment="Approval by finance")))
    assert states.notifies(only(task("arn:aws:states:::aws-sdk:sesv2:sendEmail")))


def test_starts_relation() -> None:
    child = "arn:aws:states:eu-west-1:123456789012:stateMachine:child"
    definition = machine(
        A=task(Parameters={"FunctionName": "load:prod"}),
        B=task(Parameters={"FunctionName": "210987654321:function:other"}),
        C=task("arn:aws:lambda:eu-west-1:123456789012:function:direct:1"),
        D=task("arn:aws:states:::glue:startJobRun.sync", Parameters={"JobName": "nightly"}),
        E=task("arn:aws:states:::states:startExecution", Parameters={"StateMachineArn": f"{child}:prod"}),
        F=task("arn:aws:states:::aws-sdk:glue:getJobRun", Parameters={"JobName": "asked-only"}),
        G=task("arn:aws:states:::glue:startJobRun.sync", Parameters={"JobName.$": "$.job"}),
    )
    run = Run(account=cases.ACCOUNT, regions=(cases.REGION,))
    starter = cases.resource(
        "AWS::StepFunctions::StateMachine", {"name": "nightly", "data": {"definition": definition}}, run
    )
    related = relate(Inventory(run, [starter]))
    assert {relation.target for relation in related.targets(starter, "starts")} == {
        "arn:aws:lambda:eu-west-1:123456789012:function:load",
        "arn:aws:lambda:eu-west-1:210987654321:function:other",
        "arn:aws:lambda:eu-west-1:123456789012:function:direct",
        "arn:aws:glue:eu-west-1:123456789012:job/nightly",
        child,
    }
