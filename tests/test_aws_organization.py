"""The functions of a run over an organization: they do what `wa-audit org` does, and can be called again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import moto
import msgspec
import pytest
from msgspec import json as msgjson

from tests.test_aws_lambda import Context
from wa_audit import aws_organization
from wa_audit.model import ConfigurationError, OutputError
from wa_audit.organization import outcomes, scanning
from wa_audit.organization.outcomes import State
from wa_audit.organization.shards import Shard
from wa_audit.report.organization import Organization

BUCKET = "reports-of-an-organization"
STARTED = "2026-11-26T06:00:00.123Z"
RUN = "20261126T060000Z"
REGION = "eu-west-1"
OWN = "123456789012"
OTHERS = ("111111111111", "222222222222")


def session_of(account: str) -> Any:
    """A session in an account of moto's."""
    base = boto3.session.Session(region_name=REGION)
    if account == OWN:
        return base
    role = base.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/seed", RoleSessionName="seed")
    entered = role["Credentials"]
    return boto3.session.Session(
        entered["AccessKeyId"], entered["SecretAccessKey"], entered["SessionToken"], region_name=REGION
    )


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three accounts with one, two and three queues."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "WA_AUDIT_BUCKET": BUCKET,
        "WA_AUDIT_PREFIX": "of/data",
        "WA_AUDIT_RULES": "sqs-queue-encrypted,sqs-queue-dlq",
        "WA_AUDIT_METRICS_DAYS": "0",
        "WA_AUDIT_EXTERNAL_ID": "example",
    }.items():
        monkeypatch.setenv(name, value)
    with moto.mock_aws():
        where = {"LocationConstraint": REGION}
        _client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        for number, account in enumerate((OWN, *OTHERS), start=1):
            sqs = session_of(account).client("sqs")
            for queue in range(number):
                sqs.create_queue(QueueName=f"queue-{queue}")
        yield


def _client(service: str) -> Any:
    return boto3.session.Session(region_name=REGION).client(service)


def _objects() -> dict[str, bytes]:
    s3 = _client("s3")
    return {
        entry["Key"]: s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
        for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    }


def _shards(*accounts: str) -> list[Shard]:
    return [
        Shard(
            run=RUN,
            account=account,
            regions=(REGION,),
            role_arn="" if account == OWN else f"arn:aws:iam::{account}:role/wa-audit",
        )
        for account in accounts
    ]


def _batch(*accounts: str, **more: Any) -> dict[str, Any]:
    return {"batch": {"Items": msgspec.to_builtins(_shards(*accounts)), **more}, "attempt": 0}


def _scan(event: Any, context: Context | None = None) -> dict[str, Any]:
    """As Lambda calls it: with JSON, and for JSON."""
    found = aws_organization.scan(json.loads(json.dumps(event)), context or Context())
    return json.loads(json.dumps(found))


def _outcome(account: str) -> outcomes.Outcome:
    import io

    import pyarrow.parquet as pq

    raw = _objects()[f"of/data/shards/run={RUN}/account_id={account}/findings.parquet"]
    return outcomes.decode(pq.read_metadata(io.BytesIO(raw)).metadata[b"wa-audit"], account)


# -- plan ------------------------------------------------------------------------------------------


def test_the_accounts_of_the_organization_are_planned() -> None:
    client = _client("organizations")
    client.create_organization(FeatureSet="ALL")
    made = client.create_account(Email="a@example.com", AccountName="orders")["CreateAccountStatus"]
    told = aws_organization.plan({"started": STARTED, "role_name": "reader"}, Context())
    key = f"organizations/{RUN}/shards.json"
    assert told == {
        "run": RUN,
        "accounts": 2,
        "inactive": 0,
        "bucket": BUCKET,
        "key": f"of/data/{key}",
        "shards": key,
    }
    found = {shard.account: shard for shard in msgjson.decode(_objects()[f"of/data/{key}"], type=list[Shard])}
    assert found[made["AccountId"]] == Shard(
        run=RUN,
        account=made["AccountId"],
        name="orders",
        unit="Root",
        regions=(REGION,),
        role_arn=f"arn:aws:iam::{made['AccountId']}:role/reader",
        external_id="example",
    )
    assert found[OWN].role_arn == ""
    again = aws_organization.plan({"started": STARTED, "role_name": "reader"}, Context())
    assert again == told  # the same execution, planned again, is the same run


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({}, "missing required field `started`"),
        ({"started": "yesterday"}, "'started' is no time as ISO 8601 has it"),
        ({"started": "2026-11-26T06:00:00"}, "it names no time zone"),
        ({"started": STARTED, "tags": ["team"]}, "the tag 'team' is not KEY=VALUE"),
        ({"started": STARTED, "regoins": []}, "did you mean 'regions'?"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line(event: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words.replace("?", r"\?")) as refused:
        aws_organization.plan(event, Context())
    assert "\n" not in str(refused.value)
    assert _objects() == {}


# -- scan ------------------------------------------------------------------------------------------


def test_each_account_of_a_batch_has_its_object(capsys: pytest.CaptureFixture[str]) -> None:
    told = _scan(_batch(OWN, *OTHERS, BatchInput={"job_queue": "q"}))
    assert told["states"] == {"audited": 3}
    assert (told["Items"], told["continuation"], told["invocation"]) == ([], "", 2)
    assert told["BatchInput"] == {"job_queue": "q"}
    failing = {account: _outcome(account).overall.counts["fail"] for account in (OWN, *OTHERS)}
    assert failing == {OWN: 1, OTHERS[0]: 2, OTHERS[1]: 3}
    log = capsys.readouterr().out
    assert json.loads(log)["wa-audit"] == {
        "status": "scanned",
        "run": RUN,
        "invocation": 1,
        "left": 0,
        "audited": 3,
    }
    assert "queue-0" not in log


def test_what_is_there_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _scan(_batch(OWN, *OTHERS))
    before = _objects()
    monkeypatch.setattr(scanning, "scan", None)  # nothing is entered
    assert _scan(_batch(OWN, *OTHERS))["states"] == {"audited": 3}
    assert _objects() == before


def test_an_account_alone_is_a_batch_of_one() -> None:
    (shard,) = _shards(OTHERS[0])
    told = _scan({"batch": msgspec.to_builtins(shard), "attempt": 0})
    assert told["states"] == {"audited": 1}


def test_a_batch_that_runs_out_of_time_goes_on_to_the_same_bytes() -> None:
    _scan(_batch(OWN, *OTHERS))
    whole = _objects()
    for key in whole:
        _client("s3").delete_object(Bucket=BUCKET, Key=key)
    # Time for the first account, and for the second to begin.
    told = _scan(_batch(OWN, *OTHERS), Context(900, 900, *[900] * 3, 59, 59))
    assert told["Items"]
    states = [_outcome(item["account"]).state for item in told["Items"] if _written(item["account"])]
    assert states in ([State.PARTIAL], [])
    rounds = 0
    while told["Items"]:
        rounds += 1
        assert rounds < 10
        told = _scan({"batch": told, "attempt": 0}, Context(900, 900, 900, 59, 59) if rounds < 3 else None)
    assert told["invocation"] == rounds + 2
    assert {key: value for key, value in _objects().items() if "continuations" not in key} == whole


def _written(account: str) -> bool:
    return any(
        f"account_id={account}/" in key
        for key in _objects()
        if "/shards/run=" in key and "continuations" not in key
    )


def test_a_call_that_was_killed_is_made_again_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """What stops a process from outside."""

    real, killer, seen = scanning.scan, OWN, []

    def read(shard: Shard, *more: Any) -> Any:
        seen.append(shard.account)
        if shard.account == killer:
            raise Killed
        return real(shard, *more)

    monkeypatch.setattr(scanning, "scan", read)
    for attempt in (0, 1):
        with pytest.raises(Killed):
            _scan(_batch(OWN, *OTHERS) | {"attempt": attempt})
    assert seen == [OWN, *OTHERS, OWN]
    assert [_outcome(account).state for account in OTHERS] == [State.AUDITED] * 2


def test_an_account_that_cannot_be_entered_touches_no_other() -> None:
    shards = _shards(OWN, *OTHERS)
    shards[1] = msgspec.structs.replace(shards[1], role_arn="arn:aws:iam::999999999999:role/wa-audit")
    told = _scan({"batch": {"Items": msgspec.to_builtins(shards)}, "attempt": 0})
    assert told["states"] == {"audited": 2, "not_audited": 1}
    refusal = _outcome(OTHERS[0]).refusal
    assert refusal is not None
    assert refusal.error == "other_account"
    # When its role has been put right, the next call reads it.
    assert _scan(_batch(OWN, *OTHERS))["states"] == {"audited": 3}


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (None, "'batch' is no batch of shards"),
        ({"batch": {"Items": []}}, "'batch' has no shards"),
        ({"batch": {"Items": [{"account": "1"}]}}, "'batch' is no batch of shards"),
        ({"batch": 3}, "'batch' is no batch of shards"),
    ],
)
def test_a_wrong_batch_is_refused_in_one_line(event: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        aws_organization.scan(event, Context())
    assert "\n" not in str(refused.value)


def test_a_bucket_that_refuses_is_an_error_that_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WA_AUDIT_BUCKET", "nobodys-bucket")
    with pytest.raises((OutputError, ConfigurationError), match="nobodys-bucket"):
        aws_organization.scan(_batch(OWN), Context())


# -- merge -----------------------------------------------------------------------------------------


def _merge(run: str = RUN) -> dict[str, Any]:
    key = f"organizations/{run}/shards.json"
    rows = [msgspec.structs.replace(shard, run=run) for shard in _shards(OWN, *OTHERS)]
    _client("s3").put_object(Bucket=BUCKET, Key=f"of/data/{key}", Body=msgjson.encode(rows))
    return aws_organization.merge({"run": run, "shards": key}, Context())


def test_the_accounts_are_put_together(capsys: pytest.CaptureFixture[str]) -> None:
    _scan(_batch(OWN, OTHERS[0]))
    capsys.readouterr()
    told = _merge()
    assert (told["audited"], told["planned"], told["run"]) == (2, 3, RUN)
    found = msgjson.decode(_objects()[f"of/data/organizations/{RUN}/organization.json"], type=Organization)
    assert found.overall.score == told["score"]
    assert [(each.account, each.reason) for each in found.not_audited] == [(OTHERS[1], "never scanned")]
    data = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    whole = next(line for line in data if "AccountsAudited" in line)
    assert (whole["AccountsAudited"], whole["AccountsNotAudited"], whole["OpenFindings"]) == (2, 1, 3)
    assert data[-1]["wa-audit"]["status"] == "merged"


def test_whoever_subscribed_hears_when_it_got_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = _client("sns").create_topic(Name="worse")["TopicArn"]
    url = _client("sqs").create_queue(QueueName="listener")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{OWN}:listener"
    _client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("WA_AUDIT_TOPIC", topic)
    _scan(_batch(OWN, *OTHERS))
    _merge()
    later = "20261127T060000Z"
    items = [msgspec.to_builtins(msgspec.structs.replace(s, run=later)) for s in _shards(OWN, OTHERS[0])]
    _scan({"batch": {"Items": items}, "attempt": 0})
    _merge(later)
    (heard,) = _client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    message = json.loads(heard["Body"])["Message"]
    assert "Accounts audited: 3 of 3 before, 2 of 3 now." in message
    assert f"not audited: {OTHERS[1]}: never scanned" in message
