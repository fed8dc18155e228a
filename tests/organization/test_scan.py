"""`wa-audit org scan`: every account by itself, each one object, the same bytes however it came about."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import duckdb
import jsonschema
import pytest
from moto.server import ThreadedMotoServer

from wa_audit.organization import outcomes, scanning, shards
from wa_audit.organization.outcomes import Outcome, State
from wa_audit.organization.shards import Shard

ROOT = Path(__file__).resolve().parents[2]
RUN = "20261126T060000Z"
ACCOUNTS = tuple(f"{number}" * 12 for number in range(1, 7))
RULES = ("sqs-queue-dlq", "sqs-queue-encrypted")
REGIONS = ("eu-central-1", "eu-west-1")

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Six accounts, each with as many queues as its digit says in one of two regions."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    base = boto3.session.Session("k", "s", region_name="eu-west-1")
    sts = base.client("sts", endpoint_url=url)
    for number, account in enumerate(ACCOUNTS, start=1):
        role = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/seed", RoleSessionName="seed")
        entered = role["Credentials"]
        inside = boto3.session.Session(
            entered["AccessKeyId"],
            entered["SecretAccessKey"],
            entered["SessionToken"],
            region_name=REGIONS[number % 2],
        )
        sqs = inside.client("sqs", endpoint_url=url)
        for queue in range(number):
            sqs.create_queue(QueueName=f"queue-{queue}")
    yield url
    server.stop()


def planned(broken: str = "") -> list[Shard]:
    """A shard an account; the role of `broken` leads elsewhere."""
    return [
        Shard(
            run=RUN,
            account=account,
            regions=REGIONS,
            role_arn=f"arn:aws:iam::{'9' * 12 if account == broken else account}:role/reader",
        )
        for account in ACCOUNTS
    ]


def command(folder: Path, endpoint: str, *more: str) -> list[str]:
    rules = [word for rule in RULES for word in ("--rule", rule)]
    words = [sys.executable, "-m", "wa_audit", "org", "scan", str(folder / "shards.json"), "-o", str(folder)]
    return [*words, "--endpoint-url", endpoint, *rules, *more]


def environment(folder: Path) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "eu-west-1"}
    return {**os.environ, **keys, "HOME": str(folder)}


def scan(folder: Path, endpoint: str, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, endpoint, *more),
        capture_output=True,
        text=True,
        env=environment(folder),
        cwd=folder,
        timeout=120,
        check=False,
    )


def objects(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob("shards/**/*.parquet"))
    }


def outcome(folder: Path, account: str) -> Outcome:
    """As DuckDB reads it, which is not what wrote it."""
    path = folder / f"shards/run={RUN}/account_id={account}/findings.parquet"
    asked = "select value from parquet_kv_metadata(?) where key = 'wa-audit'::blob"
    ((value,),) = duckdb.connect().execute(asked, [str(path)]).fetchall()
    return outcomes.decode(value, str(path))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> dict[str, bytes]:
    """The objects of a run with one process that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    shards.write(folder / "shards.json", planned())
    done = scan(folder, endpoint, "--parallel", "1")
    assert done.returncode == 0, done.stderr
    assert "6 of 6 accounts audited, 0 in part, 0 not" in done.stdout
    return objects(folder)


def test_each_account_is_one_object_of_its_own_findings(whole: dict[str, bytes], tmp_path: Path) -> None:
    assert list(whole) == [shard.key for shard in planned()]
    for key, content in whole.items():
        (tmp_path / key).parent.mkdir(parents=True)
        (tmp_path / key).write_bytes(content)
    found = duckdb.execute(
        "select account_id, count(*), count(distinct finding_id), min(audited_at) "
        "from read_parquet(?, hive_partitioning = true, hive_types_autocast = false) "
        "where resource_type = 'AWS::SQS::Queue' group by 1 order by 1",
        [str(tmp_path / "shards/*/*/*.parquet")],
    ).fetchall()
    when = "2026-11-26T06:00:00Z"
    assert found == [(account, 2 * n, 2 * n, when) for n, account in enumerate(ACCOUNTS, start=1)]
    told = outcome(tmp_path, ACCOUNTS[2])
    assert (told.state, told.account, told.run, told.regions) == (State.AUDITED, ACCOUNTS[2], RUN, REGIONS)
    assert told.overall is not None
    assert told.overall.counts["fail"] + told.overall.counts["pass"] == 6
    assert set(told.rules) == set(RULES)


def test_the_queries_of_the_documentation_run(
    whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, content in whole.items():
        (tmp_path / key).parent.mkdir(parents=True)
        (tmp_path / key).write_bytes(content)
    refused = outcomes.refused(planned()[0], outcomes.Refusal(error="access_denied", message="no"))
    (tmp_path / planned()[0].key).write_bytes(b"".join(outcomes.render(refused, None)))
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "organization.md").read_text()
    database = duckdb.connect()  # and not the one that all of a process share
    accounts, failures = (
        database.sql(query).fetchall() for query in re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    )
    assert accounts[0] == (ACCOUNTS[0], "", "not_audited", None, None, "no")
    assert [(row[0], row[2]) for row in accounts[1:]] == [(account, "audited") for account in ACCOUNTS[1:]]
    assert all(row[3] is not None and row[4] == 100 for row in accounts[1:])
    assert failures[0][0] == "sqs-queue-dlq"
    assert failures[0][2:] == (5, 2 + 3 + 4 + 5 + 6)


def test_what_was_scanned_is_merged(whole: dict[str, bytes], tmp_path: Path) -> None:
    for key, content in whole.items():
        (tmp_path / key).parent.mkdir(parents=True)
        (tmp_path / key).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "wa_audit", "org", "merge", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / f"organizations/{RUN}/organization.json").read_bytes())
    jsonschema.validate(found, json.loads((ROOT / "docs" / "organization.schema.json").read_bytes()))
    assert (found["audited"], found["planned"]) == (6, 6)
    assert sum(found["overall"]["counts"].values()) == 2 * sum(range(1, 7))
    assert {account["account"] for account in found["accounts"]} == set(ACCOUNTS)
    # Each account's own audit, which the merge has not seen, scored the same.
    assert {a["account"]: a["overall"]["score"] for a in found["accounts"]} == {
        account: outcome(tmp_path, account).overall.score  # type: ignore[union-attr]
        for account in ACCOUNTS
    }


def test_the_bytes_are_the_same_from_several_processes(
    tmp_path: Path, endpoint: str, whole: dict[str, bytes]
) -> None:
    shards.write(tmp_path / "shards.json", planned())
    done = scan(tmp_path, endpoint, "--parallel", "4", "--workers", "3")
    assert done.returncode == 0, done.stderr
    assert objects(tmp_path) == whole


def test_a_bucket_holds_the_same_and_is_merged_to_the_same(
    tmp_path: Path, endpoint: str, whole: dict[str, bytes]
) -> None:
    base = boto3.session.Session("k", "s", region_name="us-east-1")
    s3 = base.client("s3", endpoint_url=endpoint)
    s3.create_bucket(Bucket="acme-audits")
    place = "s3://acme-audits/org"
    for key, content in whole.items():
        (tmp_path / key).parent.mkdir(parents=True)
        (tmp_path / key).write_bytes(content)
    shards.write(tmp_path / "shards.json", planned())

    def held(under: str) -> dict[str, bytes]:
        listed = s3.list_objects_v2(Bucket="acme-audits", Prefix=f"org/{under}")["Contents"]
        return {
            found["Key"].removeprefix("org/"): s3.get_object(Bucket="acme-audits", Key=found["Key"])[
                "Body"
            ].read()
            for found in listed
        }

    for _ in range(2):  # the second time it is all there
        done = scan(tmp_path, endpoint, "-o", place)
        assert done.returncode == 0, done.stderr
        assert f"6 of 6 accounts audited, 0 in part, 0 not; kept in {place}" in done.stdout
        assert held("shards/") == whole
    for words in ([place, "--endpoint-url", endpoint], ["."]):
        done = subprocess.run(
            [sys.executable, "-m", "wa_audit", "org", "merge", *words, "--shards", "shards.json"],
            capture_output=True,
            text=True,
            env=environment(tmp_path),
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    made = [f"organizations/{RUN}/organization.{kind}" for kind in ("html", "json")]
    assert held("organizations/") == {name: (tmp_path / name).read_bytes() for name in made}


def test_one_broken_account_touches_no_other_and_can_be_read_again(
    tmp_path: Path, endpoint: str, whole: dict[str, bytes]
) -> None:
    broken = ACCOUNTS[3]
    shards.write(tmp_path / "shards.json", planned(broken))
    done = scan(tmp_path, endpoint)
    assert done.returncode == 4
    assert "5 of 6 accounts audited, 0 in part, 1 not" in done.stdout
    words = f"{broken}: not audited: the credentials are of account 999999999999, not of {broken}"
    assert words in done.stderr
    (key,) = (shard.key for shard in planned() if shard.account == broken)
    found = objects(tmp_path)
    assert {name: content for name, content in found.items() if name != key} == {
        name: content for name, content in whole.items() if name != key
    }
    told = outcome(tmp_path, broken)
    assert (told.state, told.overall) == (State.NOT_AUDITED, None)
    assert told.refusal is not None
    assert (told.refusal.error, told.refusal.operation) == ("other_account", "sts:GetCallerIdentity")

    shards.write(tmp_path / "shards.json", planned())
    assert scan(tmp_path, endpoint).returncode == 4  # what is there is not read again
    assert objects(tmp_path) == found
    assert scan(tmp_path, endpoint, "--again").returncode == 0
    assert objects(tmp_path) == whole


def test_one_account_of_shards_in_a_bucket_is_scanned_alone(
    tmp_path: Path, endpoint: str, whole: dict[str, bytes]
) -> None:
    """As the job does that takes over what outlasts a function."""
    s3 = boto3.session.Session("k", "s", region_name="us-east-1").client("s3", endpoint_url=endpoint)
    s3.create_bucket(Bucket="acme-shards")
    s3.put_object(Bucket="acme-shards", Key=f"organizations/{RUN}/shards.json", Body=shards.render(planned()))
    place = f"s3://acme-shards/organizations/{RUN}/shards.json"
    words = [place if word.endswith("shards.json") else word for word in command(tmp_path, endpoint)]
    found = {}
    for account, code in ((ACCOUNTS[1], 0), ("999999999999", 2)):
        found[account] = subprocess.run(
            [*words, "--account", account],
            capture_output=True,
            text=True,
            env=environment(tmp_path),
            cwd=tmp_path,
            check=False,
        )
        assert found[account].returncode == code, found[account].stderr
    assert "1 of 1 accounts audited" in found[ACCOUNTS[1]].stdout
    (key,) = objects(tmp_path)
    assert objects(tmp_path) == {key: whole[key]}
    assert found["999999999999"].stderr == f"wa-audit: --account: {place} names no account '999999999999'\n"


def test_a_run_whose_processes_are_killed_ends_in_the_same_bytes(
    tmp_path: Path, endpoint: str, whole: dict[str, bytes]
) -> None:
    """The processes of the pool are killed where they stand, as for their memory; nobody starts again."""
    shards.write(tmp_path / "shards.json", planned())
    with subprocess.Popen(
        command(tmp_path, endpoint),
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        deadline = time.monotonic() + 60
        while not objects(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        killed = _kill_pool(running.pid)
        running.communicate(timeout=120)
    assert killed
    assert running.returncode == 0
    assert objects(tmp_path) == whole


def test_a_run_that_is_interrupted_goes_on_from_there(
    tmp_path: Path, endpoint: str, whole: dict[str, bytes]
) -> None:
    shards.write(tmp_path / "shards.json", planned())
    with subprocess.Popen(
        command(tmp_path, endpoint, "--parallel", "1"),
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        deadline = time.monotonic() + 60
        while not objects(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "the same command goes on from there" in told
    assert 0 < len(objects(tmp_path)) < len(whole)
    assert scan(tmp_path, endpoint).returncode == 0
    assert objects(tmp_path) == whole


def _kill_pool(parent: int) -> int:
    """Kills the processes that a process has started, but for Python's own helper; how many."""
    killed = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "stat").read_text().rpartition(")")[2].split()
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if int(status[1]) == parent and b"spawn_main" in line:
            os.kill(int(entry.name), signal.SIGKILL)
            killed += 1
    return killed


def test_a_denied_role_names_the_action(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    from wa_audit.collect.session import AwsSession

    def denied(session: AwsSession) -> None:
        answer = {"Error": {"Code": "AccessDenied", "Message": "not authorized\x1b[31m"}}
        raise ClientError(answer, "AssumeRole")  # type: ignore[arg-type]

    monkeypatch.setattr(AwsSession, "enter", denied)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")

    def judge(_: object) -> None:
        raise AssertionError("nothing was read")

    found, audit = scanning.scan(planned()[0], scanning.Reading({}), judge, {})  # type: ignore[arg-type]
    assert audit is None
    assert found.refusal is not None
    assert (found.refusal.operation, found.refusal.action) == ("sts:AssumeRole", "sts:AssumeRole")
    assert "arn:aws:iam::111111111111:role/reader could not be taken on" in found.refusal.message
    assert "\x1b" not in found.refusal.message


def test_wrong_input_is_one_line(tmp_path: Path, endpoint: str) -> None:
    (tmp_path / "shards.json").write_text("{}")
    done = scan(tmp_path, endpoint)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "shards.json: is no list of shards as 'wa-audit org plan' writes it" in done.stderr

    shards.write(tmp_path / "shards.json", planned())
    done = scan(tmp_path, endpoint, "--rule", "nonsense")
    assert done.returncode == 2
    assert "unknown rule 'nonsense'" in done.stderr

    path = tmp_path / planned()[0].key
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 and no more")
    done = scan(tmp_path, endpoint)
    assert done.returncode == 2
    assert f"{planned()[0].key}: is no Parquet file" in done.stderr
