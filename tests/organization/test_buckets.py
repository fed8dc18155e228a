"""An organization's objects in S3: merged to the same bytes as from a folder, a few copies at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import moto
import msgspec
import pytest
from click.testing import CliRunner

from tests.organization.test_merging import RULE, RUN, call, put
from wa_audit import assembly, stores
from wa_audit.commands.org.merge import merge
from wa_audit.model import ConfigurationError, OutputError
from wa_audit.organization import merging, outcomes
from wa_audit.organization.outcomes import State
from wa_audit.organization.shards import Shard

BUCKET, PLACE = "acme-audits", "s3://acme-audits/org"
ACCOUNTS = tuple(f"{number:012}" for number in range(1, 25))
DOCUMENT = f"organizations/{RUN}/organization.json"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    with moto.mock_aws():
        client = boto3.session.Session().client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What every GetObject asked for."""
    found: list[dict[str, Any]] = []
    make = stores.Bucket._made

    def made(self: stores.Bucket, operations: frozenset[str]) -> Any:
        client = make(self, operations)
        client.meta.events.register(
            "before-parameter-build.s3.GetObject", lambda params, **_: found.append(dict(params))
        )
        return client

    monkeypatch.setattr(stores.Bucket, "_made", made)
    return found


def upload(client: Any, folder: Path) -> None:
    for path in folder.rglob("*.parquet"):
        client.upload_file(str(path), BUCKET, f"org/{path.relative_to(folder).as_posix()}")


def document(client: Any) -> bytes:
    return bytes(client.get_object(Bucket=BUCKET, Key=f"org/{DOCUMENT}")["Body"].read())


# -- merged ----------------------------------------------------------------------------------------


def test_a_bucket_is_merged_to_the_bytes_of_a_folder(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, account in enumerate(ACCOUNTS):
        put(tmp_path, account, number, 2, unit=f"Root/{number % 3}")
    put(tmp_path, ACCOUNTS[0], 1, 0, run="20261125T060000Z")
    upload(s3, tmp_path)
    call(tmp_path)

    seen: list[int] = []
    counting = merging.count

    def count(database: Any, path: Path, what: str, *more: Any) -> Any:
        there = sorted(path.parent.glob("*.parquet"))
        assert path in there
        seen.append(len(there))
        return counting(database, path, what, *more)

    monkeypatch.setattr(merging, "count", count)
    answer = CliRunner().invoke(merge, [PLACE])
    assert answer.exit_code == 0, answer.exception
    assert document(s3) == (tmp_path / DOCUMENT).read_bytes()
    assert len(seen) == len(ACCOUNTS)
    assert 1 <= max(seen) <= stores.MOST_COPIES


def test_an_unreadable_object_in_a_bucket_stops_nobody(s3: Any, tmp_path: Path) -> None:
    for account in ACCOUNTS[:3]:
        put(tmp_path, account, 1, 0)
    put(tmp_path, ACCOUNTS[3], 1, 0).write_bytes(b"")
    upload(s3, tmp_path)
    assert CliRunner().invoke(merge, [PLACE]).exit_code == 4
    (absent,) = msgspec.json.decode(document(s3))["not_audited"]
    assert (absent["account"], absent["reason"]) == (ACCOUNTS[3], "unreadable")
    assert absent["message"].startswith(f"{PLACE}/shards/run={RUN}/account_id={ACCOUNTS[3]}/findings.parquet")


def test_a_bucket_without_the_run(s3: Any) -> None:
    answer = CliRunner().invoke(merge, [PLACE])
    assert isinstance(answer.exception, ConfigurationError)
    assert str(answer.exception) == f"{PLACE}: holds no run; 'wa-audit org scan' writes one"


def test_what_is_of_another_run_is_not_listed_where_one_is_named(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, ACCOUNTS[0], 1, 0)
    put(tmp_path, ACCOUNTS[0], 1, 0, run="20261125T060000Z")
    upload(s3, tmp_path)
    listed: list[str] = []
    files = stores.Bucket.files
    monkeypatch.setattr(
        stores.Bucket, "files", lambda self, under: listed.append(under) or files(self, under)
    )
    assert CliRunner().invoke(merge, [PLACE, "--run", RUN]).exit_code == 0
    assert listed == [f"shards/run={RUN}", "organizations"]


# -- copied ----------------------------------------------------------------------------------------


def objects(client: Any, number: int, size: int) -> list[stores.File]:
    for name in range(number):
        client.put_object(Bucket=BUCKET, Key=f"org/x/{name:02}", Body=bytes([name]) * size)
    return stores.at(PLACE).files("x")


def test_copies_come_in_order_and_are_taken_away(s3: Any, tmp_path: Path) -> None:
    files = objects(s3, 20, 1000)
    assert files == [stores.File(f"x/{name:02}", 1000) for name in range(20)]
    found = []
    for key, copy in stores.at(PLACE).copies(files, tmp_path):
        found.append((key, copy.read_bytes()))
        assert len(list(tmp_path.iterdir())) <= stores.MOST_COPIES
    assert found == [(f"x/{name:02}", bytes([name]) * 1000) for name in range(20)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("most", "at_once"), [(3500, 3), (10, 1)])
def test_copies_take_no_more_room_than_they_may(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, at_once: int
) -> None:
    """One alone may be larger, for otherwise it would never come."""
    files = objects(s3, 9, 1000)
    monkeypatch.setattr(stores, "MOST_COPIED", most)
    seen = []
    for _, copy in stores.at(PLACE).copies(files, tmp_path):
        assert copy.stat().st_size == 1000
        seen.append(len(list(tmp_path.iterdir())))
    assert len(seen) == 9
    assert max(seen) <= at_once


def test_copies_that_nobody_wants_any_more_are_not_fetched(s3: Any, tmp_path: Path, asked: list[Any]) -> None:
    files = objects(s3, 40, 10)
    copies = stores.at(PLACE).copies(files, tmp_path)
    next(copies)
    copies.close()
    assert 1 <= len(asked) <= stores.MOST_COPIES


def test_a_copy_that_cannot_be_written_or_read_is_one_line(s3: Any, tmp_path: Path) -> None:
    files = objects(s3, 2, 10)
    with pytest.raises(OutputError, match=r"cannot be written: No such file or directory$"):
        next(stores.at(PLACE).copies(files, tmp_path / "nowhere"))
    s3.delete_object(Bucket=BUCKET, Key="org/x/01")
    copies = stores.at(PLACE).copies(files, tmp_path)
    assert next(copies)[0] == "x/00"
    with pytest.raises(ConfigurationError, match=rf"^{PLACE}/x/01: cannot be read: NoSuchKey"):
        next(copies)


# -- read from their end ---------------------------------------------------------------------------


def test_the_last_bytes_are_read_alone(s3: Any, tmp_path: Path, asked: list[Any]) -> None:
    contents = {"x/a": b"0123456789", "x/b": b"01", "x/c": b""}
    folder = stores.at(str(tmp_path))
    for key, content in contents.items():
        s3.put_object(Bucket=BUCKET, Key=f"org/{key}", Body=content)
        folder.write(key, [content])
    s3.put_object(Bucket=BUCKET, Key="org/x/")  # as the console makes a folder
    tails = [("x/a", b"6789"), ("x/b", b"01"), ("x/c", b"")]
    for store in (folder, stores.at(PLACE)):
        assert store.keys("x") == list(contents)
        assert list(store.tails(store.keys("x"), 4)) == tails
    assert sorted(call["Range"] for call in asked) == ["bytes=-4"] * 3
    with pytest.raises(ConfigurationError, match="x/d: cannot be read"):
        list(folder.tails(["x/d"], 4))


def test_what_became_of_an_account_is_read_without_its_findings(
    s3: Any, tmp_path: Path, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, ACCOUNTS[0], 50_000, 0)
    put(tmp_path, ACCOUNTS[1], 1, 0, state=State.PARTIAL)
    long = {f"rule-{number}": RULE for number in range(3000)}
    put(tmp_path, ACCOUNTS[2], 50_000, 0, rules={"r": RULE, **long})
    upload(s3, tmp_path)
    keys = [Shard(run=RUN, account=name, regions=("x",)).key for name in ACCOUNTS[:3]]
    states = [State.AUDITED, State.PARTIAL, State.AUDITED]
    assert list(assembly.states(stores.at(str(tmp_path)), keys)) == states
    assert list(assembly.states(stores.at(PLACE), keys)) == states
    sizes = {key: (tmp_path / key).stat().st_size for key in keys}
    footers = {key: outcomes.footer((tmp_path / key).read_bytes()) for key in keys}
    assert footers[keys[1]] < assembly._FOOTER < footers[keys[2]] < sizes[keys[2]]
    first, again = f"bytes=-{assembly._FOOTER}", f"bytes=-{footers[keys[2]]}"
    assert sorted((call["Key"].removeprefix("org/"), call["Range"]) for call in asked) == sorted(
        [(keys[0], first), (keys[1], first), (keys[2], first), (keys[2], again)]
    )
    torn = (tmp_path / keys[2]).read_bytes()[:-1]
    s3.put_object(Bucket=BUCKET, Key=f"org/{keys[2]}", Body=torn)
    with pytest.raises(ConfigurationError, match=f"{keys[2]}: is no Parquet file$"):
        list(assembly.states(stores.at(PLACE), keys))
