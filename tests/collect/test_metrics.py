"""CloudWatch metrics: what is asked for, in how many calls, and what becomes of every answer."""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections import Counter
from inspect import signature
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from click.testing import CliRunner
from moto import mock_aws

from tests.collect import answers
from wa_audit import expressions, rulebook
from wa_audit.assess import judge
from wa_audit.cli import cli
from wa_audit.collect import Interrupted, collect, metrics, reader
from wa_audit.collect.journal import Journal
from wa_audit.collect.kinds import by_type
from wa_audit.collect.plan import Plan, operations, plan, without_metrics
from wa_audit.collect.session import AwsSession
from wa_audit.collect.units import Tally
from wa_audit.commands.scan import scan
from wa_audit.inventory import Inventory, lines
from wa_audit.model import ConfigurationError, Reason, Resource, Status, Unread
from wa_audit.wiring import Gathering

STREAM, BUCKET = "AWS::Kinesis::Stream", "AWS::S3::Bucket"
ROWS = [(type_, row) for type_, kind in by_type().items() for call in kind.details for row in call.metrics]
EPOCH = 1793534400  # 2026-11-01T12:00:00Z
READ = "cloudwatch:GetMetricData"


@pytest.fixture(autouse=True)
def _fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's pauses between tries, and the time."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH + 754))


class Account:
    """Streams whose metrics count from 1 on; `answer` gives other results for the queries of a call."""

    def __init__(self, streams: int = 2, answer: Any = None) -> None:
        self.streams = streams
        self.answer = answer
        self.asked: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def __call__(self, operation: str, parameters: dict[str, Any]) -> AWSResponse:
        match operation:
            case "sts:GetCallerIdentity":
                return answers.response(answers.IDENTITY, headers={"Content-Type": "text/xml"})
            case "kinesis:ListStreams":
                names = [f"stream-{number:03}" for number in range(self.streams)]
                return answers.response({"StreamNames": names, "HasMoreStreams": False})
            case "kinesis:DescribeStreamSummary":
                return answers.response({"StreamDescriptionSummary": {"StreamStatus": "ACTIVE"}})
            case "kinesis:ListTagsForStream":
                return answers.response({"Tags": [], "HasMoreTags": False})
            case "cloudwatch:GetMetricData":
                with self._lock:
                    self.asked.append(parameters)
                made = self.answer(parameters) if self.answer else None
                if isinstance(made, AWSResponse):
                    return made
                return answers.response(
                    made or {"MetricDataResults": list(map(_result, _queries(parameters)))}
                )
        raise AssertionError(f"unexpected call of {operation}")

    @property
    def sizes(self) -> list[int]:
        return sorted((len(_queries(parameters)) for parameters in self.asked), reverse=True)


def _queries(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parameters["MetricDataQueries"]
    return found


def _result(query: dict[str, Any], *values: Any, status: str = "Complete") -> dict[str, Any]:
    values = values or (1.0, 2.0)
    times = [EPOCH - 86_400 * day for day in range(len(values))]
    return {"Id": query["Id"], "Timestamps": times, "Values": list(values), "StatusCode": status}


def _name(query: dict[str, Any]) -> str:
    return str(query["MetricStat"]["Metric"]["MetricName"])


def _plan(*types: str) -> Plan:
    return {type_: (by_type()[type_], by_type()[type_].details) for type_ in types or (STREAM,)}


def _read(account: Account, **options: Any) -> Inventory:
    return collect(answers.session(account), _plan(), ["eu-west-1"], **options)


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "row"), ROWS, ids=[f"{type_} {row.key or row.name}" for type_, row in ROWS]
)
def test_a_row_can_be_asked(type_: str, row: Any) -> None:
    """botocore itself checks the shape of what is asked, in the tests below, which ask for it."""
    assert row.stat in ("Sum", "Average", "Minimum", "Maximum")
    assert row.namespace.startswith("AWS/")
    # The window is whole periods. CloudWatch has minutes for 15 days, five minutes for 63 days, the longest
    # window, and hours for more.
    assert row.period in (300, 3600, 86_400) or (row.period == 60 and 0 < row.hours <= 15 * 24)
    assert (row.hours or 24) * 3600 % row.period == 0
    assert "." not in row.key or row.key.startswith(f"{row.name}.")


@pytest.mark.parametrize("type_", sorted({type_ for type_, _ in ROWS}))
def test_no_key_stands_twice(type_: str) -> None:
    assert max(Counter(row.key or row.name for of, row in ROWS if of == type_).values()) == 1
    assert "Metrics" in by_type()[type_].fields


# What the rows of each type hang on, as AWS describes it.
FACTS: dict[str, dict[str, Any]] = {
    "AWS::DynamoDB::Table": {"TableName": "t"},
    "AWS::EC2::Instance": {"InstanceId": "i-1"},
    "AWS::EC2::NatGateway": {"NatGatewayId": "nat-1"},
    "AWS::ECS::Cluster": {},
    "AWS::EMR::Cluster": {"Id": "j-1"},
    "AWS::Kinesis::Stream": {"StreamName": "s"},
    "AWS::KinesisFirehose::DeliveryStream": {
        "DeliveryStreamName": "f",
        "Destinations": [{"ExtendedS3DestinationDescription": {"BucketARN": "b"}}],
    },
    "AWS::Lambda::AccountSettings": {},
    "AWS::Lambda::Function": {"FunctionName": "f"},
    "AWS::MSK::Cluster": {"ClusterName": "c", "Provisioned": {"NumberOfBrokerNodes": 3}},
    "AWS::OpenSearchService::Domain": {"DomainName": "d"},
    "AWS::Redshift::Cluster": {"ClusterIdentifier": "c"},
    "AWS::S3::Bucket": {"Name": "b", "BucketRegion": "eu-west-1"},
    "AWS::ServiceQuotas::Quota": {
        "UsageMetric": {
            "MetricNamespace": "AWS/Usage",
            "MetricName": "ResourceCount",
            "MetricDimensions": {
                "Class": "Standard",
                "Resource": "OpenShards",
                "Service": "Kinesis",
                "Type": "Resource",
            },
        }
    },
    "AWS::SQS::Queue": {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/thing"},
}
# Of a Firehose stream its own destination's, of a Kafka cluster each for every broker, of a quota its own.
SERIES = {
    "AWS::KinesisFirehose::DeliveryStream": 5,
    "AWS::MSK::Cluster": 12,
    "AWS::ServiceQuotas::Quota": 1,
}


@pytest.mark.parametrize("type_", sorted({type_ for type_, _ in ROWS}))
def test_the_queries_of_a_type_are_as_botocore_has_them(type_: str) -> None:
    found = Resource(
        type=type_,
        arn=f"arn:aws:x:eu-west-1:123456789012:{type_}",
        name="thing",
        account="123456789012",
        region="eu-west-1",
        data=FACTS[type_],
    )
    account = Account()
    window = metrics.Window.before("2026-11-01T12:12:34Z", 14)
    region = metrics.regions(_plan(type_), [found], window, "eu-west-1")["eu-west-1"]
    session = answers.session(account)
    session.guard.allow([READ])
    for batch in region.batches():
        region.read(session.client("cloudwatch", "eu-west-1"), batch)
    measured = region.finish()[found.arn]
    assert measured.gaps == ()
    rows = [row for of, row in ROWS if of == type_]
    assert len(measured.metrics or ()) == SERIES.get(type_, len(rows))
    dimensions = [
        value["Value"]
        for parameters in account.asked
        for query in _queries(parameters)
        for value in query["MetricStat"]["Metric"].get("Dimensions", ())
    ]
    assert "None" not in dimensions


def test_a_kafka_cluster_without_brokers_of_its_own_has_no_such_metrics() -> None:
    found = Resource(type="AWS::MSK::Cluster", arn="a", name="c", account="1", data={"ClusterName": "c"})
    window = metrics.Window.before("2026-11-01T12:12:34Z", 14)
    region = metrics.regions(_plan("AWS::MSK::Cluster"), [found], window, "eu-west-1")["eu-west-1"]
    assert list(region.batches()) == []
    assert region.finish()["a"].metrics == {}


# -- asking ----------------------------------------------------------------------------------------


def test_a_series_becomes_a_few_numbers() -> None:
    inventory = _read(Account())
    assert inventory.run.metrics_days == 14
    stream = inventory.of(STREAM)[0]
    assert stream.metric("IncomingRecords") == {
        "Datapoints": 2,
        "Above0": 2,
        "Sum": 3.0,
        "Minimum": 1.0,
        "Maximum": 2.0,
        "Latest": 1.0,
    }
    assert stream.metric("NoSuchMetric") is None


def test_no_datapoints_are_said_and_no_number_is_made_up() -> None:
    def nothing(parameters: dict[str, Any]) -> Any:
        results = [{**_result(query), "Timestamps": [], "Values": []} for query in _queries(parameters)]
        return {"MetricDataResults": results}

    assert _read(Account(answer=nothing)).of(STREAM)[0].metric("IncomingRecords") == {"Datapoints": 0}


def test_what_is_no_number_is_no_datapoint() -> None:
    def odd(parameters: dict[str, Any]) -> Any:
        return {"MetricDataResults": [_result(query, "NaN", 5.0) for query in _queries(parameters)]}

    found = _read(Account(answer=odd)).of(STREAM)[0].metric("IncomingRecords")
    assert found == {"Datapoints": 1, "Above0": 1, "Sum": 5.0, "Minimum": 5.0, "Maximum": 5.0, "Latest": 5.0}


def test_a_call_asks_for_500_series() -> None:
    account = Account(streams=200)  # of 9 metrics
    inventory = _read(account)
    assert account.sizes == [500, 500, 500, 300]
    assert all(len(stream["Metrics"]) == 9 for stream in inventory.of(STREAM))
    assert inventory.run.calls == 2 + 200 * 2 + 4 + 1  # the last asks for all tags at once


def test_the_window_ends_at_the_full_hour_before_the_run() -> None:
    account = Account()
    _read(account, metrics_days=3)
    (asked,) = account.asked
    moment = datetime.datetime.fromtimestamp
    assert moment(asked["EndTime"], datetime.UTC).isoformat() == "2026-11-01T12:00:00+00:00"
    assert moment(asked["StartTime"], datetime.UTC).isoformat() == "2026-10-29T12:00:00+00:00"


def test_metrics_are_paged_and_what_is_partial_on_the_way_is_whole_at_the_end() -> None:
    def page(parameters: dict[str, Any]) -> Any:
        last = "NextToken" in parameters
        status = "Complete" if last else "PartialData"
        found = {"MetricDataResults": [_result(q, 4.0, status=status) for q in _queries(parameters)]}
        return found if last else found | {"NextToken": "more"}

    account = Account(answer=page)
    found = _read(account).of(STREAM)[0].metric("IncomingRecords")
    assert found == {"Datapoints": 2, "Above0": 2, "Sum": 8.0, "Minimum": 4.0, "Maximum": 4.0, "Latest": 4.0}
    assert len(account.asked) == 2


# -- what goes wrong -------------------------------------------------------------------------------


def test_refused_metrics_hide_metrics_and_nothing_else() -> None:
    inventory = _read(Account(answer=lambda _: answers.error("AccessDeniedException", 403)))
    for stream in inventory.of(STREAM):
        assert stream["StreamStatus"] == "ACTIVE"
        assert [gap.fields for gap in stream.gaps] == [("Metrics",)]
        with pytest.raises(Unread, match="it needs cloudwatch:GetMetricData"):
            stream.metric("IncomingRecords")
    assert inventory.run.complete


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answers.error("InternalServiceFault", 500), Reason.FAILED),
        (answers.error("ThrottlingException"), Reason.THROTTLED),
        (answers.response(b'{"MetricDataRes'), Reason.MALFORMED),
        (answers.response(b""), Reason.MALFORMED),
        (answers.response({"MetricDataResults": 5}), Reason.MALFORMED),
        (answers.response({"MetricDataResults": []}), Reason.MALFORMED),
        (answers.response({"MetricDataResults": [], "NextToken": "again"}), Reason.MALFORMED),
    ],
    ids=["500", "throttled", "cut off", "empty", "wrong type", "series left out", "endless"],
)
def test_every_failure_says_why(answer: AWSResponse, reason: Reason) -> None:
    stream = _read(Account(answer=lambda _: answer)).of(STREAM)[0]
    with pytest.raises(Unread) as raised:
        stream.metric("IncomingRecords")
    assert raised.value.gap.reason is reason
    assert "Metrics" not in stream.data


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_a_series_that_is_not_whole_is_a_gap_of_its_own(status: str) -> None:
    def partly(parameters: dict[str, Any]) -> Any:
        return {
            "MetricDataResults": [
                _result(query, status=status if _name(query) == "IncomingRecords" else "Complete")
                for query in _queries(parameters)
            ]
        }

    stream = _read(Account(answer=partly)).of(STREAM)[0]
    assert stream.metric("IncomingBytes")
    with pytest.raises(Unread) as raised:
        stream.metric("IncomingRecords")
    assert raised.value.gap.reason is (Reason.ACCESS_DENIED if status == "Forbidden" else Reason.FAILED)
    # An expression, which looks at the whole field, would take what is missing for nothing.
    holds = expressions.judge("Metrics.IncomingRecords.Sum == `null`", "", "good", "bad")
    with pytest.raises(Unread):
        holds(stream)


def test_one_refused_call_of_several_leaves_the_others() -> None:
    def second(parameters: dict[str, Any]) -> Any:
        names = str(parameters["MetricDataQueries"])
        return answers.error("AccessDeniedException", 403) if "stream-100" in names else None

    inventory = _read(Account(streams=200, answer=second))
    known = [stream for stream in inventory.of(STREAM) if not stream.gaps]
    assert len(known) == 55 + 88  # the first call ends within a stream, and the second, too
    split = inventory.of(STREAM)[55]
    assert set(split["Metrics"]) | {gap.fields[0].removeprefix("Metrics.") for gap in split.gaps} >= set(
        known[0]["Metrics"]
    )


def test_credentials_that_expire_leave_metrics_unread() -> None:
    inventory = _read(Account(answer=lambda _: answers.error("ExpiredToken", 403)))
    assert not inventory.run.complete
    with pytest.raises(Unread) as raised:
        inventory.of(STREAM)[0].metric("IncomingRecords")
    assert raised.value.gap.reason is Reason.EXPIRED_CREDENTIALS


def test_a_bucket_whose_region_is_unread_has_unread_metrics() -> None:
    """Elsewhere CloudWatch would say, truthfully, that it has nothing."""
    bucket = Resource(type=BUCKET, arn="arn:aws:s3:::b", name="b", account="1", data={"Name": "b"})
    refused = ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadBucket")
    kind = by_type()[BUCKET]
    bucket.gaps = (reader.gap(kind, kind.details[0], refused, region="", arn=bucket.arn),)
    window = metrics.Window.before("2026-11-01T12:12:34Z", 14)
    region = metrics.regions(_plan(BUCKET), [bucket], window, "us-east-1")["us-east-1"]
    assert list(region.batches()) == []
    (gap,) = region.finish()[bucket.arn].gaps
    assert (gap.operation, gap.fields) == ("s3:HeadBucket", ("Metrics",))


# -- what is read at all ---------------------------------------------------------------------------


def test_metrics_are_read_where_a_rule_asks_and_of_what_it_judges() -> None:
    book = rulebook.load()
    asking = [rule for rule in book.rules if READ in rule.reads]
    silent = [rule for rule in book.rules if READ not in (*rule.reads, *rule.estimates)]
    assert {rule.id for rule in asking} >= {"kinesis-stream-idle", "sqs-dlq-empty"}
    assert READ not in operations(plan(silent))
    assert set(metrics.series_of_each(plan([book["kinesis-stream-idle"]]))) == {STREAM}
    # What only tells how much is wasted is read too, of what fails.
    table = {"AWS::DynamoDB::Table"}
    assert set(metrics.series_of_each(plan([book["dynamodb-capacity-elastic"]]))) == table
    # It reads mappings and functions too, for the relation; their metrics it does not.
    assert set(metrics.series_of_each(plan([book["sqs-dlq-empty"]]))) == {"AWS::SQS::Queue"}


def test_a_rule_reads_the_metrics_of_the_types_whose_list_it_names() -> None:
    rule = rulebook.load()["lambda-esm-on-failure"]
    asking = rulebook.replace(rule, reads=("lambda:ListFunctions", READ))
    assert set(metrics.series_of_each(plan([asking]))) == {"AWS::Lambda::Function"}


def test_a_rule_on_a_type_without_metrics_is_refused() -> None:
    rule = rulebook.replace(rulebook.load()["sns-subscription-dlq"], reads=(READ,))
    with pytest.raises(ConfigurationError, match="no metrics are declared"):
        plan([rule])


def test_a_rule_that_names_no_reads_gets_no_metrics_unasked() -> None:
    rule = rulebook.replace(rulebook.load()["kinesis-stream-encrypted"], reads=())
    assert READ not in operations(plan([rule]))
    assertion = expressions.judge("Metrics.IncomingRecords.Sum > `0`", "", "good", "bad")
    assert READ in operations(plan([rulebook.replace(rule, function=assertion)]))


def test_metrics_that_are_switched_off_are_not_collected() -> None:
    account = Account()
    inventory = _read(account, metrics_days=0)
    assert not account.asked
    assert inventory.run.metrics_days == 0
    stream = inventory.of(STREAM)[0]
    verdict = judge(rulebook.load()["kinesis-stream-idle"], stream, inventory)
    assert verdict.status is Status.NOT_EVALUATED
    assert verdict.gap
    assert verdict.gap.reason is Reason.NOT_COLLECTED
    assert "without --no-metrics" in verdict.message


def test_the_policy_allows_metrics_only_where_they_are_read() -> None:
    run = CliRunner().invoke
    rule = ["iam-policy", "--rule", "kinesis-stream-idle"]
    assert READ in run(cli, rule).output
    assert READ not in run(cli, [*rule, "--no-metrics"]).output
    assert READ not in run(cli, ["iam-policy", "--rule", "kinesis-stream-encrypted"]).output


def test_the_default_window_is_everywhere_the_same() -> None:
    (flag,) = (option for option in scan.params if option.name == "metrics_days")
    assert flag.envvar == ["WA_AUDIT_METRICS_DAYS"]
    assert flag.default == signature(collect).parameters["metrics_days"].default == 14
    assert Gathering(1, no_progress=True).metrics_days == 14


def test_the_price_is_known_before() -> None:
    made = plan([rulebook.load()["kinesis-stream-idle"]])
    assert metrics.series_of_each(made) == {STREAM: 9}
    assert metrics.price(made, {STREAM: 500, "AWS::SQS::Queue": 9}) == pytest.approx(0.045)
    assert metrics.price(without_metrics(made), {STREAM: 500}) == 0


# -- the same bytes --------------------------------------------------------------------------------


def _lines(
    journal: Path | None = None, *, resume: bool = False, workers: int = 2, stop_after: int = -1
) -> bytes:
    def on_wait(tally: Tally) -> None:
        if stop_after >= 0 and tally.finished >= stop_after:
            raise KeyboardInterrupt

    session = answers.session(Account(streams=100))
    options: dict[str, Any] = {"journal": journal, "resume": resume, "workers": workers, "on_wait": on_wait}
    return b"".join(lines(collect(session, _plan(), ["eu-west-1", "eu-west-2"], **options)))


def test_the_worker_count_changes_nothing() -> None:
    assert _lines(workers=1) == _lines(workers=16)


@pytest.mark.parametrize("share", [0.2, 0.9, 0.97, 0.99, 0.999])
def test_a_journal_that_was_cut_off_anywhere_ends_in_the_same_bytes(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, journal = _lines(), tmp_path / "journal"
    monkeypatch.setattr(Journal, "end", lambda self: None)
    _lines(journal)
    raw = journal.read_bytes()
    heading = raw.index(b"\n") + 1
    journal.write_bytes(raw[: heading + int((len(raw) - heading) * share)])
    assert _lines(journal, resume=True) == whole


@pytest.mark.parametrize("stop_after", [0, 150, 202, 205])
def test_a_run_that_is_stopped_and_resumed_ends_in_the_same_bytes(stop_after: int, tmp_path: Path) -> None:
    whole, journal = _lines(), tmp_path / "journal"
    with contextlib.suppress(Interrupted):
        assert _lines(journal, stop_after=stop_after) == whole
    if journal.exists():
        assert _lines(journal, resume=True) == whole


def test_a_stopped_run_says_that_metrics_are_unread() -> None:
    with pytest.raises(Interrupted) as stopped:
        _lines(stop_after=1)
    gaps = [gap for gap in stopped.value.inventory.gaps if gap.operation == READ and gap.type == STREAM]
    assert [(gap.reason, gap.fields) for gap in gaps] == [(Reason.INTERRUPTED, ("Metrics",))]


def test_another_window_is_another_question(tmp_path: Path) -> None:
    with contextlib.suppress(Interrupted):
        _lines(tmp_path / "journal", stop_after=1)
    with pytest.raises(ConfigurationError, match="another span of metrics"):
        _read(Account(), metrics_days=3, journal=tmp_path / "journal", resume=True)


# -- moto ------------------------------------------------------------------------------------------


def test_what_was_put_into_moto_is_read_back() -> None:
    noon = datetime.datetime.fromtimestamp(EPOCH, datetime.UTC)
    with mock_aws():
        session = boto3.session.Session("example", "example", region_name="eu-west-1")
        session.client("kinesis").create_stream(StreamName="clicks", ShardCount=1)
        data = [
            {
                "MetricName": "IncomingRecords",
                "Dimensions": [{"Name": "StreamName", "Value": "clicks"}],
                "Timestamp": noon - datetime.timedelta(days=days, hours=1),
                "Value": float(days),
            }
            for days in range(20)  # more than the window
        ]
        session.client("cloudwatch").put_metric_data(Namespace="AWS/Kinesis", MetricData=data)
        (stream,) = collect(AwsSession(session), _plan(), ["eu-west-1"]).of(STREAM)
    assert stream.metric("IncomingRecords") == {
        "Datapoints": 14,
        "Above0": 13,
        "Sum": 91.0,
        "Minimum": 0.0,
        "Maximum": 13.0,
        "Latest": 0.0,
    }
    assert stream.metric("IncomingBytes") == {"Datapoints": 0}
