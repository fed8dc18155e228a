"""An organization audited for real: planned, scanned by a pool of processes, and merged, on loopback.

python -m benchmarks.organization_run [ACCOUNTS [PROCESSES…]]

Each account has three regions. Every number of processes scans them anew, and then four do of which some are
killed at random, one for every ten accounts; all must come to the same objects and the same merged bytes.
What is printed is a row each; `audited` counts accounts, `twice` the findings that stand anywhere twice.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec

from benchmarks import loopback_organization, memory

RULES = (
    "dynamodb-pitr",
    "kinesis-retention-excess",
    "kinesis-retention-minimum",
    "kinesis-stream-encrypted",
    "sqs-queue-dlq",
    "sqs-queue-encrypted",
)
PROCESSES = (1, 4, 16)
# Of the pool that is killed, and how many accounts there are for each kill.
KILLED_PROCESSES, ACCOUNTS_A_KILL = 4, 10
_PROGRAM = (sys.executable, "-m", "wa_audit", "org")
_KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "eu-west-1"}


class Ran(NamedTuple):
    """What a command took: seconds, seconds of CPU with its processes, MiB of the largest of them."""

    code: int
    said: str
    wall: float
    cpu: float
    mebibytes: float
    kills: int


class Found(NamedTuple):
    """What a whole run came to. `objects` are their contents by key, `merged` is organization.json."""

    scan: Ran
    merge: Ran
    objects: dict[str, bytes]
    merged: bytes
    findings: int
    twice: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.merged).hexdigest()

    @property
    def audited(self) -> int:
        return int(msgspec.json.decode(self.merged)["audited"])


def plan(folder: Path, endpoint: str, accounts: int) -> Path:
    """shards.json of so many accounts. Raises RuntimeError where it could not be made."""
    (folder / "accounts.csv").write_text(loopback_organization.listed(accounts))
    regions = [word for region in loopback_organization.REGIONS for word in ("--region", region)]
    words = ["plan", "--accounts", "accounts.csv", "--external-id", loopback_organization.EXTERNAL_ID]
    ran = _run(folder, [*words, "--endpoint-url", endpoint, *regions])
    if ran.code:
        raise RuntimeError(ran.said)
    return folder / "shards.json"


def run(folder: Path, shards: Path, endpoint: str, processes: int, *, kills: int = 0) -> Found:
    """Scans and merges what `shards` plans in an empty folder. Processes are killed `kills` times.

    Raises:
        RuntimeError: a command failed otherwise than for accounts that could not be entered.
    """
    folder.mkdir()
    rules = [word for rule in RULES for word in ("--rule", rule)]
    words = ["scan", str(shards), "-o", ".", "--endpoint-url", endpoint, "--parallel", str(processes), *rules]
    scanned = _run(folder, [*words, "--no-metrics", "--no-progress"], kills)
    merged = _run(folder, ["merge", ".", "--shards", str(shards)])
    for ran in (scanned, merged):
        if ran.code not in (0, 4):
            raise RuntimeError(ran.said)
    (document,) = folder.glob("organizations/*/organization.json")
    ((findings, twice),) = duckdb.execute(
        "SELECT count(*), count(*) - count(DISTINCT finding_id) FROM read_parquet(?)",
        [str(folder / "shards/*/*/*.parquet")],
    ).fetchall()
    paths = sorted(folder.glob("shards/**/*.parquet"))
    objects = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return Found(scanned, merged, objects, document.read_bytes(), findings, twice)


def _run(folder: Path, words: list[str], kills: int = 0) -> Ran:
    """Runs a command, and kills a process of its pool so many times, each after something was done."""
    chance, killed, due = random.Random(kills), 0, 1
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [*_PROGRAM, *words], cwd=folder, env={**os.environ, **_KEYS}, stdout=said, stderr=said
        )
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG if killed < kills else 0)
            if ended:
                break
            if sum(1 for _ in folder.glob("shards/*/*/*.parquet")) >= due:
                time.sleep(chance.uniform(0, 0.5))
                if pool := _pool(process.pid):
                    os.kill(chance.choice(pool), signal.SIGKILL)
                    killed += 1
                    there = sum(1 for _ in folder.glob("shards/*/*/*.parquet"))
                    due = there + chance.randint(1, ACCOUNTS_A_KILL)
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return Ran(
            process.returncode,
            said.read(),
            time.perf_counter() - started,
            used.ru_utime + used.ru_stime,
            memory.mebibytes(used),
            killed,
        )


def _pool(parent: int) -> list[int]:
    """The processes that a process has started to work for it, as Linux tells them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            above = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if int(above) == parent and b"spawn_main" in line:
            found.append(int(entry.name))
    return sorted(found)


def main() -> None:
    accounts, *others = map(int, sys.argv[1:] or ["200"])
    variants = [(number, 0) for number in others or PROCESSES]
    variants.append((KILLED_PROCESSES, accounts // ACCOUNTS_A_KILL))
    print("processes  kills  scan s  CPU s   MiB  merge s  CPU s   MiB  objects  audited  findings  twice")
    first: Found | None = None
    with tempfile.TemporaryDirectory() as place, loopback_organization.process() as endpoint:
        shards = plan(Path(place), endpoint, accounts)
        for number, (processes, kills) in enumerate(variants):
            folder = Path(place) / str(number)
            found = run(folder, shards, endpoint, processes, kills=kills)
            scan, merge = found.scan, found.merge
            print(
                f"{processes:9} {scan.kills:6} {scan.wall:7.0f} {scan.cpu:6.0f} {scan.mebibytes:5.0f} "
                f"{merge.wall:8.1f} {merge.cpu:6.1f} {merge.mebibytes:5.0f} {len(found.objects):8} "
                f"{found.audited:8} {found.findings:9} {found.twice:6}  {found.sha256[:16]}",
                flush=True,
            )
            first = first or found
            if (found.objects, found.merged) != (first.objects, first.merged):
                raise SystemExit("the bytes are not the same")
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
