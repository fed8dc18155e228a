"""Aids spare calls, and change nothing that is read."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.collect import answers
from wa_audit.collect import collect, plan
from wa_audit.collect.kinds import by_type
from wa_audit.collect.scheduler import Scheduler
from wa_audit.inventory import Inventory

QUEUE, FUNCTION, STREAM = "AWS::SQS::Queue", "AWS::Lambda::Function", "AWS::Kinesis::Stream"
TAGS = "resource-groups-tagging-api:GetResources"
_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
_ARN = "arn:aws:sqs:eu-west-1:123456789012:"


class Aws:
    """Three queues, of which two bear tags; counts what it is asked."""

    def __init__(self, **others: Any) -> None:
        self.calls: Counter[str] = Counter()
        self._others = others

    def __call__(self, operation: str, parameters: dict[str, Any]) -> Any:
        self.calls[operation] += 1
        name = operation.rpartition(":")[2]
        if name in self._others:
            found = self._others[name]
            return found(parameters) if callable(found) else found
        match name:
            case "GetCallerIdentity":
                return answers.response(answers.IDENTITY, headers={"Content-Type": "text/xml"})
            case "ListQueues":
                return answers.response({"QueueUrls": [f"{_URL}{name}" for name in "abc"]})
            case "ListQueueTags":
                return answers.response({"Tags": _tags(parameters["QueueUrl"][-1])})
            case "GetResources":
                return answers.response({"ResourceTagMappingList": [_mapping(name) for name in "ab"]})
        return answers.response({})


def _tags(name: str) -> dict[str, str]:
    return {"team": "data", "name": name} if name in "ab" else {}


def _mapping(name: str) -> dict[str, Any]:
    pairs = [{"Key": key, "Value": value} for key, value in _tags(name).items()]
    return {"ResourceARN": f"{_ARN}{name}", "Tags": pairs}


def _read(aws: Aws, type_: str = QUEUE, operation: str = "ListQueueTags", **options: Any) -> Inventory:
    kind = by_type()[type_]
    details = tuple(call for call in kind.details if call.operation == operation)
    return collect(answers.session(aws), {type_: (kind, details)}, ["eu-west-1"], **options)


def _found(inventory: Inventory) -> dict[str, dict[str, str]]:
    return {queue.name: queue.tags for queue in inventory.of(QUEUE)}


EACH = {"a": _tags("a"), "b": _tags("b"), "c": {}}


def test_the_tags_of_all_come_in_one_call() -> None:
    aws = Aws()
    assert _found(_read(aws)) == EACH
    assert (aws.calls[TAGS], aws.calls["sqs:ListQueueTags"]) == (1, 0)


def test_its_pages_are_read_to_the_end() -> None:
    def paged(parameters: dict[str, Any]) -> Any:
        assert parameters["ResourceTypeFilters"] == ["sqs"]
        if parameters.get("PaginationToken") == "more":
            return answers.response({"ResourceTagMappingList": [_mapping("b")], "PaginationToken": ""})
        return answers.response({"ResourceTagMappingList": [_mapping("a")], "PaginationToken": "more"})

    aws = Aws(GetResources=paged)
    assert _found(_read(aws)) == EACH
    assert (aws.calls[TAGS], aws.calls["sqs:ListQueueTags"]) == (2, 0)


@pytest.mark.parametrize(
    "answer",
    [
        answers.error("AccessDeniedException", 403),
        answers.error("InvalidParameterException"),
        answers.response({"ResourceTagMappingList": []}),
        answers.response(
            {"ResourceTagMappingList": [{"ResourceARN": "arn:aws:sns:eu-west-1:1:a", "Tags": []}]}
        ),
        answers.response({"ResourceTagMappingList": [{"ResourceARN": 3}]}),
        answers.response({"ResourceTagMappingList": "none"}),
        answers.response(b'{"ResourceTagMappingList": [{"Resour'),
        answers.response(b""),
        answers.response({}),
    ],
    ids="denied unknown none others number text cut empty nothing".split(),
)
def test_where_it_does_not_say_each_is_asked(answer: Any) -> None:
    aws = Aws(GetResources=answer)
    inventory = _read(aws)
    assert _found(inventory) == EACH
    assert aws.calls["sqs:ListQueueTags"] == 3
    assert [queue["Tags"] for queue in inventory.of(QUEUE)] == [*EACH.values()]


def test_a_page_that_fails_takes_the_ones_before_with_it() -> None:
    def paged(parameters: dict[str, Any]) -> Any:
        if parameters.get("PaginationToken"):
            return answers.error("AccessDeniedException", 403)
        return answers.response({"ResourceTagMappingList": [_mapping("a")], "PaginationToken": "more"})

    aws = Aws(GetResources=paged)
    assert _found(_read(aws)) == EACH
    assert aws.calls["sqs:ListQueueTags"] == 3


def test_an_empty_region_is_not_asked() -> None:
    aws = Aws(ListQueues=answers.response({}))
    _read(aws)
    assert aws.calls[TAGS] == 0


def test_what_expires_on_the_way_is_not_read_as_untagged() -> None:
    inventory = _read(Aws(GetResources=answers.error("ExpiredTokenException", 403)))
    assert not inventory.run.complete
    assert inventory.known(QUEUE) == []
    assert inventory.list_gaps(QUEUE)


@pytest.mark.parametrize("workers", [1, 2, 16])
def test_any_number_of_workers_reads_the_same(workers: int) -> None:
    inventory = _read(Aws(), workers=workers)
    assert _found(inventory) == EACH
    assert inventory.run.calls == 3


def test_no_unit_is_left_open_where_a_task_is_quicker_than_who_hands_it_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submit = Scheduler._submit

    def slowly(self: Scheduler, *arguments: Any) -> None:
        submit(self, *arguments)
        time.sleep(0.02)

    def when_all_wait(parameters: dict[str, Any]) -> Any:
        time.sleep(0.2)
        return _empty(parameters)

    monkeypatch.setattr(Scheduler, "_submit", slowly)
    inventory = _read(Aws(GetResources=when_all_wait), workers=8)
    assert not inventory.list_gaps(QUEUE)
    assert _found(inventory) == EACH


def test_after_a_stop_it_is_asked_again_and_counted_once(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    whole = _read(Aws())
    stopped = _read(
        Aws(ListQueueTags=answers.error("ExpiredToken", 403), GetResources=_empty), journal=journal
    )
    assert not stopped.run.complete
    resumed = _read(Aws(GetResources=_empty), journal=journal, resume=True)
    assert _found(resumed) == _found(whole)
    assert resumed.run.calls == _read(Aws(GetResources=_empty)).run.calls


def _empty(parameters: dict[str, Any]) -> Any:
    return answers.response({"ResourceTagMappingList": []})


# -- reserved concurrency --------------------------------------------------------------------------


def _functions(limit: Any) -> tuple[Aws, Inventory]:
    name = "arn:aws:lambda:eu-west-1:123456789012:function:"
    functions = [{"FunctionName": letter, "FunctionArn": name + letter} for letter in "ab"]
    aws = Aws(
        ListFunctions=answers.response({"Functions": functions}),
        GetAccountSettings=limit,
        GetFunctionConcurrency=answers.response({"ReservedConcurrentExecutions": 5}),
    )
    return aws, _read(aws, FUNCTION, "GetFunctionConcurrency")


def _limit(unreserved: int) -> Any:
    return answers.response(
        {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": unreserved}}
    )


def test_where_nothing_is_reserved_no_function_is_asked() -> None:
    aws, inventory = _functions(_limit(1000))
    assert [f["ReservedConcurrentExecutions"] for f in inventory.of(FUNCTION)] == [None, None]
    assert aws.calls["lambda:GetFunctionConcurrency"] == 0


@pytest.mark.parametrize(
    "limit", [_limit(990), answers.error("AccessDeniedException", 403), answers.response({})]
)
def test_where_something_is_or_may_be_each_is(limit: Any) -> None:
    aws, inventory = _functions(limit)
    assert [f["ReservedConcurrentExecutions"] for f in inventory.of(FUNCTION)] == [5, 5]
    assert aws.calls["lambda:GetFunctionConcurrency"] == 2


# -- lists that hang on a number -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("summary", "asked"),
    [
        (answers.response({"StreamDescriptionSummary": {"ConsumerCount": 0, "StreamStatus": "ACTIVE"}}), 0),
        (answers.response({"StreamDescriptionSummary": {"ConsumerCount": 2, "StreamStatus": "ACTIVE"}}), 1),
        (answers.response({"StreamDescriptionSummary": {"StreamStatus": "ACTIVE"}}), 1),
        (answers.error("AccessDeniedException", 403), 1),
    ],
    ids=["none", "two", "not said", "refused"],
)
def test_consumers_are_listed_where_there_may_be_some(summary: Any, asked: int) -> None:
    aws = Aws(
        ListStreams=answers.response({"StreamNames": ["clicks"], "HasMoreStreams": False}),
        DescribeStreamSummary=summary,
        ListStreamConsumers=answers.response({"Consumers": []}),
    )
    made = plan.plan([], ["kinesis:ListStreamConsumers"])
    assert [call.operation for call in made[STREAM][1]] == ["DescribeStreamSummary"]
    collect(answers.session(aws), made, ["eu-west-1"])
    assert aws.calls["kinesis:ListStreamConsumers"] == asked


def test_nothing_hangs_on_what_an_aid_may_answer() -> None:
    for kind in by_type().values():
        for call in kind.details:
            if call.aid:
                assert not any(
                    set(call.fields) & other.depends_on for other in kind.details if other is not call
                )
