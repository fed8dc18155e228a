"""What state machines wait for, and what they do when it fails."""

from __future__ import annotations

from typing import Any

import pytest

from wa_audit.aws import workflows

SYNC = "arn:aws:states:::glue:startJobRun.sync"
TELL = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}


def task(resource: str = SYNC, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "Parameters": {"JobName": "load"}, "End": True, **more}


def catch(target: str, *errors: str) -> list[dict[str, Any]]:
    return [{"ErrorEquals": list(errors or ("States.ALL",)), "Next": target}]


def test_only_waiting_tasks_count() -> None:
    states = {"A": task(), "B": task("arn:aws:states:::glue:startJobRun"), "C": {"Type": "Pass"}}
    (wait,) = workflows.waits({"States": states}, "glue:startJobRun")
    assert wait.argument("JobName") == "load"
    assert not wait.caught
    assert workflows.waits({"States": states}, "states:startExecution") == []
    assert workflows.waits(None, "glue:startJobRun") == []


def test_a_computed_name_is_not_known() -> None:
    computed = [
        task(Parameters={"JobName.$": "$.job"}),
        task(Parameters=None, Arguments={"JobName": "{% $j %}"}),
    ]
    for state in computed:
        (wait,) = workflows.waits({"States": {"A": state}}, "glue:startJobRun")
        assert wait.argument("JobName") is None


@pytest.mark.parametrize(
    ("caught", "others", "answer"),
    [
        (catch("Tell"), {"Tell": TELL}, True),
        (catch("Tell", "States.TaskFailed"), {"Tell": TELL}, True),
        (catch("Tell", "States.Timeout"), {"Tell": TELL}, False),
        (catch("Done"), {"Done": {"Type": "Succeed"}}, False),
        (catch("Lost"), {}, False),
        (catch("Sort"), {"Sort": {"Type": "Choice", "Choices": [{"Next": "Tell"}]}, "Tell": TELL}, True),
        (catch("Note"), {"Note": {"Type": "Pass", "Next": "Note"}}, False),
    ],
)
def test_a_catch_must_lead_to_work(caught: Any, others: dict[str, Any], answer: bool) -> None:
    (wait,) = workflows.waits({"States": {"A": task(Catch=caught), **others}}, "glue:startJobRun")
    assert wait.caught is answer


def test_a_catch_around_the_task_counts() -> None:
    inner = {"StartAt": "A", "States": {"A": task()}}
    for around in ({"Type": "Map", "ItemProcessor": inner}, {"Type": "Parallel", "Branches": [inner]}):
        states = {"Each": {**around, "Catch": catch("Tell")}, "Tell": TELL}
        (wait,) = workflows.waits({"States": states}, "glue:startJobRun")
        assert wait.caught


def test_functions_by_arn_and_by_name() -> None:
    place = "arn:aws:lambda:eu-west-1:1:function:"
    states = {
        "A": {"Type": "Task", "Resource": f"{place}load:live"},
        "B": {"Type": "Map", "ItemProcessor": {"States": {"C": task(Parameters={"FunctionName": "count"})}}},
        "D": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"},
    }
    assert workflows.functions({"States": states}) == {f"{place}load", "count"}
    assert workflows.functions(None) == frozenset()


def test_answers_are_remembered_by_definition() -> None:
    first, second = {"States": {"A": task()}}, {"States": {"A": task()}}
    assert workflows.waits(first, "glue:startJobRun") is workflows.waits(first, "glue:startJobRun")
    assert workflows.waits(first, "glue:startJobRun") is not workflows.waits(second, "glue:startJobRun")
