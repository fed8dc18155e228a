"""A run that several processes share: the same inventory, whatever becomes of who helps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, cast

import boto3
import pytest
from botocore import exceptions

from benchmarks import loopback, memory
from benchmarks.loopback import Account, Remote
from tests import conftest
from wa_audit import inventory as inventories
from wa_audit import rulebook
from wa_audit.collect import collect, sharing
from wa_audit.collect.journal import Heading, Journal
from wa_audit.collect.plan import Plan, plan, without_metrics
from wa_audit.collect.session import AwsSession
from wa_audit.model import Gap, Reason

ROOT = Path(__file__).resolve().parents[2]
SMALL = Account(buckets=6, functions=4, queues=4, streams=3, jobs=2, tables=2)
NOW = "2026-11-01T00:00:00Z"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
# Seconds within which a process has to be gone, on a machine with other work.
SOON = 10.0

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc")


@pytest.fixture(scope="module")
def aws() -> Iterator[Remote]:
    with loopback.process(SMALL, latency=0.01) as served:
        yield served


@pytest.fixture(scope="module")
def whole_plan() -> Plan:
    return without_metrics(plan(rulebook.load().rules))


@pytest.fixture(scope="module")
def some_plan(whole_plan: Plan) -> Plan:
    """Of the services that there is something of, and some that there is nothing of."""
    services = {"s3", "lambda", "sqs", "kinesis", "glue", "dynamodb", "emr", "kms", "lakeformation", "sns"}
    return {type_: entry for type_, entry in whole_plan.items() if entry[0].service in services}


def _session(aws: Remote) -> AwsSession:
    inner = boto3.session.Session("AKIAIOSFODNN7EXAMPLE", "example", region_name=loopback.REGION)
    return AwsSession(inner, endpoint_url=aws.endpoint, workers=8)


def _collected(aws: Remote, made: Plan, file: Path, processes: int, **more: Any) -> bytes:
    regions = [loopback.REGION, "eu-west-2"]
    found = collect(
        _session(aws), made, regions, workers=8, metrics_days=0, as_of=NOW, processes=processes, **more
    )
    assert found.run.complete
    inventories.write(found, file)
    return file.read_bytes()


def test_the_services_are_shared_out_and_none_is_left(whole_plan: Plan) -> None:
    every = {kind.service for kind, _ in whole_plan.values()}
    for many in (1, 2, 3, 8):
        shares = sharing.parts(whole_plan, many)
        assert len(shares) == many
        assert frozenset().union(*shares) == every
        assert sum(map(len, shares)) == len(every)
    assert sharing.parts(whole_plan, 2) == sharing.parts(dict(reversed(whole_plan.items())), 2)
    one = {type_: entry for type_, entry in whole_plan.items() if entry[0].service == "sqs"}
    assert sharing.parts(one, 4) == [frozenset({"sqs"})]


@pytest.mark.parametrize("processes", [2, 3])
def test_any_number_of_processes_reads_the_same(
    aws: Remote, whole_plan: Plan, tmp_path: Path, processes: int
) -> None:
    alone = _collected(aws, whole_plan, tmp_path / "alone.jsonl", 1)
    assert b'"resource"' in alone
    calls = aws.counts()["calls"]
    assert _collected(aws, whole_plan, tmp_path / "shared.jsonl", processes) == alone
    assert aws.counts()["calls"] == calls


def test_the_journal_of_a_shared_run_is_whole(aws: Remote, some_plan: Plan, tmp_path: Path) -> None:
    """What helpers have read is in it too, and is not asked for again."""
    alone = _collected(aws, some_plan, tmp_path / "alone.jsonl", 1)
    journal = tmp_path / "journal"
    kept: list[bytes] = []

    def look(_: Any) -> None:
        kept[:] = [journal.read_bytes()]

    assert _collected(aws, some_plan, tmp_path / "shared.jsonl", 2, journal=journal, on_wait=look) == alone
    assert not journal.exists()
    aws.counts()
    journal.write_bytes(kept[0])
    again = _collected(aws, some_plan, tmp_path / "again.jsonl", 2, journal=journal, resume=True)
    assert again == alone
    assert aws.counts()["calls"] < 20


def test_what_a_helper_cannot_do_is_done_without_it(
    aws: Remote, some_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = _collected(aws, some_plan, tmp_path / "alone.jsonl", 1)

    def none_left() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", none_left)
    assert _collected(aws, some_plan, tmp_path / "shared.jsonl", 2) == alone


@pytest.mark.parametrize("lines", [0, 1, 7, 40])
def test_a_helper_that_is_killed_costs_nothing_but_time(
    aws: Remote, some_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    alone = _collected(aws, some_plan, tmp_path / "alone.jsonl", 1)
    listen = sharing.Helper.listen

    def killing(helper: sharing.Helper, take: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        heard: list[bytes] = []

        def hear(line: bytes) -> None:
            take(line)
            heard.append(line)
            if len(heard) == lines:
                os.kill(helper._process, signal.SIGKILL)

        if not lines:
            os.kill(helper._process, signal.SIGKILL)
        listen(helper, hear, ended)

    monkeypatch.setattr(sharing.Helper, "listen", killing)
    assert _without_calls(_collected(aws, some_plan, tmp_path / "shared.jsonl", 2)) == _without_calls(alone)


def test_credentials_that_end_in_a_helper_end_the_run(aws: Remote, some_plan: Plan) -> None:
    """Whatever its part has not read is a gap that says so, in whichever process it was to be read."""
    _, helping = sharing.parts(some_plan, 2)

    def end(event_name: str, **_: Any) -> None:
        if event_name.split(".")[1] in helping:
            words = {
                "Code": "ExpiredToken",
                "Message": "The security token included in the request is expired",
            }
            raise exceptions.ClientError({"Error": words}, event_name)

    session = _session(aws)
    session.register("before-send", end)
    found = collect(session, some_plan, [loopback.REGION], metrics_days=0, as_of=NOW, processes=2)
    assert found.run.complete is False
    unread = {gap.type for gap in found.gaps if gap.reason is Reason.EXPIRED_CREDENTIALS and not gap.fields}
    roots = {kind.type: kind.service for kind, _ in some_plan.values() if not kind.parent}
    assert unread >= {type_ for type_, service in roots.items() if service in helping}
    assert not unread & {type_ for type_, service in roots.items() if service not in helping}
    assert {resource.type for resource in found} & {
        type_ for type_, service in roots.items() if service not in helping
    }


def _without_calls(inventory: bytes) -> list[bytes]:
    """All but the first line, which says what the run has cost."""
    return inventory.splitlines()[1:]


@pytest.mark.parametrize("end", ["whole", "not whole", "broken"])
def test_what_a_helper_says_at_its_end(end: str) -> None:
    def read(services: sharing.Services, lines: IO[bytes]) -> bool:
        lines.write(b"first\n" + ",".join(sorted(services)).encode() + b"\ncut off")
        if end == "broken":
            raise ArithmeticError(end)
        return end == "whole"

    (helper,) = sharing.helpers([frozenset({"s3", "sqs"})], read)
    heard: list[bytes] = []
    helper.listen(heard.append, lambda: heard.append(b"ended"))
    _wait_for(lambda: not helper.busy)
    assert heard == [b"first\n", b"s3,sqs\n", b"ended"]
    assert helper.whole == (end == "whole")


def test_long_lines_of_many_threads_stay_lines() -> None:
    """A pipe holds 64 KiB, and a write may be taken in parts."""

    def read(_: sharing.Services, lines: IO[bytes]) -> bool:
        journal = Journal(HEADING)
        journal.continue_on(cast(IO[bytes], _InParts(lines)))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: journal.add_gap(_gap(number)), range(40)))
        return True

    (helper,) = sharing.helpers([frozenset({"s3"})], read)
    heard: list[bytes] = []
    helper.listen(heard.append, lambda: None)
    _wait_for(lambda: not helper.busy)
    assert helper.whole
    taking = Journal(HEADING)
    assert {taking.take(line).gap for line in heard} == {_gap(number) for number in range(40)}


HEADING = Heading(account="123456789012", regions=("eu-west-1",), operations="", started=NOW)


def _gap(number: int) -> Gap:
    return Gap(
        type="AWS::S3::Bucket",
        operation="s3:ListBuckets",
        action="s3:ListAllMyBuckets",
        reason=Reason.FAILED,
        message=str(number) * 50_000,
    )


class _InParts:
    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner

    def write(self, written: bytes) -> int:
        return self._inner.write(written[:10_000])


def test_what_cannot_be_kept_is_not_whole() -> None:
    def read(_: sharing.Services, lines: IO[bytes]) -> bool:
        lines.write(b"a line\n")
        return True

    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    (helper,) = sharing.helpers([frozenset({"s3"})], read)
    helper.listen(full, lambda: None)
    _wait_for(lambda: not helper.busy)
    assert not helper.whole


def test_a_helper_ends_when_it_is_told_to() -> None:
    def read(_: sharing.Services, lines: IO[bytes]) -> bool:
        time.sleep(60)
        return True

    (helper,) = sharing.helpers([frozenset({"s3"})], read)
    helper.listen(lambda line: None, lambda: None)
    helper.stop()
    helper.stop()
    _wait_for(lambda: not helper.busy)
    assert not helper.whole


@pytest.mark.parametrize(
    ("most", "workers", "cores", "platform", "expected"),
    [
        (2, 32, 4, "linux", 2),
        (2, 32, 1, "linux", 1),
        (8, 32, 4, "linux", 4),
        (1, 32, 4, "linux", 1),
        (2, 1, 4, "linux", 1),
        (2, 32, 4, "darwin", 1),
        (2, 32, 4, "win32", 1),
    ],
)
def test_how_many_processes_are_useful(
    monkeypatch: pytest.MonkeyPatch, most: int, workers: int, cores: int, platform: str, expected: int
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert conftest.NUMBER_OF_PROCESSES(most, workers) == expected


# -- the program -----------------------------------------------------------------------------------


@pytest.mark.skipif(CORES < 2, reason="one process reads where there is one core")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_program_that_is_stopped_leaves_nobody_and_is_taken_up_again(
    tmp_path: Path, ending: signal.Signals
) -> None:
    with loopback.process(SMALL, latency=0.15) as slow:
        file = tmp_path / "inventory.jsonl"
        running = _program(slow, file)
        _wait_for(lambda: bool(memory.children(running.pid)) and _lines(tmp_path) > 8)
        helpers = memory.children(running.pid)
        stopped = time.monotonic()
        # Ctrl-C goes to everybody.
        (os.killpg if ending is signal.SIGINT else os.kill)(running.pid, ending)
        code = running.wait(SOON)
        took = time.monotonic() - stopped
        _wait_for(lambda: not any(Path(f"/proc/{helper}/stat").exists() for helper in helpers))
    assert helpers
    if ending is not signal.SIGKILL:
        assert code == 130
        assert took < 2.0  # seconds
        assert inventories.read(file).run.complete is False
    with loopback.process(SMALL, latency=0) as quick:
        assert _program(quick, file, "--resume").wait(60) == 0
        resumed = file.read_bytes()
        assert _program(quick, tmp_path / "undisturbed.jsonl").wait(60) == 0
    assert _without_calls(resumed) == _without_calls((tmp_path / "undisturbed.jsonl").read_bytes())


# Who was begun in the background ignores Ctrl-C, and so does whatever it begins.
_WITH_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from wa_audit.cli import main
main()
"""


def _program(aws: Remote, file: Path, *more: str) -> subprocess.Popen[bytes]:
    arguments = ["collect", "--no-metrics", "--processes", "2", "--workers", "2", "--output", str(file)]
    return subprocess.Popen(
        [sys.executable, "-c", _WITH_CTRL_C, *arguments, *more],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={
            **os.environ,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_DEFAULT_REGION": loopback.REGION,
            "AWS_ENDPOINT_URL": aws.endpoint,
            "SOURCE_DATE_EPOCH": "1793534400",
        },
    )


def _lines(folder: Path) -> int:
    return sum(len(file.read_bytes().splitlines()) for file in folder.glob("*.partial"))


def _wait_for(there: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)
