"""The function's zip: what is in it, that it is the same each time, and that Lambda's own runtime runs it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import boto3
import pytest

from benchmarks import servers
from tests import deployed
from tests.emulators import run
from tools import lambda_zip

ROOT = Path(__file__).parents[1]
BUCKET = "reports-of-audits"
START, CALL = 60, 180  # seconds

# One worker builds it, and not each of them.
pytestmark = [pytest.mark.emulator, pytest.mark.xdist_group("lambda")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is in the zip that is built for this machine and this Python."""
    if not servers.EMULATOR.exists():
        pytest.skip(f"{servers.EMULATOR} is not there: 'make setup' installs it")
    folder = tmp_path_factory.mktemp("lambda")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lambda_zip.install(lambda_zip.AUDIT, folder / "all", "x86_64", python)
    lambda_zip.write(lambda_zip.AUDIT, folder / "all", folder / "function.zip")
    with zipfile.ZipFile(folder / "function.zip") as archive:
        archive.extractall(folder / "task")
    return folder


@pytest.mark.parametrize("made", lambda_zip.ZIPS.values(), ids=lambda_zip.ZIPS)
def test_the_zip_fits_and_is_the_same_each_time(made: lambda_zip.Zip, built: Path, tmp_path: Path) -> None:
    lambda_zip.install(made, tmp_path / "all", "arm64")  # what is deployed
    zipped, whole = lambda_zip.write(made, tmp_path / "all", tmp_path / "function.zip")
    assert zipped <= lambda_zip.MOST_ZIPPED
    assert whole <= lambda_zip.MOST_UNZIPPED
    lambda_zip.write(made, tmp_path / "all", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "function.zip").read_bytes()


def test_the_zip_holds_the_program_and_no_tests(built: Path) -> None:
    names = zipfile.ZipFile(built / "function.zip").namelist()
    assert names == sorted(names)
    assert {"wa_audit/aws_lambda.py", "wa_audit/rules.yaml", "wa_audit/report_templates/report.html"} <= set(
        names
    )
    assert not [name for name in names if "/tests/" in name or name.endswith(".pyc")]


@contextmanager
def _function(task: Path, environment: dict[str, str]) -> Iterator[str]:
    """The function in Lambda's runtime; where it is invoked."""
    own = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "300",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_REGION": run.REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAMBDA_TASK_ROOT": str(task),
        **environment,
    }
    with servers.function([str(task)], own, task, task.parent / "runtime.log") as served:
        yield served.url


def _invoke(url: str, event: Any) -> dict[str, Any]:
    deadline = time.monotonic() + START
    while True:
        try:
            with urlopen(Request(url, json.dumps(event).encode()), timeout=CALL) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_lambdas_runtime_runs_the_zip(built: Path) -> None:
    with run.running("moto") as aws:
        endpoint = aws.environment["AWS_ENDPOINT_URL"]
        session = boto3.session.Session("testing", "testing", region_name=run.REGION)
        s3 = session.client("s3", endpoint_url=endpoint)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": run.REGION})
        session.client("sqs", endpoint_url=endpoint).create_queue(QueueName="orders")
        environment = {"AWS_ENDPOINT_URL": endpoint, "WA_AUDIT_BUCKET": BUCKET, "WA_AUDIT_METRICS_DAYS": "0"}
        with _function(built / "task", environment) as url:
            scheduled = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
            told = _invoke(url, scheduled)
            assert told.get("status") == "complete", told
            again = _invoke(url, {})  # warm
            assert again["worse"] == 0
            refused = _invoke(url, {"prefx": "p"})
            assert refused["errorType"] == "ConfigurationError"
            assert "did you mean 'prefix'?" in refused["errorMessage"]
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert f"latest/account_id={told['account']}/report.html" in keys
    assert [key for key in keys if key.endswith(".parquet")]
    log = (built / "runtime.log").read_text()
    assert "orders" not in log  # figures, and no finding
    assert '"_aws"' in log


def test_a_run_that_lambdas_deadline_cuts_short_ends_in_the_bytes_of_a_long_one(built: Path) -> None:
    with run.running("moto") as aws:
        endpoint = aws.environment["AWS_ENDPOINT_URL"]
        session = boto3.session.Session("testing", "testing", region_name=run.REGION)
        s3 = session.client("s3", endpoint_url=endpoint)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": run.REGION})
        session.client("sqs", endpoint_url=endpoint).create_queue(QueueName="orders")
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "SOURCE_DATE_EPOCH": "1793534400",
            "WA_AUDIT_BUCKET": BUCKET,
            "WA_AUDIT_METRICS_DAYS": "0",
            "WA_AUDIT_FORMATS": "json",
            "WA_AUDIT_HISTORY": "false",
            "WA_AUDIT_HAND_ON": "false",
        }
        # Of 61 seconds one is for reading, as a minute is kept for writing.
        with _function(built / "task", environment | {"AWS_LAMBDA_FUNCTION_TIMEOUT": "61"}) as url:
            short = _invoke(url, {"prefix": "short"})
        assert short.get("status") == "partial", short
        with _function(built / "task", environment) as url:
            following = {name: short[name] for name in ("continuation", "invocation")}
            ended = _invoke(url, {"prefix": "short", **following})
            whole = _invoke(url, {"prefix": "whole"})
        assert (ended.get("status"), whole.get("status")) == ("complete", "complete"), (ended, whole)
        latest = f"latest/account_id={whole['account']}/audit.json"
        first, second = (
            s3.get_object(Bucket=BUCKET, Key=f"{prefix}/{latest}")["Body"].read()
            for prefix in ("short", "whole")
        )
    assert first == second


def test_the_stack_runs_by_itself_and_leaves_its_report(built: Path) -> None:
    """Deployed into an emulator whose schedules fire and whose functions run."""
    if not run.MINISTACK.exists():
        pytest.skip(f"{run.MINISTACK} is not there: 'make setup' installs it")
    with run.running("ministack") as aws:
        session = boto3.session.Session("test", "test", region_name=run.REGION)
        endpoint = aws.environment["AWS_ENDPOINT_URL"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", endpoint)
            stack = deployed.Stack(
                session,
                deployed.read((ROOT / "deploy" / "template.yaml").read_text()),
                "wa-audit",
                {"CodeBucket": "code", "ScheduleExpression": "rate(1 minute)", "MetricsDays": 0},
                code={"wa-audit-lambda-arm64.zip": (built / "function.zip").read_bytes()},
                lacking=frozenset({"register_resource"}),
            )
            stack.deploy()
            s3 = session.client("s3")
            latest = f"latest/account_id={stack.account}/report.html"
            deadline = time.monotonic() + 2 * 60 + CALL
            keys: list[str] = []
            while latest not in keys and time.monotonic() < deadline:
                time.sleep(2)
                listed = s3.list_objects_v2(Bucket=stack.names["Reports"]).get("Contents", ())
                keys = [entry["Key"] for entry in listed]
            assert latest in keys, (Path(aws.folder) / "server.log").read_text()[-2000:]
            report = s3.get_object(Bucket=stack.names["Reports"], Key=latest)["Body"].read()
    assert f"of account {stack.account}".encode() in re.sub(rb"<[^>]+>", b"", report)
    assert [key for key in keys if key.endswith(".parquet")]


# -- an organization -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def zips(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Both zips for this machine, by their keys in the template."""
    folder = tmp_path_factory.mktemp("merge")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lambda_zip.install(lambda_zip.MERGE, folder / "all", "x86_64", python)
    lambda_zip.write(lambda_zip.MERGE, folder / "all", folder / "merge.zip")
    return {
        "wa-audit-lambda-arm64.zip": (built / "function.zip").read_bytes(),
        "wa-audit-merge-arm64.zip": (folder / "merge.zip").read_bytes(),
    }


def _small(definition: str) -> str:
    """The definition with waits that a test can bear. ministack hands on account by account what ItemBatcher
    would batch."""
    found = json.loads(definition)
    accounts = found["States"]["Accounts"]
    for state in (*found["States"].values(), *accounts["ItemProcessor"]["States"].values()):
        for retry in state.get("Retry", ()):
            retry["IntervalSeconds"] = 1
    return json.dumps(found)


def test_the_organization_runs_by_itself(zips: dict[str, bytes]) -> None:
    """In an emulator whose state machines and functions run: from its accounts to what they come to."""
    if not run.MINISTACK.exists():
        pytest.skip(f"{run.MINISTACK} is not there: 'make setup' installs it")
    with run.running("ministack") as aws, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws.environment["AWS_ENDPOINT_URL"])
        session = boto3.session.Session("test", "test", region_name=run.REGION)
        organizations = session.client("organizations")
        teams = []
        for number in range(3):
            made = organizations.create_account(Email=f"{number}@example.com", AccountName=f"team-{number}")
            teams.append(made["CreateAccountStatus"]["AccountId"])
        stack = deployed.Stack(
            session,
            deployed.read((ROOT / "deploy" / "organization.yaml").read_text()),
            "wa-audit-organization",
            {"CodeBucket": "code", "ExternalId": "example", "MetricsDays": 0, "MaxConcurrency": 1},
            code=zips,
            changed=_small,
        )
        stack.deploy()
        whole, found = _execute(session, stack, Path(aws.folder))
        # Every function fails now: the run does, and what it comes to says so.
        given = {"WA_AUDIT_BUCKET": stack.names["Reports"], "WA_AUDIT_RULES": "none"}
        session.client("lambda").update_function_configuration(
            FunctionName=stack.names["Scan"], Environment={"Variables": given}
        )
        broken, none = _execute(session, stack, Path(aws.folder))
    assert whole["status"] == "SUCCEEDED"
    assert (found["audited"], found["planned"]) == (4, 4), found["not_audited"]
    assert {account["account"] for account in found["accounts"]} == {*teams, stack.account}
    assert (broken["status"], broken["error"]) == ("FAILED", "TooManyBatchesFailed")
    assert (none["audited"], none["planned"], none["overall"]["score"]) == (0, 4, None)
    assert {each["reason"] for each in none["not_audited"]} == {"never scanned"}


def _execute(session: Any, stack: deployed.Stack, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an execution says when it has ended, and what the newest run comes to."""
    states, s3 = session.client("stepfunctions"), session.client("s3")
    started = states.start_execution(stateMachineArn=stack.names["Machine"])["executionArn"]
    deadline = time.monotonic() + 2 * CALL
    while (told := states.describe_execution(executionArn=started))["status"] == "RUNNING":
        assert time.monotonic() < deadline, states.get_execution_history(executionArn=started)["events"]
        time.sleep(1)
    listed = s3.list_objects_v2(Bucket=stack.names["Reports"], Prefix="organizations/").get("Contents", ())
    keys = sorted(entry["Key"] for entry in listed if entry["Key"].endswith("organization.json"))
    assert keys, (told, (folder / "server.log").read_text()[-3000:])
    raw = s3.get_object(Bucket=stack.names["Reports"], Key=keys[-1])["Body"].read()
    return told, json.loads(raw)
