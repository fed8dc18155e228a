"""The history: each run kept once, in the same bytes, and written where it was said and nowhere else."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import moto
import pandas as pd
import pytest
from botocore.client import BaseClient
from msgspec import structs

from tests.report import sample
from tests.test_cli import ONE_RULE, Call, call, complaint, inventory  # noqa: F401  (two are fixtures)
from wa_audit import stores, wiring
from wa_audit.collect.guard import SESSION_OPERATIONS, UndeclaredOperation
from wa_audit.collect.kinds import declared
from wa_audit.collect.session import AwsSession
from wa_audit.model import ConfigurationError, CredentialsError, OutputError
from wa_audit.report import flat, history, html
from wa_audit.report.audit import Audit

PARTITION = "account_id=123456789012/audit_date=2026-10-05"


def keep(audit: Audit, store: stores.Store) -> list[str]:
    kept = []
    for key, chunks in history.files(audit):
        store.write(key, chunks)
        kept.append(key)
    return kept


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- what is kept ----------------------------------------------------------------------------------


def test_a_run_is_a_table_and_a_summary_by_account_and_date(tmp_path: Path) -> None:
    audit = sample.audit(findings=200)
    table, summary = keep(audit, stores.at(str(tmp_path)))
    run = Path(table).stem
    assert (table, summary) == (f"findings/{PARTITION}/{run}.parquet", f"runs/{PARTITION}/{run}.jsonl")
    read = pd.read_parquet(tmp_path / table, partitioning=None)
    assert tuple(read.columns) == (*flat.COLUMNS, "run")
    assert set(read["run"]) == {run}
    assert read.drop(columns="run").to_dict("records") == list(flat.rows(audit))
    lines = [json.loads(line) for line in (tmp_path / summary).read_bytes().splitlines()]
    assert {tuple(line) for line in lines} == {history.COLUMNS}
    assert {line["run"] for line in lines} == {run}
    whole, *pillars = lines
    assert (whole["pillar"], whole["score"], whole["failed"]) == (
        "",
        audit.overall.score,
        audit.overall.counts["fail"],
    )
    assert [line["score"] for line in pillars] == [pillar.score for pillar in audit.pillars]


def test_the_same_audit_kept_twice_is_kept_once(tmp_path: Path) -> None:
    store = stores.at(str(tmp_path))
    keep(sample.audit(findings=50), store)
    once = contents(tmp_path)
    keep(sample.audit(findings=50), store)
    assert contents(tmp_path) == once
    keep(sample.audit(findings=51), store)
    assert len(contents(tmp_path)) == 4
    assert contents(tmp_path).items() >= once.items()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"account": "../../etc"}, "is not an account's 12 digits"),
        ({"account": ""}, "is not an account's 12 digits"),
        ({"finished": ""}, "is not a time in UTC"),
        ({"finished": "2026-10-05T12:00:00+02:00"}, "is not a time in UTC"),
        ({"finished": "../2026"}, "is not a time in UTC"),
    ],
)
def test_what_has_no_place_in_a_history_is_refused(facts: dict[str, str], words: str) -> None:
    audit = sample.audit(findings=1)
    with pytest.raises(ConfigurationError, match=words):
        list(history.files(structs.replace(audit, run=structs.replace(audit.run, **facts))))


@pytest.mark.parametrize("place", ["gs://bucket/x", "s3:bucket", "s3://", "s3://UPPER/x", "https://s3", ""])
def test_a_place_that_is_neither_folder_nor_bucket(place: str) -> None:
    with pytest.raises(ConfigurationError, match="s3://BUCKET/PREFIX"):
        stores.at(place)


# -- the runs before --------------------------------------------------------------------------------


def _kept_before(store: stores.Store, *scores: float | None) -> Audit:
    """The sample, before which runs of these scores were kept, a day apart."""
    audit = sample.audit(findings=60)
    for number, score in enumerate(scores):
        run = structs.replace(audit.run, finished=f"2026-09-{number + 1:02}T12:00:00Z")
        keep(structs.replace(audit, run=run, overall=structs.replace(audit.overall, score=score)), store)
    return audit


def test_an_audit_is_told_beside_the_runs_before_it(tmp_path: Path) -> None:
    store = stores.at(str(tmp_path))
    audit = wiring.beside(_kept_before(store, 40.0, None, 45.5), store)
    assert [(run.finished[:10], run.score) for run in audit.earlier] == [
        ("2026-09-01", 40.0),
        ("2026-09-02", None),
        ("2026-09-03", 45.5),
    ]
    page = b"".join(html.render(audit)).decode()
    score = audit.overall.score
    assert score is not None
    assert f'aria-label="Score by run, the oldest first: 40.0, 45.5, {score:.1f}"' in page
    assert f"<b>{score - 45.5:+.1f}</b> points since 2026-09-03 12:00 UTC" in page
    assert 'class="spark"' not in b"".join(html.render(sample.audit())).decode()


def test_kept_again_beside_others_it_is_the_same_run(tmp_path: Path) -> None:
    store = stores.at(str(tmp_path))
    audit = _kept_before(store, 40.0)
    keep(audit, store)
    once = contents(tmp_path)
    again = wiring.beside(audit, store)
    assert len(again.earlier) == 1  # nor is it its own predecessor
    keep(again, store)
    assert contents(tmp_path) == once


def test_runs_that_were_judged_less_widely_are_no_predecessors(tmp_path: Path) -> None:
    store = stores.at(str(tmp_path))
    audit = _kept_before(store, 40.0)
    narrowed = structs.replace(audit, run=structs.replace(audit.run, only=["tag team=data"]))
    assert wiring.beside(narrowed, store).earlier == []


def test_a_history_that_cannot_be_read_costs_the_trend_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = stores.at(str(tmp_path))
    audit = _kept_before(store, 40.0)
    next(tmp_path.rglob("*.jsonl")).write_text("{")
    assert wiring.beside(audit, store) == audit
    assert "the report shows no earlier runs: " in capsys.readouterr().err


# -- the bucket ------------------------------------------------------------------------------------

BUCKET = "acme-audits"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with moto.mock_aws():
        client = boto3.session.Session().client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


def test_a_bucket_holds_what_a_folder_does_and_each_object_once(s3: Any, tmp_path: Path) -> None:
    bucket = stores.at(f"s3://{BUCKET}/wa/")
    bucket.check()
    for store in (bucket, bucket, stores.at(str(tmp_path))):
        keep(sample.audit(findings=50), store)
    versions = s3.list_object_versions(Bucket=BUCKET)["Versions"]
    assert len(versions) == 2
    kept = {
        found["Key"].removeprefix("wa/"): s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read()
        for found in versions
    }
    assert kept == contents(tmp_path)
    keys = bucket.keys("runs")
    assert list(bucket.read(keys)) == [(key, kept[key]) for key in keys]


def test_its_client_writes_into_the_named_place_and_does_nothing_else(s3: Any) -> None:
    store = stores.at(f"s3://{BUCKET}/wa")
    assert isinstance(store, stores.Bucket)
    writing, reading = store._client(stores.WRITES), store._client(stores.READS)
    s3.create_bucket(Bucket="somebody-elses")
    s3.put_object(Bucket=BUCKET, Key="wa/there", Body=b"1")
    with pytest.raises(RuntimeError, match="outside s3://acme-audits/wa and was not called"):
        writing.put_object(Bucket="somebody-elses", Key="wa/x", Body=b"")
    with pytest.raises(RuntimeError, match="outside"):
        writing.put_object(Bucket=BUCKET, Key="elsewhere/x", Body=b"")
    for refused in (
        lambda: writing.delete_object(Bucket=BUCKET, Key="wa/there"),
        lambda: writing.get_object(Bucket=BUCKET, Key="wa/there"),
        lambda: reading.put_object(Bucket=BUCKET, Key="wa/there", Body=b"2"),
    ):
        with pytest.raises(UndeclaredOperation):
            refused()
    assert s3.get_object(Bucket=BUCKET, Key="wa/there")["Body"].read() == b"1"
    assert "Contents" not in s3.list_objects_v2(Bucket="somebody-elses")


def test_what_reads_an_account_cannot_write() -> None:
    operations = SESSION_OPERATIONS.union(*(kind.operations(row) for kind, row in declared()))
    assert not operations & stores.WRITES
    client = AwsSession(boto3.session.Session(region_name="us-east-1")).client("s3", "us-east-1")
    assert not hasattr(client, "put_object")


def test_without_the_flag_the_writer_is_not_even_imported(tmp_path: Path) -> None:
    from wa_audit.files import write_atomically
    from wa_audit.report import audit as audits

    path = tmp_path / "audit.json"
    write_atomically(path, audits.render(sample.audit(findings=3)))
    program = (
        "import sys; from wa_audit import cli; code = cli._run(); "
        "sys.exit(code or any(m in sys.modules for m in ('wa_audit.stores', 'boto3')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "report", path, "--format", "csv", "-o", tmp_path], check=False
    )
    assert done.returncode == 0


def test_what_s3_says_is_one_line(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        OutputError, match=r"^s3://no-such-bucket/k: cannot be written: NoSuchBucket: The spec"
    ):
        stores.at("s3://no-such-bucket").write("k", [b""])
    with pytest.raises(ConfigurationError, match=r"^s3://no-such-bucket: cannot be read: NoSuchBucket"):
        stores.at("s3://no-such-bucket").keys("runs")
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _: None)
    with pytest.raises(CredentialsError, match="no AWS credentials"):
        stores.at(f"s3://{BUCKET}").check()


def test_a_refusal_names_the_action_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    class Refusing:
        def put_object(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")

    store = stores.Bucket(BUCKET, "wa", None, None)
    monkeypatch.setattr(store, "_client", lambda _: Refusing())
    with pytest.raises(OutputError, match=r"needs s3:PutObject on arn:aws:s3:::acme-audits/wa/\*$"):
        store.write("k", [b""])


# -- on the command line ---------------------------------------------------------------------------


def test_assess_and_report_keep_the_run(call: Call, inventory: Path, tmp_path: Path) -> None:  # noqa: F811
    done = call("assess", inventory, *ONE_RULE, "--format", "json", "--history", tmp_path / "past")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f"\nKept in {tmp_path / 'past'}\n")
    kept = contents(tmp_path / "past")
    assert sorted(name.split("/")[0] for name in kept) == ["findings", "runs"]
    # The same run, from its file.
    assert call("report", "audit.json", "--format", "csv", "--history", tmp_path / "past").code == 0
    assert contents(tmp_path / "past") == kept


def test_a_history_in_a_bucket(call: Call, inventory: Path, s3: Any) -> None:  # noqa: F811
    place = f"s3://{BUCKET}/wa"
    done = call("assess", inventory, *ONE_RULE, "--format", "json", WA_AUDIT_HISTORY=place)
    assert done.out.endswith(f"\nKept in {place}\n")
    assert len(s3.list_objects_v2(Bucket=BUCKET, Prefix="wa/")["Contents"]) == 2
    shown = call("trend", place)
    assert shown.code == 0
    assert "1 run" in shown.out


@pytest.mark.parametrize("keeps", [False, True])
def test_a_scan_puts_its_run_where_it_was_told_and_writes_nothing_else(
    call: Call,  # noqa: F811
    s3: Any,
    monkeypatch: pytest.MonkeyPatch,
    keeps: bool,
) -> None:
    made: list[tuple[str, str]] = []
    make = BaseClient._make_api_call

    def record(client: Any, operation: str, params: dict[str, Any]) -> Any:
        made.append((operation, str(params.get("Bucket", ""))))
        return make(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    history = ["--history", f"s3://{BUCKET}/wa"] if keeps else []
    done = call("scan", *ONE_RULE, "--region", "us-east-1", "--format", "json", *history)
    assert done.code == 0, done.err
    reads = {"GetCallerIdentity", "ListQueues", "GetQueueAttributes", "GetResources"}
    assert [call for call in made if call[0] not in reads] == (
        [("ListObjectsV2", BUCKET), *[("PutObject", BUCKET)] * 2] if keeps else []
    )
    assert ("ListQueues", "") in made


@pytest.mark.parametrize(
    ("place", "code", "words"),
    [
        ("gs://bucket", 2, "neither a folder nor s3://BUCKET/PREFIX"),
        ("inventory.jsonl", 6, "inventory.jsonl: cannot be written: "),
        ("/proc/history", 6, "/proc/history: cannot be written: "),
    ],
)
def test_a_place_that_is_no_good_is_known_before_the_work(
    call: Call,  # noqa: F811
    inventory: Path,  # noqa: F811
    tmp_path: Path,
    place: str,
    code: int,
    words: str,
) -> None:
    assert words in complaint(call("assess", inventory, *ONE_RULE, "--history", place), code)
    assert [path.name for path in tmp_path.iterdir()] == ["inventory.jsonl"]


def test_history_without_pyarrow_says_what_to_install(
    call: Call,  # noqa: F811
    inventory: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wa_audit.report.find_spec", lambda _: None)
    line = complaint(call("assess", inventory, *ONE_RULE, "--history", "past"), 2)
    assert line == "--history needs the extra: pip install 'wa-audit[parquet]'"


def test_a_full_disk_while_it_is_kept_leaves_the_reports_and_the_runs_before(
    call: Call,  # noqa: F811
    inventory: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    past = tmp_path / "past"
    assert call("assess", inventory, *ONE_RULE, "--format", "json", "--history", past).code == 0
    before = contents(past)
    sync = os.fsync
    calls = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 1:  # audit.json is on the disk, the table is not
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr("wa_audit.files.os.fsync", full)
    done = call("assess", inventory, "--rule", "sqs-dlq-retention", "--format", "json", "--history", past)
    (line,) = done.err.splitlines()
    assert done.code == 6
    assert line.endswith(".parquet: cannot be written: No space left on device")
    assert contents(past) == before
    assert "sqs-dlq-retention" in (tmp_path / "audit.json").read_text()
