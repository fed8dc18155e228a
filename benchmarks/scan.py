"""Whole scans of an AWS on loopback, side by side: wa-audit, a floor of bare boto3, and Prowler.

    python -m benchmarks.scan [plain|throttled|limited|regions|tls|size|workers] …

Each is run as a process of its own against a server in another one, in turn, and the median is taken, so
that what else the machine does falls on all of them: read the ratios. The table goes to stdout and, as JSON,
to benchmarks/results/. Prowler is taken from the environment variable PROWLER, or from .venv-prowler, which
`make bench-peer` sets up.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import loopback, memory
from benchmarks.loopback import Account, Remote

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LATENCY = 0.05
RUNS = 3
MORE_REGIONS = (
    "eu-central-1 eu-west-2 eu-west-3 eu-north-1 us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 "
    "sa-east-1 ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2"
).split()
# 2026-11-01, so that the same account gives the same bytes.
DAY = "1793534400"


@dataclass
class Row:
    """One run. Seconds, MiB, and bytes; a figure that a program does not have is 0."""

    name: str
    wall: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0
    calls: float = 0.0
    concurrency: float = 0.0
    first_call: float = 0.0
    bytes_a_finding: float = 0.0
    connections: float = 0.0
    throttled: float = 0.0
    note: str = ""


def run(name: str, program: Sequence[str], aws: Remote, **environment: str) -> Row:
    """Runs a program to its end, and says what it took and what it asked."""
    aws.counts()
    # An installed program is compiled, whatever this shell says.
    left_out = ("AWS_", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    variables = {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_DEFAULT_REGION": loopback.REGION,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SOURCE_DATE_EPOCH": DAY,
        **({"AWS_CA_BUNDLE": str(aws.ca)} if aws.ca else {}),
        **environment,
    }
    started = time.monotonic()
    process = subprocess.Popen(
        program, env=variables, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    children = memory.Children(process.pid)
    words = process.stderr.read().decode(errors="replace").strip()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    asked = aws.counts()
    code = os.waitstatus_to_exitcode(status)
    return Row(
        name,
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=memory.mebibytes(usage) + children.most(),
        calls=asked["calls"],
        concurrency=asked["mean_concurrency"],
        first_call=asked["first_call"] - started if asked["calls"] else 0.0,
        connections=asked["connections"],
        throttled=asked["throttled"],
        # Prowler ends with 3 where anything fails.
        note="" if code in (0, 3) else f"exit {code}: {words[-200:]}",
    )


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def scan(aws: Remote, folder: Path) -> Row:
    """wa-audit, from start to reports."""
    row = run(
        "wa-audit", _python("wa_audit", "scan", "--no-progress", "--no-metrics", "-o", str(folder)), aws
    )
    audit, report = folder / "audit.json", folder / "report.html"
    if audit.is_file() and not row.note:
        findings = len(json.loads(audit.read_bytes())["findings"])
        row.bytes_a_finding = (audit.stat().st_size + report.stat().st_size) / max(findings, 1)
    return row


def collect(
    aws: Remote,
    file: Path,
    regions: Sequence[str] = (),
    *,
    workers: int = 0,
    processes: int = 0,
    seed: str = "0",
) -> Row:
    """wa-audit's reading alone; by as many workers and processes as it has where nobody says how many."""
    more = [word for region in regions for word in ("--region", region)]
    more += ["--workers", str(workers)] if workers else []
    more += ["--processes", str(processes)] if processes else []
    program = _python("wa_audit", "collect", "--no-progress", "--no-metrics", "-o", str(file), *more)
    return run("wa-audit collect", program, aws, PYTHONHASHSEED=seed)


def floor(aws: Remote, requests: Path) -> Row:
    return run("floor", _python("benchmarks.floor", "send", str(requests), aws.endpoint), aws)


def prowler(aws: Remote, folder: Path) -> Row:
    """Prowler on the same services, or a row that says that it is not there."""
    local = ROOT / ".venv-prowler" / "bin" / "prowler"
    program = os.environ.get("PROWLER") or (str(local) if local.is_file() else "")
    if not program:
        return Row("prowler", note="not installed: make bench-peer")
    services = "s3 awslambda sqs kinesis glue dynamodb".split()
    # They download every function's code, which no other program here does.
    downloads = ["awslambda_function_no_secrets_in_code", "awslambda_layer_no_secrets_in_content"]
    options = [
        "-f",
        loopback.REGION,
        "-M",
        "json-ocsf",
        "-o",
        str(folder),
        "--no-banner",
        "--ignore-exit-code-3",
        "--excluded-checks",
        *downloads,
    ]
    row = run("prowler", [program, "aws", *options, "--services", *services], aws)
    for file in folder.glob("*.ocsf.json"):
        row.bytes_a_finding = file.stat().st_size / max(len(json.loads(file.read_bytes())), 1)
    return row


def _median(rows: Sequence[Row]) -> Row:
    """The median of every figure over several runs of one program."""
    taken = asdict(rows[0])
    for name, value in taken.items():
        if isinstance(value, float):
            taken[name] = statistics.median(getattr(row, name) for row in rows)
    taken["calls"] = statistics.median(row.calls for row in rows)
    return Row(**taken)


def _resources(file: Path) -> dict[str, bytes]:
    """An inventory's resources by ARN, each as its line."""
    lines = file.read_bytes().splitlines()[1:]
    found = [(json.loads(line), line) for line in lines]
    return {part["resource"]["arn"]: line for part, line in found if "resource" in part}


# -- scenarios -------------------------------------------------------------------------------------

Goal = tuple[str, float, float]
"""What is to be reached: its words, the figure, and the most that it may be."""


def plain(work: Path, certificates: Path | None = None) -> tuple[list[Row], list[Goal]]:
    """The account of the peer's own measurement: six services in one region."""
    with loopback.process(Account(), latency=LATENCY, certificates=certificates) as aws:
        requests = work / "requests.json"
        recording = run("", _python("benchmarks.floor", "record", str(requests), aws.endpoint), aws)
        if recording.note:
            sys.exit(recording.note)
        turns = [(scan(aws, work), floor(aws, requests)) for _ in range(RUNS)]
        ours, bare = (_median(rows) for rows in zip(*turns, strict=True))
        peer = prowler(aws, work / "prowler")
    goals = [
        ("calls", ours.calls, 700),
        ("wall ÷ floor's", ours.wall / bare.wall, 1.0),
        ("20 ÷ mean concurrency", 20 / ours.concurrency, 1.0),
        ("MiB of memory", ours.memory, 120),
    ]
    if peer.wall:
        goals += [
            ("calls ÷ Prowler's", ours.calls / peer.calls, 0.6),
            ("wall ÷ Prowler's", ours.wall / peer.wall, 0.1),
            ("CPU ÷ Prowler's", ours.cpu / peer.cpu, 0.15),
            ("memory ÷ Prowler's", ours.memory / peer.memory, 0.25),
        ]
    return [ours, bare, peer], goals


def throttled(work: Path) -> tuple[list[Row], list[Goal]]:
    """Three calls of ten are refused, and tried again. Which ones, decides much: others in every run."""
    rows: list[Row] = []
    first: dict[str, bytes] = {}
    missing = 0
    for share in (0.0, 0.3):
        runs = []
        for seed in range(2 * RUNS + 1):
            file = work / "throttled.jsonl"
            with loopback.process(Account(), latency=LATENCY, throttle=share, seed=seed) as aws:
                runs.append(collect(aws, file))
            found = _resources(file)
            first = first or found
            missing += sum(found.get(arn) != line for arn, line in first.items())
        row = _median(runs)
        row.name = f"{share:.0%} throttled"
        rows.append(row)
    clean, slow = rows
    return rows, [
        ("resources that differ", missing, 0),
        ("wall ÷ clean", slow.wall / clean.wall, 3.0),
        ("calls ÷ clean", slow.calls / clean.calls, 1.5),
    ]


def limited(work: Path) -> tuple[list[Row], list[Goal]]:
    """200 streams, of which AWS describes 20 a second, and 20 at once: 9 seconds at best."""
    account, rates = Account(0, 0, 0, 200, 0, 0), {"Kinesis.DescribeStreamSummary": 20.0}
    with loopback.process(account, latency=LATENCY) as aws:
        free = collect(aws, work / "free.jsonl")
    with loopback.process(account, latency=LATENCY, rates=rates) as aws:
        held = collect(aws, work / "held.jsonl")
    free.name, held.name = "no limit", "20 a second"
    free_lines, held_lines = _resources(work / "free.jsonl"), _resources(work / "held.jsonl")
    return [free, held], [
        ("resources that differ", sum(held_lines.get(arn) != line for arn, line in free_lines.items()), 0),
        ("seconds beyond those of no limit ÷ 9", (held.wall - free.wall) / 9.0, 1.15),
        ("share of calls throttled", held.throttled / held.calls, 0.02),
    ]


def regions(work: Path) -> tuple[list[Row], list[Goal]]:
    """Three full regions, alone and with fourteen empty ones: the account of `plain` in each, or ten such."""
    rows, goals = [], []
    for factor, runs in ((1, RUNS), (10, 1)):
        few, many = _with_empty_ones(work, factor, runs)
        rows += [few, many]
        goals.append((f"{factor} ×: the empty ones' wall ÷ the full ones'", many.wall / few.wall - 1, 0.15))
    return rows, goals


def _with_empty_ones(work: Path, factor: int, runs: int) -> tuple[Row, Row]:
    """Three regions that hold so many times the account of `plain` each, and the same with the empty ones."""
    full = (loopback.REGION, *MORE_REGIONS[:2])
    every = (loopback.REGION, *MORE_REGIONS)
    one = Account().times(factor)
    # Buckets are the whole account's.
    account = replace(one, buckets=one.buckets * len(full), regions=full)
    with loopback.process(account, latency=LATENCY) as aws:
        turns = [
            (collect(aws, work / "3.jsonl", full), collect(aws, work / "17.jsonl", every))
            for _ in range(runs)
        ]
    few, many = (_median(rows) for rows in zip(*turns, strict=True))
    few.name, many.name = f"3 regions, {factor} ×", "and 14 empty ones"
    return few, many


def tls(work: Path) -> tuple[list[Row], list[Goal]]:
    """The same over TLS, with an authority of the server's own beside the usual ones."""
    certify(work)
    over_http, _ = plain(work)
    over_tls, _ = plain(work, work)
    for row in over_tls:
        row.name += ", TLS"
    a_call = [rows[0].cpu / rows[0].calls for rows in (over_tls, over_http)]
    return [*over_http, *over_tls], [("CPU a call ÷ plain HTTP's", a_call[0] / a_call[1], 1.3)]


def certify(folder: Path) -> None:
    """An authority, and a certificate of its for 127.0.0.1; the bundle holds the usual authorities too."""
    import certifi

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "rsa:2048", "-nodes", "-subj")
    openssl("req", "-x509", *new, "/CN=loopback", "-keyout", "ca.key", "-out", "own.pem", "-days", "2")
    openssl("req", *new, "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    signed = ("-CA", "own.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signed)
    (folder / "ca.pem").write_bytes((folder / "own.pem").read_bytes() + Path(certifi.where()).read_bytes())


def size(work: Path, sizes: Sequence[int] = (1_000, 10_000)) -> tuple[list[Row], list[Goal]]:
    """Whole scans of the same mixture, larger: is the time a resource flat, and does memory stay bounded?"""
    rows, times = [], []
    for number in sizes:
        account = Account().times(number / Account().resources)
        with loopback.process(account, latency=0.005) as aws:
            row = scan(aws, work)
        row.name = f"{number} resources"
        rows.append(row)
        times.append(row.cpu / number)
    goals: list[Goal] = [("CPU a resource, largest ÷ smallest account's", times[-1] / times[0], 1.2)]
    goals += [  # 300 and 600 MB
        (f"MiB at {number}", row.memory, 286 if number <= 10_000 else 572)
        for number, row in zip(sizes, rows, strict=True)
        if number >= 10_000
    ]
    return rows, goals


def workers(work: Path) -> tuple[list[Row], list[Goal]]:
    """The same bytes from any number of workers and any hash seed."""
    rows, digests = [], set()
    with loopback.process(Account().times(0.4), latency=0.01) as aws:
        for number, seed in ((1, "0"), (2, "1"), (16, "2"), (64, "3")):
            file = work / "workers.jsonl"
            row = collect(aws, file, workers=number, seed=seed)
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
            row.name, row.note = f"{number} workers", row.note or digest
            digests.add(digest)
            rows.append(row)
    return rows, [("different inventories", len(digests), 1)]


SCENARIOS: dict[str, Callable[[Path], tuple[list[Row], list[Goal]]]] = {
    "plain": plain,
    "throttled": throttled,
    "limited": limited,
    "regions": regions,
    "tls": tls,
    "size": size,
    "workers": workers,
}


def table(rows: Sequence[Row]) -> str:
    head = f"{'':<22}{'wall s':>8}{'CPU s':>8}{'MiB':>7}{'calls':>8}{'at once':>9}{'first s':>9}"
    lines = [head + f"{'B/finding':>11}{'conn.':>7}{'throttled':>11}"]
    for row in rows:
        figures = (
            f"{row.wall:>8.2f}{row.cpu:>8.2f}{row.memory:>7.0f}{row.calls:>8.0f}{row.concurrency:>9.1f}"
            f"{row.first_call:>9.2f}{row.bytes_a_finding:>11.0f}{row.connections:>7.0f}{row.throttled:>11.0f}"
        )
        lines.append(f"{row.name:<22}{figures if row.wall else ''}  {row.note}".rstrip())
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "scenarios", nargs="*", choices=[*SCENARIOS, []], metavar="SCENARIO", default=["plain"]
    )
    asked = parser.parse_args().scenarios
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in [asked] if isinstance(asked, str) else asked:
        work = Path(tempfile.mkdtemp(prefix="wa-audit-bench-"))
        try:
            rows, goals = SCENARIOS[name](work)
        finally:
            shutil.rmtree(work)
        print(f"{name}: {str(SCENARIOS[name].__doc__).splitlines()[0]}\n\n{table(rows)}\n")
        told: list[dict[str, Any]] = []
        for words, figure, most in goals:
            print(f"  {'met ' if figure <= most else 'MISS'} {words}: {figure:.2f} (at most {most:g})")
            told.append({"goal": words, "figure": round(figure, 3), "most": most, "met": figure <= most})
        print()
        document = {"scenario": name, "rows": [asdict(row) for row in rows], "goals": told}
        (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
