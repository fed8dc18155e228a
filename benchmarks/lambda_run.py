"""The scheduled run as Lambda makes it, beside `wa-audit scan`: memory, seconds, what warm runs leave behind.

    python -m benchmarks.lambda_run [--warm N] [--task FOLDER]

Serves the demo account on 127.0.0.1, with a bucket for the reports. The function is a process of its own
behind Lambda's runtime interface emulator, which `make setup` puts into .venv-lambda: invoked once cold, then
warm, in turn with a scan of the same account by the command line. Both write audit.json, report.html and the
history. `--task` is the folder of an unpacked zip of `make lambda` for this machine; without it, the function
is this checkout's with this Python's packages. Memory is the kernel's count for the one process: no emulator
is in it. Linux alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from benchmarks import compare, memory, servers

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BUCKET = "wa-audit-reports"
START, CALL = 60, 300  # seconds
MOST_MEMORY = 256.0  # MiB, as one sets it of a function
MOST_RATIO = 1.3
MOST_GROWTH = 2.0  # MiB a warm run, over all but the first
# 2026-11-01, so that the same account gives the same bytes.
DAY = "1793534400"


@dataclass
class Run:
    """One run. `peak` and `after` are the memory in MiB: at most so far, and when it had answered."""

    name: str
    wall: float
    cpu: float
    peak: float
    after: float = 0.0
    calls: int = 0


class Function:
    """A function in Lambda's runtime."""

    def __init__(self, url: str, process: int) -> None:
        self._url = url
        self._process = process
        # A proxy stands for AWS alone.
        self._open = build_opener(ProxyHandler({})).open

    def invoke(self, name: str, event: Mapping[str, Any]) -> tuple[Run, dict[str, Any]]:
        """One invocation, and what it answered."""
        pid = 0 if name == "cold" else _python_under(self._process)
        before, began = (_cpu_seconds(pid) if pid else 0.0), time.monotonic()
        answer = self._posted(json.dumps(event).encode())
        wall = time.monotonic() - began
        pid = pid or _python_under(self._process)
        peak, after = _memory(pid)
        run = Run(name, wall, _cpu_seconds(pid) - before, peak, after, int(answer.get("calls", 0)))
        if answer.get("status") != "complete":
            raise RuntimeError(f"{name}: {answer}")
        return run, answer

    def _posted(self, body: bytes) -> dict[str, Any]:
        deadline = time.monotonic() + START
        while True:
            try:
                with self._open(Request(self._url, body), timeout=CALL) as answer:
                    found: dict[str, Any] = json.load(answer)
                    return found
            except URLError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


@contextmanager
def function(environment: Mapping[str, str], folder: Path, task: Path | None = None) -> Iterator[Function]:
    """The function behind Lambda's runtime interface emulator, until the block ends."""
    code = [str(task)] if task else [str(ROOT), *(path for path in sys.path if "site-packages" in path)]
    own = {
        **environment,
        "MALLOC_ARENA_MAX": "2",  # as deploy/template.yaml sets it
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "900",
        "AWS_REGION": compare.REGION,
        "LAMBDA_TASK_ROOT": str(task or ROOT),
        "WA_AUDIT_BUCKET": BUCKET,
        "WA_AUDIT_REGIONS": ",".join(compare.regions()),
        "WA_AUDIT_PREFIX": "function",
    }
    with servers.function(code, own, folder, folder / "runtime.log") as served:
        yield Function(served.url, served.process)


# -- what the kernel says of a process ---------------------------------------------------------------


def _python_under(pid: int) -> int:
    """The function's process: the emulator's one child."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(word) for path in children for word in path.read_text().split()]
    if len(found) != 1:
        raise RuntimeError(f"the emulator has {len(found)} processes, not one")
    return found[0]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> tuple[float, float]:
    """MiB: the most so far, and now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return tuple(int(found[name].split()[0]) / 1024 for name in ("VmHWM", "VmRSS"))  # type: ignore[return-value]


# -- the command line --------------------------------------------------------------------------------


def scan(environment: Mapping[str, str], folder: Path) -> Run:
    """`wa-audit scan`, from start to history."""
    where = [word for region in compare.regions() for word in ("--region", region)]
    kept = ["--history", f"s3://{BUCKET}/scan", "-o", str(folder)]
    program = [sys.executable, "-m", "wa_audit", "scan", "--no-progress", *where, *kept]
    began = time.monotonic()
    with (folder / "scan.log").open("wb") as log:
        process = subprocess.Popen(
            program,
            env={**environment, "PYTHONPATH": str(ROOT)},
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if code := os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"wa-audit scan ended with {code}: {(folder / 'scan.log').read_text()[-500:]}")
    calls = json.loads((folder / "audit.json").read_bytes())["run"]["calls"]
    return Run("scan", wall, usage.ru_utime + usage.ru_stime, memory.mebibytes(usage), calls=calls)


# -- side by side ------------------------------------------------------------------------------------


def measure(warm: int, task: Path | None, folder: Path) -> list[Run]:
    """A cold run, then warm ones, each beside a scan."""
    runs = []
    with account(folder) as served, function(served, folder, task) as made:
        for number in range(warm + 1):
            run, _ = made.invoke("warm" if number else "cold", {})
            runs += [run, scan(served, folder)]
    return runs


@contextmanager
def account(folder: Path) -> Iterator[dict[str, str]]:
    """The demo account, served by a process of its own, and the environment of a program that finds it there.

    What a process starts is charged with the memory that it had itself, until it runs its own program: hence
    it is not served from here.
    """
    program = [sys.executable, "-c", "from benchmarks import lambda_run; lambda_run._serve()"]
    server = subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        told = next((line for line in server.stdout if line.startswith(b"{")), b"")
        if not told:
            raise RuntimeError("the demo account could not be served")
        # An installed program is compiled, whatever this shell says.
        found = {name: value for name, value in json.loads(told).items() if name not in _LEFT_OUT}
        yield {**found, "HOME": str(folder), "SOURCE_DATE_EPOCH": DAY}
    finally:
        server.stdin.close()
        server.wait(30)


_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")


def _serve() -> None:
    """Serves until standard input ends; first prints the environment."""
    with compare.account() as environment:
        _make_bucket(environment)
        print(json.dumps(environment), flush=True)
        sys.stdin.read()
        sys.stdout.close()


def _make_bucket(environment: Mapping[str, str]) -> None:
    import boto3
    from botocore.config import Config

    client = boto3.session.Session("testing", "testing", region_name=compare.REGION).client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": compare.REGION})


def goals(runs: Sequence[Run]) -> Iterator[tuple[str, float, float]]:
    """What is to be reached: its words, the figure, and the most that it may be."""
    warm = [run for run in runs if run.name == "warm"]
    scans = [run for run in runs if run.name == "scan"]
    cold = next(run for run in runs if run.name == "cold")
    yield "MiB of memory, of all runs", max(run.peak for run in [cold, *warm]), MOST_MEMORY
    for name in ("wall", "cpu"):
        ours, theirs = (statistics.median(getattr(run, name) for run in each) for each in (warm, scans))
        yield f"warm {name} ÷ scan's", ours / theirs, MOST_RATIO
        yield f"cold {name} ÷ scan's", getattr(cold, name) / theirs, MOST_RATIO
    if len(warm) > 2:
        grown = (warm[-1].after - warm[0].after) / (len(warm) - 1)
        yield "MiB that a warm run leaves behind", grown, MOST_GROWTH


def table(runs: Sequence[Run]) -> str:
    lines = [f"{'':<8}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}{'after MiB':>11}{'calls':>8}"]
    for run in runs:
        after = f"{run.after:>11.0f}" if run.after else " " * 11
        lines.append(f"{run.name:<8}{run.wall:>8.2f}{run.cpu:>8.2f}{run.peak:>10.0f}{after}{run.calls:>8}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--warm", type=int, default=5, help="how many warm runs")
    parser.add_argument("--task", type=Path, help="the folder of an unpacked zip")
    asked = parser.parse_args()
    if not servers.EMULATOR.is_file():
        sys.exit(f"{servers.EMULATOR} is not there: 'make setup' installs it")
    with tempfile.TemporaryDirectory(prefix="wa-audit-bench-") as folder:
        runs = measure(asked.warm, asked.task, Path(folder))
    print(table(runs))
    told = list(goals(runs))
    for words, figure, most in told:
        print(f"  {'met ' if figure <= most else 'MISS'} {words}: {figure:.2f} (at most {most:g})")
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {
        "scenario": "lambda_run",
        "rows": [asdict(run) for run in runs],
        "goals": [{"goal": words, "figure": figure, "most": most} for words, figure, most in told],
    }
    (RESULTS / "lambda_run.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
