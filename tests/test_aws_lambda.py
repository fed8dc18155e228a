"""The scheduled run: what it writes and says, that it ends in the same bytes, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import moto
import pytest
from botocore.awsrequest import AWSResponse
from msgspec import json as msgjson
from urllib3 import HTTPResponse

from wa_audit import aws_lambda, invocation, publishing, stores
from wa_audit.collect.guard import UndeclaredOperation
from wa_audit.collect.kinds import declared
from wa_audit.model import ConfigurationError, OutputError, Severity
from wa_audit.report.audit import Audit

BUCKET = "reports-of-audits"
EVENT = {
    "bucket": BUCKET,
    "rules": ["sqs-queue-encrypted", "sqs-queue-dlq"],
    "metrics_days": 0,
    "formats": ["json"],
}


class Context:
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:wa-audit"

    def __init__(self, *remaining: float) -> None:
        """`remaining` are the seconds that are left, asked for the first time, the second, and so on."""
        self._remaining = iter(remaining)

    def get_remaining_time_in_millis(self) -> int:
        return int(next(self._remaining, 900.0) * 1000)


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "SOURCE_DATE_EPOCH": "1793534400",
    }.items():
        monkeypatch.setenv(name, value)
    with moto.mock_aws():
        _client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        for number in range(3):
            _queue(f"queue-{number}")
        yield


def _client(service: str) -> Any:
    return boto3.session.Session(region_name="eu-west-1").client(service)


def _queue(name: str, **attributes: str) -> None:
    _client("sqs").create_queue(QueueName=name, Attributes=attributes)


def _objects() -> dict[str, bytes]:
    s3 = _client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {entry["Key"]: s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read() for entry in listed}


RUN = "audits/account_id=123456789012/audit_date=2026-11-01/20261101T120000Z"
LATEST = "latest/account_id=123456789012"


def test_a_run_leaves_its_reports_and_says_figures(capsys: pytest.CaptureFixture[str]) -> None:
    told = aws_lambda.handler(EVENT | {"formats": ["json", "html"]}, Context())
    assert told["status"] == "complete"
    assert told["failing"] > 0
    assert told["reports"] == [f"s3://{BUCKET}/{RUN}/audit.json", f"s3://{BUCKET}/{RUN}/report.html"]
    objects = _objects()
    assert sorted(key.split("/")[0] for key in objects) == sorted(
        ["audits", "audits", "findings", "latest", "latest", "runs"]
    )
    assert objects[f"{RUN}/audit.json"] == objects[f"{LATEST}/audit.json"]
    assert b"<html" in objects[f"{LATEST}/report.html"]
    audit = msgjson.decode(objects[f"{LATEST}/audit.json"], type=Audit)
    assert audit.overall.score == told["score"]
    said = capsys.readouterr().out
    assert "queue-1" not in said  # figures, and no finding
    lines = [json.loads(line) for line in said.splitlines()]
    data = [line for line in lines if "_aws" in line]
    whole = next(line for line in data if line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Account"]])
    assert (whole["Score"], whole["OpenFindings"]) == (told["score"], told["failing"])
    for line in data:
        about = line["_aws"]["CloudWatchMetrics"][0]
        assert {name for names in about["Dimensions"] for name in names} <= line.keys()
        assert {metric["Name"] for metric in about["Metrics"]} <= line.keys()
    assert {line["Pillar"] for line in data if "Pillar" in line} >= {"security", "reliability"}
    assert {line["Severity"] for line in data if "Severity" in line} == {str(found) for found in Severity}


def test_a_prefix_and_a_key_are_kept_to() -> None:
    place = invocation.place(invocation.Kept(bucket=BUCKET, prefix="/of/data/", kms_key="alias/reports"))
    put: list[dict[str, Any]] = []
    events = place._client(stores.WRITES).meta.events
    events.register("provide-client-params.s3.PutObject", lambda params, **_: put.append(params))
    aws_lambda.handler(EVENT | {"prefix": "/of/data/", "kms_key": "alias/reports"}, Context())
    assert all(key.startswith("of/data/") for key in _objects())
    assert len(put) == len(_objects())
    assert {parameters["SSEKMSKeyId"] for parameters in put} == {"alias/reports"}
    types = {parameters["Key"].rpartition(".")[2]: parameters["ContentType"] for parameters in put}
    assert types["json"] == "application/json"


def test_the_reports_show_earlier_runs_as_those_of_scan_do(monkeypatch: pytest.MonkeyPatch) -> None:
    first = aws_lambda.handler(EVENT, Context())
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(1793534400 + 86400))
    _queue("payments")
    told = aws_lambda.handler(EVENT | {"formats": ["json", "html"]}, Context())
    objects = _objects()
    audit = msgjson.decode(objects[f"{LATEST}/audit.json"], type=Audit)
    (earlier,) = audit.earlier
    assert (earlier.finished, earlier.score) == ("2026-11-01T12:00:00Z", first["score"])
    assert earlier.failing == first["failing"] < told["failing"]
    assert b'class="since"' in objects[f"{LATEST}/report.html"]
    runs = [key for key in objects if key.startswith("runs/")]
    assert earlier.run in runs[0]
    assert len(runs) == 2
    # What it is beside is not what it holds: made again, it is the same run, and no other.
    aws_lambda.handler(EVENT | {"formats": ["json", "html"]}, Context())
    assert _objects() == objects


def test_without_the_history_no_earlier_run_is_looked_for() -> None:
    aws_lambda.handler(EVENT, Context())
    aws_lambda.handler(EVENT | {"history": False}, Context())
    assert msgjson.decode(_objects()[f"{LATEST}/audit.json"], type=Audit).earlier == []


def test_a_history_that_cannot_be_read_costs_no_report(capsys: pytest.CaptureFixture[str]) -> None:
    key = "runs/account_id=123456789012/audit_date=2026-10-01/20261001T120000Z-000000000000.jsonl"
    _client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"{}\n")
    assert aws_lambda.handler(EVENT, Context())["status"] == "complete"
    assert f"the report shows no earlier runs: s3://{BUCKET}/{key}, line 1" in capsys.readouterr().err


def _listener() -> tuple[str, str]:
    """A topic, and the queue that hears it."""
    topic = _client("sns").create_topic(Name="worse")["TopicArn"]
    queue = (
        boto3.session.Session()
        .client("sqs", region_name="eu-west-1")
        .create_queue(QueueName="heard")["QueueUrl"]
    )
    arn = "arn:aws:sqs:eu-west-1:123456789012:heard"
    _client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    events = _client("events")
    events.put_rule(Name="worse", EventPattern='{"source": ["wa-audit"]}')
    events.put_targets(Rule="worse", Targets=[{"Id": "queue", "Arn": arn}])
    return topic, queue


def _heard(queue: str) -> list[dict[str, Any]]:
    sqs = _client("sqs")
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]


def test_notice_is_given_only_where_something_got_worse() -> None:
    topic, queue = _listener()
    event = EVENT | {"topic": topic, "event_bus": "default", "notify": "low"}
    first = aws_lambda.handler(event, Context())
    assert first["worse"] == 0  # there is nothing to compare with
    assert aws_lambda.handler(event, Context())["worse"] == 0
    assert _heard(queue) == []
    _queue("payments")
    worse = aws_lambda.handler(event, Context())["worse"]
    assert worse > 0
    heard = _heard(queue)
    notice = next(message for message in heard if message.get("Type") == "Notification")
    assert notice["Subject"] == f"wa-audit: account 123456789012 got worse ({worse} findings)"
    assert "arn:aws:sqs:eu-west-1:123456789012:payments" in notice["Message"]
    assert f"s3://{BUCKET}/{RUN}/report.html" in notice["Message"]
    told = next(message["detail"] for message in heard if message.get("source") == "wa-audit")
    assert told["worse"] == sum(told["severities"].values()) == worse
    assert {found["resource"].rpartition(":")[2] for found in told["findings"]} == {"payments"}


def test_a_latest_audit_that_cannot_be_read_is_no_reason_to_fail() -> None:
    _client("s3").put_object(Bucket=BUCKET, Key=f"{LATEST}/audit.json", Body=b"{}")
    assert aws_lambda.handler(EVENT, Context())["status"] == "complete"


@pytest.mark.parametrize("asked", [0, 1, 2])
def test_a_run_that_is_out_of_time_ends_in_the_bytes_of_a_long_one(
    asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        _queue(f"more-{number}")
    aws_lambda.handler(EVENT, Context())
    whole = _objects()
    invoked: list[dict[str, Any]] = []
    monkeypatch.setattr(publishing, "invoke", lambda function, event: invoked.append(event))
    told = aws_lambda.handler(EVENT | {"prefix": "short"}, Context(*[900.0] * asked, 59.0))
    if told["status"] == "partial":
        partial = msgjson.decode(_objects()[f"short/{RUN}/audit.json"], type=Audit)
        assert not partial.run.complete
        assert not any(key.startswith("short/latest") for key in _objects())
        assert [event["continuation"] for event in invoked] == [told["continuation"]]
        assert invoked[0]["invocation"] == 2
        told = aws_lambda.handler(invoked[0], Context())
    assert told["status"] == "complete"
    short = {key.removeprefix("short/"): body for key, body in _objects().items() if key.startswith("short/")}
    assert {key: body for key, body in short.items() if "continuations" not in key} == whole


def test_a_run_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "invoke", lambda function, event: pytest.fail("was invoked again"))
    with pytest.raises(OutputError, match="15 invocations"):
        aws_lambda.handler(EVENT | {"invocation": 15}, Context(1.0))


def test_who_invokes_again_himself_is_told_how() -> None:
    told = aws_lambda.handler(EVENT | {"hand_on": False}, Context(1.0))
    assert told["status"] == "partial"
    going_on = {name: told[name] for name in ("continuation", "invocation")}
    assert aws_lambda.handler(EVENT | going_on, Context())["status"] == "complete"


def test_settings_come_from_the_event_then_from_the_environment() -> None:
    environment = {
        "WA_AUDIT_BUCKET": "b",
        "WA_AUDIT_REGIONS": "eu-west-1, eu-central-1",
        "WA_AUDIT_METRICS_DAYS": "7",
        "WA_AUDIT_COST": "true",
        "WA_AUDIT_REDSHIFT_SQL": "true",
        "WA_AUDIT_TOPIC": "",
    }
    found = invocation.settings(aws_lambda.Settings, {"metrics_days": 3}, environment)
    assert (found.bucket, found.regions) == ("b", ("eu-west-1", "eu-central-1"))
    assert (found.metrics_days, found.cost, found.redshift_sql, found.topic) == (3, True, True, "")
    scheduled = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {"prefix": "p"}}
    assert invocation.settings(aws_lambda.Settings, scheduled, environment).prefix == "p"
    nothing, empty = (invocation.settings(aws_lambda.Settings, event, environment) for event in (None, {}))
    assert nothing == empty


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"bucket": "b", "prefx": "p"}, "unknown setting 'prefx'; did you mean 'prefix'?"),
        ({}, "`bucket`"),
        ({"bucket": "b", "metrics_days": "many"}, "metrics_days"),
        ({"bucket": "b", "notify": "bad"}, "notify"),
        (["bucket"], "the event is list"),
    ],
)
def test_a_wrong_event_is_refused_in_one_line(
    event: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        aws_lambda.handler(event, Context())
    assert words in str(refused.value)
    assert json.loads(capsys.readouterr().out)["wa-audit"]["status"] == "failed"


def test_a_bucket_that_is_not_there_is_named() -> None:
    with pytest.raises(OutputError, match=r"s3://nobodys-bucket/.*: cannot be written: NoSuchBucket"):
        aws_lambda.handler(EVENT | {"bucket": "nobodys-bucket"}, Context())
    with pytest.raises(ConfigurationError, match="continuations/nothing: cannot be read: NoSuchKey"):
        aws_lambda.handler(EVENT | {"continuation": "continuations/nothing"}, Context())


def test_a_client_can_make_its_own_call_alone() -> None:
    client = publishing._client("sns", "Publish")
    with pytest.raises(UndeclaredOperation):
        client.delete_topic(TopicArn="arn:aws:sns:eu-west-1:123456789012:worse")
    with pytest.raises(UndeclaredOperation):
        client.list_topics()


def test_nothing_that_is_written_is_ever_read_with() -> None:
    read = {operation for kind, call in declared() for operation in kind.operations(call)}
    assert not (publishing.WRITES | stores.WRITES) & read


def test_a_run_hands_on_by_invoking_its_own_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call itself, as it leaves the process: an event for the function that runs, nobody waits for."""
    sent: list[Any] = []

    def accepted(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 202, {}, HTTPResponse(body=b"", preload_content=False))

    publishing._client.cache_clear()
    publishing._client("lambda", "Invoke").meta.events.register_first("before-send.lambda", accepted)
    told = aws_lambda.handler(EVENT, Context(1.0))
    publishing._client.cache_clear()
    (request,) = sent
    assert request.headers["X-Amz-Invocation-Type"] in ("Event", b"Event")
    assert "/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Awa-audit/" in request.url
    event = json.loads(request.body)
    assert event == EVENT | {"continuation": told["continuation"], "invocation": 2}
