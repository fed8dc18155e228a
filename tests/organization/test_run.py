"""A whole organization through plan, scan and merge: the same bytes from any number of processes.

`ORGANIZATION_SIZE=200` in the environment takes the full size; `python -m benchmarks.organization_run`
measures it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import duckdb
import moto
import msgspec
import pytest

from benchmarks import loopback_organization, organization_run
from benchmarks.organization_run import Found
from tests import deployed
from tests.test_organization_machine import SIMPLE, for_moto, handle
from wa_audit import aws_organization, invocation, stores
from wa_audit.organization.shards import read

# One process of pytest for all of it, for a run is made once.
pytestmark = [pytest.mark.emulator, pytest.mark.xdist_group("organization")]
ROOT = Path(__file__).parents[2]
SIZE = int(os.environ.get("ORGANIZATION_SIZE", "20"))
IDS = loopback_organization.ids(SIZE)
REFUSING = [id_ for id_ in IDS if loopback_organization.refuses(id_)]
DENYING = [id_ for id_ in IDS if loopback_organization.denied(id_) and id_ not in REFUSING]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with loopback_organization.process() as url:
        yield url


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def shards(place: Path, endpoint: str) -> Path:
    return organization_run.plan(place, endpoint, SIZE)


@pytest.fixture(scope="module")
def alone(place: Path, shards: Path, endpoint: str) -> Found:
    """What one process makes of it, which nobody kills."""
    return organization_run.run(place / "alone", shards, endpoint, 1)


def test_every_account_is_one_object_with_what_is_in_it(alone: Found, place: Path) -> None:
    assert len(alone.objects) == SIZE
    assert (alone.twice, alone.scan.code, alone.merge.code) == (0, 4, 4)
    found = duckdb.execute(
        "SELECT account, count(*), list(DISTINCT region ORDER BY region) FROM read_parquet(?) "
        "WHERE rule = 'sqs-queue-dlq' AND resource_name <> '*' GROUP BY account",
        [str(place / "alone/shards/*/*/*.parquet")],
    ).fetchall()
    expected = {}
    for id_ in IDS:
        there = loopback_organization.account(id_)
        listed = "AmazonSQS.ListQueues" not in loopback_organization.denied(id_)
        if there.queues and listed and id_ not in REFUSING:
            expected[id_] = (there.queues * len(there.regions), list(there.regions))
    assert {account: (number, regions) for account, number, regions in found} == expected
    assert len({number for number, _ in expected.values()}) > 4


def test_what_was_refused_is_told(alone: Found) -> None:
    merged = msgspec.json.decode(alone.merged)
    assert (merged["audited"], merged["planned"]) == (SIZE - len(REFUSING), SIZE)
    told = [(found["account"], found["action"]) for found in merged["not_audited"]]
    assert told == [(id_, "sts:AssumeRole") for id_ in REFUSING]
    assert REFUSING
    assert len(DENYING) > 1
    # Denied calls lower the coverage of their own accounts and of no other.
    lowered = {a["account"] for a in merged["accounts"] if a["overall"]["coverage"] != 100}
    assert lowered
    assert lowered <= set(DENYING)
    assert merged["overall"]["score"] is not None
    assert sum(gap["accounts"] for gap in merged["gaps"]) >= len(lowered)
    assert merged["passed_over"] == []


@pytest.mark.parametrize("processes", [4, 16])
def test_the_bytes_are_the_same_from_any_number_of_processes(
    alone: Found, place: Path, shards: Path, endpoint: str, processes: int
) -> None:
    found = organization_run.run(place / str(processes), shards, endpoint, processes)
    assert found.objects == alone.objects
    assert found.merged == alone.merged


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found in /proc")
def test_the_bytes_are_the_same_where_one_process_in_ten_accounts_is_killed(
    alone: Found, place: Path, shards: Path, endpoint: str
) -> None:
    found = organization_run.run(
        place / "killed", shards, endpoint, organization_run.KILLED_PROCESSES, kills=SIZE // 10
    )
    assert found.scan.kills == SIZE // 10
    assert found.objects == alone.objects
    assert found.merged == alone.merged


def test_a_role_is_taken_on_with_the_external_id_alone(
    place: Path, shards: Path, endpoint: str, alone: Found
) -> None:
    """The loopback is no pushover: without what the role asks for, it lets nobody in."""
    bare = [{**shard, "external_id": ""} for shard in msgspec.json.decode(shards.read_bytes())[:1]]
    path = place / "bare.json"
    path.write_bytes(msgspec.json.encode(bare))
    found = organization_run.run(place / "bare", path, endpoint, 1)
    (absent,) = msgspec.json.decode(found.merged)["not_audited"]
    assert (found.audited, absent["reason"]) == (0, "access_denied")


def test_the_state_machine_makes_the_same(
    alone: Found, place: Path, shards: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of deploy/organization.yaml, run by moto; its functions read on loopback and write to a folder."""
    store = stores.at(str(place / "machine"))
    named = read(shards)
    run, region = named[0].run, named[0].regions[0]
    key = f"organizations/{run}/shards.json"
    store.write(key, [shards.read_bytes()])
    reading = aws_organization._reading
    for name, value in {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": region,
        "WA_AUDIT_BUCKET": "reports",
        "WA_AUDIT_METRICS_DAYS": "0",
        "WA_AUDIT_RULES": ",".join(organization_run.RULES),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(invocation, "place", lambda *_: store)
    monkeypatch.setattr(
        aws_organization, "_reading", lambda *given: reading(*given)._replace(endpoint_url=endpoint)
    )
    planned = {"run": run, "bucket": "reports", "key": key, "shards": key}
    monkeypatch.setattr(aws_organization, "plan", lambda event, context: planned)
    handle(monkeypatch, lambda name, event: None)
    with moto.mock_aws(config=SIMPLE):
        session = boto3.session.Session(region_name=region)
        where = {"LocationConstraint": region}
        session.client("s3").create_bucket(Bucket="reports", CreateBucketConfiguration=where)
        session.client("s3").upload_file(str(shards), "reports", key)
        template = deployed.read((ROOT / "deploy" / "organization.yaml").read_text())
        stack = deployed.Stack(session, template, "organization", {"MaxConcurrency": 1})
        stack.made("Reports", "reports")
        for name in ("Plan", "Scan", "Merge"):
            arn = f"arn:aws:lambda:{region}:{stack.account}:function:organization-{name.lower()}"
            stack.made(name, name, arn)
        text = stack.value(stack.properties("Machine")["DefinitionString"])
        role = "arn:aws:iam::123456789012:role/machine"
        states = session.client("stepfunctions")
        made = states.create_state_machine(name="machine", definition=for_moto(text), roleArn=role)
        started = states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
        until = time.monotonic() + 60 + 10 * SIZE
        while (told := states.describe_execution(executionArn=started))["status"] == "RUNNING":
            assert time.monotonic() < until
            time.sleep(0.5)
        assert told["status"] == "SUCCEEDED", told
    objects = {name: content for name, content in store.read(store.keys("shards"))}
    assert objects == alone.objects
    ((_, merged),) = store.read([f"organizations/{run}/organization.json"])
    assert merged == alone.merged
