"""The collector against canned answers: what is read, and what becomes of everything that is not."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSResponse

from tests.collect import answers
from wa_audit.collect import Interrupted, collect, scheduler
from wa_audit.collect.guard import UndeclaredOperation
from wa_audit.collect.journal import Journal
from wa_audit.collect.kinds import by_type
from wa_audit.collect.permissions import policy
from wa_audit.collect.plan import Plan, operations, plan
from wa_audit.collect.session import chosen_regions
from wa_audit.collect.units import Tally
from wa_audit.inventory import Inventory, lines
from wa_audit.model import ConfigurationError, CredentialsError, Reason, Unread
from wa_audit.rulebook import load, replace

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's pauses between tries."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def _plan(*types: str) -> Plan:
    return {type_: (by_type()[type_], by_type()[type_].details) for type_ in types}


class Account:
    """An account of two queues, any of whose operations can be made to answer otherwise."""

    def __init__(self, **instead: Any) -> None:
        self.instead = {name.replace("_", ":", 1): answer for name, answer in instead.items()}
        self.calls: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, operation: str, parameters: dict[str, Any]) -> AWSResponse:
        with self._lock:
            self.calls.append(operation)
        made = self.instead.get(operation)
        if callable(made):
            made = made(parameters)
        if made is not None:
            return made if isinstance(made, AWSResponse) else answers.response(made)
        match operation:
            case "sts:GetCallerIdentity":
                return answers.response(answers.IDENTITY, headers={"Content-Type": "text/xml"})
            case "sqs:ListQueues":
                return answers.response({"QueueUrls": [QUEUE + "orders", QUEUE + "returns"]})
            case "sqs:GetQueueAttributes":
                return answers.response(
                    {"Attributes": {"VisibilityTimeout": "30", "RedrivePolicy": '{"maxReceiveCount": 5}'}}
                )
            case "sqs:ListQueueTags":
                return answers.response({"Tags": {"team": "data"}})
        raise AssertionError(f"unexpected call of {operation}")


def _read(account: Account, *types: str, regions: tuple[str, ...] = ("eu-west-1",)) -> Inventory:
    return collect(answers.session(account), _plan(*(types or ("AWS::SQS::Queue",))), regions)


def test_a_queue_is_read_whole() -> None:
    queue = _read(Account()).of("AWS::SQS::Queue")[0]
    assert queue.arn == "arn:aws:sqs:eu-west-1:123456789012:orders"
    assert queue["VisibilityTimeout"] == 30
    assert queue["RedrivePolicy"] == {"maxReceiveCount": 5}
    assert queue["KmsMasterKeyId"] is None
    assert queue.tags == {"team": "data"}


def test_what_is_not_kept_does_not_enter() -> None:
    attributes = {"Attributes": {"VisibilityTimeout": "30", "SomethingNew": "text"}}
    queue = _read(Account(sqs_GetQueueAttributes=attributes)).of("AWS::SQS::Queue")[0]
    assert "SomethingNew" not in queue.data


def test_a_refused_list_is_a_gap_and_no_empty_account() -> None:
    inventory = _read(Account(sqs_ListQueues=answers.error("AccessDenied", 403)))
    with pytest.raises(Unread) as raised:
        inventory.of("AWS::SQS::Queue")
    assert raised.value.gap.reason is Reason.ACCESS_DENIED
    assert raised.value.gap.action == "sqs:ListQueues"


def test_a_refused_detail_hides_its_own_fields_only() -> None:
    inventory = _read(Account(sqs_GetQueueAttributes=answers.error("AccessDenied", 403)))
    queue = inventory.of("AWS::SQS::Queue")[0]
    assert queue.tags == {"team": "data"}
    with pytest.raises(Unread) as raised:
        queue["RedrivePolicy"]
    assert raised.value.gap.operation == "sqs:GetQueueAttributes"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answers.error("AccessDenied", 403), Reason.ACCESS_DENIED),
        (answers.error("ThrottlingException"), Reason.THROTTLED),
        (answers.error("InternalFailure", 500), Reason.FAILED),
        (answers.error("NotImplemented", 501), Reason.NOT_IMPLEMENTED),
        (answers.response(b'{"QueueUrls": ["https:'), Reason.MALFORMED),
        (answers.response(b""), Reason.MALFORMED),
        (answers.response(b"<html>bad gateway</html>"), Reason.MALFORMED),
        (answers.response({"QueueUrls": 5}), Reason.MALFORMED),
    ],
    ids=["denied", "throttled", "500", "501", "cut off", "empty", "html", "wrong type"],
)
def test_every_failure_of_a_list_says_why(answer: AWSResponse, reason: Reason) -> None:
    inventory = _read(Account(sqs_ListQueues=answer))
    assert [gap.reason for gap in inventory.list_gaps("AWS::SQS::Queue")] == [reason]


@pytest.mark.parametrize(
    "answer",
    [answers.response(b'{"Attributes": {"Visib'), answers.response(b""), answers.response({"Other": 1})],
    ids=["cut off", "empty", "without its key"],
)
def test_a_malformed_detail_is_not_an_unconfigured_one(answer: AWSResponse) -> None:
    queue = _read(Account(sqs_GetQueueAttributes=answer)).of("AWS::SQS::Queue")[0]
    with pytest.raises(Unread) as raised:
        queue["RedrivePolicy"]
    assert raised.value.gap.reason is Reason.MALFORMED


def test_an_empty_list_is_empty() -> None:
    assert _read(Account(sqs_ListQueues={})).of("AWS::SQS::Queue") == []


def test_a_resource_that_has_gone_is_dropped_and_counted() -> None:
    def attributes(parameters: dict[str, Any]) -> Any:
        if parameters["QueueUrl"].endswith("returns"):
            return answers.error("AWS.SimpleQueueService.NonExistentQueue")
        return {"Attributes": {"VisibilityTimeout": "30"}}

    inventory = _read(Account(sqs_GetQueueAttributes=attributes))
    assert [queue.name for queue in inventory.of("AWS::SQS::Queue")] == ["orders"]
    assert inventory.run.gone == 1


def test_a_list_that_breaks_midway_keeps_what_came_and_says_so() -> None:
    def page(parameters: dict[str, Any]) -> Any:
        if "NextToken" in parameters:
            return answers.error("AccessDenied", 403)
        return {"QueueUrls": [QUEUE + "orders"], "NextToken": "more"}

    inventory = _read(Account(sqs_ListQueues=page))
    assert [queue.name for queue in inventory.known("AWS::SQS::Queue")] == ["orders"]
    assert inventory.list_gaps("AWS::SQS::Queue")


def test_a_repeated_page_token_ends() -> None:
    inventory = _read(Account(sqs_ListQueues={"QueueUrls": [QUEUE + "orders"], "NextToken": "again"}))
    assert inventory.list_gaps("AWS::SQS::Queue")[0].reason is Reason.MALFORMED
    assert len(inventory.known("AWS::SQS::Queue")) == 1


def test_text_that_is_not_json_is_a_gap_on_its_field() -> None:
    attributes = {"Attributes": {"VisibilityTimeout": "30", "RedrivePolicy": "{broken"}}
    queue = _read(Account(sqs_GetQueueAttributes=attributes)).of("AWS::SQS::Queue")[0]
    assert queue["VisibilityTimeout"] == 30
    with pytest.raises(Unread):
        queue["RedrivePolicy"]


def test_what_was_not_selected_is_unread_rather_than_absent() -> None:
    rule = load()["sqs-queue-encrypted"]
    inventory = collect(answers.session(Account()), plan([rule]), ["eu-west-1"])
    queue = inventory.of("AWS::SQS::Queue")[0]
    with pytest.raises(Unread) as raised:
        queue.tags  # noqa: B018 - reading is the test
    assert raised.value.gap.reason is Reason.NOT_COLLECTED
    with pytest.raises(Unread):
        inventory.of("AWS::S3::Bucket")


def test_a_call_whose_condition_is_unknown_is_unknown_too() -> None:
    """KMS: whether a key can rotate is read from DescribeKey."""
    account = Account(
        kms_ListKeys={"Keys": [{"KeyId": "k", "KeyArn": "arn:aws:kms:eu-west-1:123456789012:key/k"}]},
        kms_DescribeKey=answers.error("AccessDeniedException"),
    )
    key = _read(account, "AWS::KMS::Key").of("AWS::KMS::Key")[0]
    with pytest.raises(Unread) as raised:
        key["Rotation"]
    assert raised.value.gap.operation == "kms:DescribeKey"
    assert "kms:GetKeyRotationStatus" not in account.calls


def test_values_that_may_be_secrets_stay_outside() -> None:
    function = {
        "FunctionName": "f",
        "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
        "Environment": {"Variables": {"DB_PASSWORD": "hunter2-canary", "STAGE": "prod-canary"}},
    }
    account = Account(lambda_ListFunctions={"Functions": [function]})
    kind = by_type()["AWS::Lambda::Function"]
    inventory = collect(answers.session(account), {kind.type: (kind, ())}, ["eu-west-1"])
    written = b"".join(lines(inventory))
    assert b"canary" not in written
    assert inventory.known(kind.type)[0]["Environment"]["Variables"] == {
        "DB_PASSWORD": "literal",
        "STAGE": "literal",
    }


def test_only_the_plans_operations_leave_the_process() -> None:
    session = answers.session(Account())
    collect(session, _plan("AWS::SQS::Queue"), ["eu-west-1"])
    with pytest.raises(UndeclaredOperation, match="sns:ListTopics"):
        session.client("sns", "eu-west-1").list_topics()
    # What no kind declares is not even a method.
    assert not hasattr(session.client("sqs", "eu-west-1"), "purge_queue")
    assert not hasattr(session.client("sqs", "eu-west-1"), "receive_message")


def test_the_worker_count_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1793534400")
    made = [
        b"".join(
            lines(
                collect(answers.session(Account()), _plan("AWS::SQS::Queue"), ["eu-west-1"], workers=workers)
            )
        )
        for workers in (1, 2, 16)
    ]
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("workers", [1, 2, 16])
def test_who_lists_describes_as_well_where_too_much_waits(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1793534400")
    queues = {"QueueUrls": [f"{QUEUE}queue-{number}" for number in range(100)]}

    def made(most: int) -> tuple[bytes, int]:
        waiting: list[int] = []
        tallies: list[Tally] = []

        def count(_: Any) -> None:
            waiting.extend(tally.queued - tally.finished for tally in tallies[:1])

        session = answers.session(Account(sqs_ListQueues=queues, sqs_ListQueueTags=count))
        monkeypatch.setattr(scheduler, "_MOST_WAITING", most)
        plan = _plan("AWS::SQS::Queue")
        found = collect(session, plan, ["eu-west-1"], workers=workers, on_wait=tallies.append)
        return b"".join(lines(found)), max(waiting)

    bounded, most_waiting = made(10)
    assert bounded == made(1_000)[0]
    # What is under way counts as well, and so do an aid and the one that waits for it first.
    assert most_waiting <= 10 + workers + 2


def test_throttled_calls_are_counted_and_tried_again() -> None:
    tries = iter([answers.error("ThrottlingException"), answers.error("ThrottlingException")])
    account = Account(sqs_ListQueues=lambda _: next(tries, {"QueueUrls": [QUEUE + "orders"]}))
    inventory = _read(account)
    assert inventory.run.throttles == 2
    assert len(inventory.of("AWS::SQS::Queue")) == 1


def test_expired_credentials_end_the_run() -> None:
    expired = answers.response(
        b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>old</Message></Error></ErrorResponse>",
        403,
        {"Content-Type": "text/xml"},
    )
    with pytest.raises(CredentialsError, match="expired"):
        _read(Account(sts_GetCallerIdentity=expired))


def test_credentials_that_expire_midway_leave_an_incomplete_run() -> None:
    inventory = _read(Account(sqs_GetQueueAttributes=answers.error("ExpiredToken", 403)))
    assert not inventory.run.complete
    assert [gap.reason for gap in inventory.list_gaps("AWS::SQS::Queue")] == [Reason.EXPIRED_CREDENTIALS]


def _lines(account: Account, journal: Path | None, *, resume: bool = False, stop_after: int = -1) -> bytes:
    def on_wait(tally: Tally) -> None:
        if stop_after >= 0 and tally.finished >= stop_after:
            raise KeyboardInterrupt

    session = answers.session(account)
    plan = _plan("AWS::SQS::Queue", "AWS::Glue::Table", "AWS::Glue::Database")
    return b"".join(
        lines(
            collect(session, plan, ["eu-west-1"], workers=2, journal=journal, resume=resume, on_wait=on_wait)
        )
    )


def _lake() -> Account:
    """Queues, and tables in databases, so that units hang on one another."""
    return Account(
        sqs_ListQueues={"QueueUrls": [f"{QUEUE}queue-{number}" for number in range(20)]},
        glue_GetDatabases={"DatabaseList": [{"Name": f"base_{number}"} for number in range(5)]},
        glue_GetTables=lambda asked: {
            "TableList": [
                {"Name": f"table_{number}", "DatabaseName": asked["DatabaseName"]} for number in range(3)
            ]
        },
    )


@pytest.mark.parametrize("stop_after", [0, 1, 3, 7, 15])
def test_a_run_that_is_stopped_and_resumed_ends_in_the_same_bytes(
    stop_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1793534400")
    whole = _lines(_lake(), None)
    journal = tmp_path / "inventory.jsonl.partial"
    with contextlib.suppress(Interrupted):
        assert _lines(_lake(), journal, stop_after=stop_after) == whole
    if journal.exists():
        assert _lines(_lake(), journal, resume=True) == whole
    assert not journal.exists()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_journal_that_was_cut_off_anywhere_ends_in_the_same_bytes(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a SIGKILL leaves: a journal that ends at any byte."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1793534400")
    whole = _lines(_lake(), None)
    journal = tmp_path / "inventory.jsonl.partial"
    monkeypatch.setattr(Journal, "end", lambda self: None)
    _lines(_lake(), journal)
    raw = journal.read_bytes()
    heading = raw.index(b"\n") + 1
    journal.write_bytes(raw[: heading + int((len(raw) - heading) * share)])
    assert _lines(_lake(), journal, resume=True) == whole


def test_a_stopped_run_says_what_it_did_not_read(tmp_path: Path) -> None:
    with pytest.raises(Interrupted) as stopped:
        _lines(_lake(), tmp_path / "journal", stop_after=0)
    inventory = stopped.value.inventory
    assert {gap.reason for gap in inventory.list_gaps("AWS::Glue::Database")} <= {Reason.INTERRUPTED}
    assert not inventory.run.complete


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "nothing to resume"), (b"{}\n", "not the journal"), (b"not json\n{}\n", "line 1")],
    ids=["missing", "no heading", "not JSON"],
)
def test_what_cannot_be_resumed_says_so(content: bytes | None, words: str, tmp_path: Path) -> None:
    journal = tmp_path / "inventory.jsonl.partial"
    if content is not None:
        journal.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words):
        _lines(_lake(), journal, resume=True)


def test_another_question_is_not_resumed(tmp_path: Path) -> None:
    journal = tmp_path / "inventory.jsonl.partial"
    with pytest.raises(Interrupted):
        _lines(_lake(), journal, stop_after=1)
    with pytest.raises(ConfigurationError, match="other rules"):
        collect(
            answers.session(_lake()), _plan("AWS::SQS::Queue"), ["eu-west-1"], journal=journal, resume=True
        )


def test_a_region_that_is_switched_off_is_named() -> None:
    refused = answers.response(
        b"<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>",
        403,
        {"Content-Type": "text/xml"},
    )

    def identity(parameters: dict[str, Any]) -> Any:
        return refused if "ap-east-1" in parameters["url"] else None

    with pytest.raises(ConfigurationError, match="'ap-east-1' is switched off"):
        _read(Account(sts_GetCallerIdentity=identity), regions=("eu-west-1", "ap-east-1"))


@pytest.mark.parametrize(
    ("partition", "regions", "domain", "iam"),
    [
        ("aws", ("eu-west-1", "us-east-1"), "amazonaws.com", "iam.amazonaws.com"),
        (
            "aws-cn",
            ("cn-northwest-1", "cn-north-1"),
            "amazonaws.com.cn",
            "iam.cn-north-1.amazonaws.com.cn",
        ),
        ("aws-us-gov", ("us-gov-east-1", "us-gov-west-1"), "amazonaws.com", "iam.us-gov.amazonaws.com"),
    ],
)
def test_each_partition_has_its_own_hosts_and_arns(
    partition: str, regions: tuple[str, ...], domain: str, iam: str
) -> None:
    queues, asked = Account(), []

    def answer(operation: str, parameters: dict[str, Any]) -> AWSResponse:
        asked.append((operation, urlsplit(parameters["url"]).hostname))
        if operation == "iam:ListInstanceProfiles":
            return answers.response(answers.NO_PROFILES, headers={"Content-Type": "text/xml"})
        return queues(operation, parameters)

    plan = _plan("AWS::SQS::Queue", "AWS::IAM::InstanceProfile")
    inventory = collect(answers.session(answer, regions[0]), plan, regions)
    assert [queue.arn for queue in inventory.of("AWS::SQS::Queue")] == [
        f"arn:{partition}:sqs:{region}:123456789012:{name}"
        for region in sorted(regions)
        for name in ("orders", "returns")
    ]
    assert sorted(host for operation, host in asked if operation == "sqs:ListQueues") == [
        f"sqs.{region}.{domain}" for region in sorted(regions)
    ]
    assert [host for operation, host in asked if operation.startswith("iam:")] == [iam]


def test_regions_of_two_partitions_are_refused_before_any_call() -> None:
    account = Account()
    with pytest.raises(ConfigurationError, match="'cn-north-1' in aws-cn; an account has one"):
        chosen_regions(answers.session(account), ["eu-west-1", "cn-north-1"], all_regions=False)
    assert account.calls == []


def test_the_policy_names_what_the_plan_calls() -> None:
    made = policy(operations(_plan("AWS::SQS::Queue", "AWS::EMR::Cluster")))
    actions = made["Statement"][0]["Action"]
    assert {"sqs:ListQueues", "elasticmapreduce:DescribeCluster"} <= set(actions)
    assert actions == sorted(set(actions))


def _table(name: str, **parameters: str) -> dict[str, Any]:
    return {"Name": name, "DatabaseName": "lake", "Parameters": parameters, "PartitionKeys": []}


def _glue(**instead: Any) -> Account:
    """An account of one Iceberg table."""
    made: dict[str, Any] = {
        "glue_GetDatabases": {"DatabaseList": [{"Name": "lake"}]},
        "glue_GetTables": {"TableList": [_table("orders", table_type="ICEBERG")]},
        "lakeformation_GetResourceLFTags": {},
    }
    return Account(**made | instead)


def _failure(code: str) -> dict[str, Any]:
    return {"TableOptimizers": [], "Failures": [{"type": "compaction", "error": {"ErrorCode": code}}]}


def test_a_failure_within_an_answer_can_mean_that_nothing_is_configured() -> None:
    account = _glue(glue_BatchGetTableOptimizer=_failure("EntityNotFoundException"))
    table = _read(account, "AWS::Glue::Database", "AWS::Glue::Table").of("AWS::Glue::Table")[0]
    assert table["TableOptimizers"] == []


def test_any_other_failure_within_an_answer_is_a_gap() -> None:
    account = _glue(glue_BatchGetTableOptimizer=_failure("AccessDeniedException"))
    table = _read(account, "AWS::Glue::Database", "AWS::Glue::Table").of("AWS::Glue::Table")[0]
    with pytest.raises(Unread) as raised:
        table["TableOptimizers"]
    assert raised.value.gap.reason is Reason.ACCESS_DENIED


def test_a_call_of_another_service_is_named_as_such() -> None:
    account = _glue(lakeformation_GetResourceLFTags=answers.error("AccessDeniedException"))
    database = _read(account, "AWS::Glue::Database").of("AWS::Glue::Database")[0]
    with pytest.raises(Unread) as raised:
        database["LFTags"]
    assert raised.value.gap.action == "lakeformation:GetResourceLFTags"


def test_only_the_pages_that_are_asked_for_are_read() -> None:
    account = Account(
        glue_GetJobs={"Jobs": [{"Name": "j"}]},
        glue_GetTags={"Tags": {}},
        glue_GetJobRuns={"JobRuns": [{"Id": "newest", "JobRunState": "FAILED"}], "NextToken": "older"},
    )
    job = _read(account, "AWS::Glue::Job").of("AWS::Glue::Job")[0]
    assert job["JobRuns"] == [{"Id": "newest", "JobRunState": "FAILED"}]
    assert account.calls.count("glue:GetJobRuns") == 1


def test_a_list_of_several_parameter_sets_is_made_with_each() -> None:
    def targets(parameters: dict[str, Any]) -> Any:
        namespace = parameters["ServiceNamespace"]
        return {
            "ScalableTargets": [{"ServiceNamespace": namespace, "ResourceId": "r", "ScalableDimension": "d"}]
        }

    type_ = "AWS::ApplicationAutoScaling::ScalableTarget"
    account = Account(
        **{
            "application-auto-scaling_DescribeScalableTargets": targets,
            "application-auto-scaling_DescribeScalingPolicies": {"ScalingPolicies": []},
        }
    )
    assert {found["ServiceNamespace"] for found in _read(account, type_).of(type_)} == {"dynamodb", "kafka"}


SERVICE = "arn:aws:ecs:eu-west-1:123456789012:service/loader"
CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/main"


def _ecs(**instead: Any) -> Account:
    made: dict[str, Any] = {
        "ecs_ListClusters": {"clusterArns": [CLUSTER]},
        "ecs_DescribeClusters": {"clusters": [{"status": "ACTIVE"}], "failures": []},
        "ecs_ListServices": {"serviceArns": [SERVICE]},
        "ecs_DescribeServices": {
            "services": [
                {"status": "ACTIVE", "taskDefinition": "loader:1", "tags": [{"key": "a", "value": "b"}]}
            ]
        },
        "ecs_DescribeTaskDefinition": {
            "taskDefinition": {
                "containerDefinitions": [
                    {"environment": [{"name": "DB_PASSWORD", "value": "hunter2-canary"}, {"name": "EMPTY"}]}
                ]
            }
        },
    }
    return Account(**made | instead)


def test_a_child_takes_over_what_its_parent_is_called() -> None:
    service = _read(_ecs(), "AWS::ECS::Cluster", "AWS::ECS::Service").of("AWS::ECS::Service")[0]
    assert service["clusterArn"] == CLUSTER
    assert service.tags == {"a": "b"}


def test_pairs_of_name_and_value_stay_outside_too() -> None:
    inventory = _read(_ecs(), "AWS::ECS::Cluster", "AWS::ECS::Service")
    assert b"canary" not in b"".join(lines(inventory))
    environment = inventory.of("AWS::ECS::Service")[0]["definition"]["containerDefinitions"][0]["environment"]
    assert environment == [
        {"name": "DB_PASSWORD", "value": "literal"},
        {"name": "EMPTY", "value": "empty"},
    ]


def test_what_an_answer_reports_missing_has_gone() -> None:
    missing = {"services": [], "failures": [{"arn": SERVICE, "reason": "MISSING"}]}
    inventory = _read(_ecs(ecs_DescribeServices=missing), "AWS::ECS::Cluster", "AWS::ECS::Service")
    assert inventory.of("AWS::ECS::Service") == []
    assert inventory.run.gone == 1


def test_a_trail_is_kept_and_read_where_it_lives() -> None:
    arn = "arn:aws:cloudtrail:us-east-1:123456789012:trail/org"
    asked: list[str] = []

    def status(parameters: dict[str, Any]) -> Any:
        asked.append(parameters["url"])
        return {"IsLogging": True}

    account = Account(
        cloudtrail_DescribeTrails={
            "trailList": [{"TrailARN": arn, "Name": "org", "HomeRegion": "us-east-1"}]
        },
        cloudtrail_GetTrailStatus=status,
        cloudtrail_GetEventSelectors=answers.error("AccessDeniedException"),
    )
    inventory = _read(account, "AWS::CloudTrail::Trail", regions=("eu-west-1", "eu-central-1"))
    (trail,) = inventory.of("AWS::CloudTrail::Trail")
    assert (trail.region, trail["Status"]) == ("us-east-1", {"IsLogging": True})
    assert len(asked) == 1
    assert "us-east-1" in asked[0]
    with pytest.raises(Unread):
        trail["AdvancedEventSelectors"]


def test_a_service_that_is_not_in_use_has_nothing() -> None:
    account = Account(organizations_DescribeOrganization=answers.error("AWSOrganizationsNotInUseException"))
    assert _read(account, "AWS::Organizations::Organization").of("AWS::Organizations::Organization") == []


@pytest.mark.parametrize(
    ("message", "known"),
    [
        ("Account 123456789012 is not subscribed for QuickSight", True),
        ("needs the enterprise edition", False),
    ],
)
def test_one_code_of_two_meanings_is_told_by_its_words(message: str, known: bool) -> None:
    refusal = answers.error("UnsupportedUserEditionException", 403, message)
    inventory = _read(Account(quicksight_ListDataSets=refusal), "AWS::QuickSight::DataSet")
    assert bool(inventory.list_gaps("AWS::QuickSight::DataSet")) is not known


def _brokers(properties: bytes) -> Account:
    software = {"ConfigurationArn": "arn:aws:kafka:eu-west-1:123456789012:configuration/c/1"}
    cluster = {
        "clusterArn": "arn:aws:kafka:eu-west-1:123456789012:cluster/c/1",
        "clusterName": "c",
        "provisioned": {
            "currentBrokerSoftwareInfo": {
                "configurationArn": software["ConfigurationArn"],
                "configurationRevision": 3,
            }
        },
    }
    return Account(
        kafka_ListClustersV2={"clusterInfoList": [cluster]},
        kafka_DescribeConfigurationRevision={"serverProperties": base64.b64encode(properties).decode()},
    )


def test_a_properties_file_becomes_a_map_without_secrets() -> None:
    account = _brokers(b"# mine\nmin.insync.replicas = 2\r\n\nlistener.password=canary\n!no\n")
    cluster = _read(account, "AWS::MSK::Cluster").of("AWS::MSK::Cluster")[0]
    assert cluster["ServerProperties"] == {"min.insync.replicas": "2", "listener.password": "literal"}


def test_a_properties_file_that_is_no_text_is_a_gap() -> None:
    cluster = _read(_brokers(b"\xff\xfe\x00"), "AWS::MSK::Cluster").of("AWS::MSK::Cluster")[0]
    with pytest.raises(Unread) as raised:
        cluster["ServerProperties"]
    assert raised.value.gap.reason is Reason.MALFORMED


def test_of_a_dashboard_only_what_it_shows_is_kept() -> None:
    body = {
        "widgets": [
            {"type": "text", "properties": {"markdown": "call canary"}},
            {
                "type": "metric",
                "properties": {
                    "title": "canary",
                    "metrics": [
                        ["AWS/Glue", "glue.driver", "JobName", "etl", {"label": "canary"}],
                        [{"expression": "SEARCH('{AWS/Kinesis}')"}],
                    ],
                },
            },
        ]
    }
    found = {"DashboardName": "d", "DashboardArn": "arn:aws:cloudwatch::123456789012:dashboard/d"}
    account = Account(
        cloudwatch_ListDashboards={"DashboardEntries": [found]},
        cloudwatch_GetDashboard={"DashboardBody": json.dumps(body)},
    )
    inventory = _read(account, "AWS::CloudWatch::Dashboard")
    assert b"canary" not in b"".join(lines(inventory))
    assert inventory.of("AWS::CloudWatch::Dashboard")[0]["DashboardBody"] == {
        "Namespaces": ["AWS/Glue"],
        "Expressions": ["SEARCH('{AWS/Kinesis}')"],
        "Alarms": [],
    }


def test_a_row_can_ask_for_the_month_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1793534400")  # 2026-11-01
    asked: list[Any] = []

    def cost(parameters: dict[str, Any]) -> Any:
        # What others' accounts cost is told to the one that pays for them, and is not asked for.
        own = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": ["123456789012"]}}
        assert parameters["Filter"] == own
        asked.append(parameters["TimePeriod"])
        month = {"TimePeriod": parameters["TimePeriod"], "Groups": []}
        return {"ResultsByTime": [month | {"Total": {"UnblendedCost": {"Amount": "1", "Unit": "USD"}}}]}

    (found,) = _read(Account(**{"cost-explorer_GetCostAndUsage": cost}), "AWS::CE::CostAndUsage").of(
        "AWS::CE::CostAndUsage"
    )
    assert asked == [{"Start": "2026-10-01", "End": "2026-11-01"}] * 2
    assert found.arn == "arn:aws:ce::123456789012:cost-and-usage/2026-10-01"
    assert found["UsageTypes"] == []


def _cost_of(service: str, amount: str) -> dict[str, Any]:
    return {"Keys": [service, "Usage"], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}


def test_a_month_that_a_page_ends_in_is_read_in_both_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1772366400")  # 2026-03-01
    asked: list[Any] = []
    month = {"TimePeriod": {"Start": "2026-02-01", "End": "2026-03-01"}, "Estimated": True}

    def cost(parameters: dict[str, Any]) -> Any:
        asked.append(parameters["TimePeriod"])
        assert [group["Key"] for group in parameters["GroupBy"]] == ["SERVICE", "RECORD_TYPE"]
        if parameters.get("NextPageToken") == "more":
            return {"ResultsByTime": [month | {"Groups": [_cost_of("AWS Glue", "2")]}]}
        first = month | {"Groups": [_cost_of("Amazon Athena", "1")]}
        return {"ResultsByTime": [first], "NextPageToken": "more"}

    found = _read(Account(**{"cost-explorer_GetCostAndUsage": cost}), "AWS::CE::ServiceCost").of(
        "AWS::CE::ServiceCost"
    )
    assert asked == [{"Start": "2025-09-01", "End": "2026-03-01"}] * 2
    assert sorted(group["Service"] for part in found for group in part["Groups"]) == [
        "AWS Glue",
        "Amazon Athena",
    ]
    assert {part.name for part in found} == {"2026-02-01"}
    assert all(part["Estimated"] for part in found)


def test_of_a_steps_arguments_the_settings_that_are_judged_stay() -> None:
    settings = ["--conf", "spark.executor.memory=4g", "--conf", "spark.x.token=canary"]
    words = ["spark-submit", *settings, "s3://lake-code/x.py"]
    account = Account(
        emr_ListClusters={"Clusters": [{"Id": "j-1", "Name": "nightly"}]},
        emr_ListSteps={"Steps": [{"Id": "s-1", "Name": "load", "Config": {"Args": words}}]},
    )
    (cluster,) = _read(account, "AWS::EMR::Cluster").known("AWS::EMR::Cluster")
    (step,) = cluster["Steps"]
    assert step == {"Id": "s-1", "Name": "load", "SparkSettings": {"spark.executor.memory": "4g"}}
    assert cluster["References"] == ["s3://lake-code"]


def test_a_month_without_groups_is_no_month_without_cost() -> None:
    answer = {"ResultsByTime": [{"TimePeriod": {"Start": "2026-02-01", "End": "2026-03-01"}}]}
    inventory = _read(Account(**{"cost-explorer_GetCostAndUsage": answer}), "AWS::CE::ServiceCost")
    with pytest.raises(Unread) as raised:
        inventory.of("AWS::CE::ServiceCost")
    assert raised.value.gap.reason is Reason.MALFORMED


def test_a_plan_holds_what_its_calls_hang_on() -> None:
    """EMR: instance types are asked for by the groups, and groups by how the cluster collects instances."""
    rule = replace(load()["emr-cluster-logging"], reads=("ec2:DescribeInstanceTypes",))
    assert operations(plan([rule])) == {
        "emr:ListClusters",
        "emr:DescribeCluster",
        "emr:ListInstanceGroups",
        "emr:ListInstanceFleets",
        "ec2:DescribeInstanceTypes",
    }


def test_an_answer_with_none_of_its_fields_is_malformed() -> None:
    account = Account(
        datasync_ListTasks={"Tasks": [{"TaskArn": "arn:aws:datasync:eu-west-1:123456789012:task/t"}]},
        datasync_DescribeTask={},
        datasync_ListTagsForResource={"Tags": []},
    )
    task = _read(account, "AWS::DataSync::Task").of("AWS::DataSync::Task")[0]
    with pytest.raises(Unread) as raised:
        task["LastExecution"]
    assert raised.value.gap.operation == "datasync:DescribeTask"
    assert raised.value.gap.reason is Reason.MALFORMED
