"""What each stage costs as an account grows: seconds of CPU a thousand resources, and peak memory.

    python -m benchmarks.stages [SIZE …]

The account is the demo account, many times over. It is written as an inventory and judged from there, as
`wa-audit assess` does, each size in a process of its own: to read so many resources call by call would be to
measure boto3 and the loopback, which `python -m benchmarks.scan size` does. What of the
collection is not the calls is measured on lists that carry whatever is asked: 200 jobs of Glue a call.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import loopback, memory
from benchmarks.loopback import Account

SIZES = (1_000, 10_000, 100_000)
FORMATS = ("json", "html", "csv")
ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "tests" / "golden" / "inventory.jsonl"
RESULTS = ROOT / "benchmarks" / "results"
# 300 and 600 MB, in MiB.
MOST_MEMORY = {10_000: 286, 100_000: 572}
FLAT = 1.2


@dataclass
class Measured:
    """Of one size: CPU seconds by stage, MiB at the end of each, and how many findings came of it."""

    resources: int
    seconds: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    findings: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        before = time.process_time()
        yield
        self.seconds[name] = time.process_time() - before
        self.memory[name] = memory.peak()


# -- the account -----------------------------------------------------------------------------------

_COMPANY = b"acme"
# Of trails AWS allows five in a region, of settings for a whole lake or catalog there is one.
_FEW = (
    b'"AWS::CloudTrail::Trail"',
    b'"AWS::Glue::DataCatalogEncryptionSettings"',
    b'"AWS::LakeFormation::DataLakeSettings"',
)


def write_inventory(file: Path, size: int) -> None:
    """An inventory of about so many resources: the demo account's, and its company again and again.

    Each copy bears another name, and so do all that its resources name.
    """
    rows = DEMO.read_bytes().splitlines(keepends=True)
    header = json.loads(rows[0])
    companies = [row for row in rows[1:] if row.startswith(b'{"resource"') and _COMPANY in row]
    companies = [row for row in companies if not any(type_ in row for type_ in _FEW)]
    copies = max(0, (size - header["resources"]) // len(companies))
    with file.open("wb") as out:
        out.write(
            json.dumps(header | {"resources": header["resources"] + copies * len(companies)}).encode() + b"\n"
        )
        out.writelines(rows[1:])
        for copy in range(copies):
            out.writelines(_renamed(row, copy) for row in companies)


def _renamed(row: bytes, copy: int) -> bytes:
    made = json.loads(row.replace(_COMPANY, _COMPANY + b"%d" % copy))
    found = made["resource"]
    if f"acme{copy}" not in found["arn"]:
        found["arn"] += f"-{copy}"  # of what goes by an id
    return json.dumps(made).encode() + b"\n"


# -- the stages ------------------------------------------------------------------------------------


def judge(file: Path, folder: Path, formats: tuple[str, ...] = FORMATS) -> Measured:
    """Reads the inventory, and judges and reports it, as `wa-audit assess` does."""
    from wa_audit import assess, inventory, pipelines, rulebook
    from wa_audit import report as reports
    from wa_audit.memory import never_collected
    from wa_audit.relations import relate
    from wa_audit.report import audit as audits

    book = rulebook.load()
    measured = Measured(0)
    with measured.stage("inventory"):
        found = inventory.read(file)
    with never_collected():
        measured.resources = len(found)
        with measured.stage("relations"):
            related = relate(found)
        with measured.stage("pipelines"):
            flow = pipelines.of(related)
        with measured.stage("assess, audit"):
            audit = audits.build(related, book, assess.assess(related, book), flow=flow)
        measured.findings = len(audit.findings)
        related.forget_derived()
    del found, related, flow  # as when `wiring.assess` has returned
    for name in formats:
        with measured.stage(f"report {name}"):
            reports.write(audit, [name], folder)
    return measured


def collect(size: int, folder: Path) -> Measured:
    """Lists so many jobs of Glue from a loopback in another process."""
    from wa_audit import inventory, rulebook
    from wa_audit.collect import collect as read
    from wa_audit.collect import plan
    from wa_audit.collect.session import connect

    rules = [rule for rule in rulebook.load().rules if rule.id == "glue-job-version"]
    measured = Measured(size)
    with loopback.process(Account(0, 0, 0, 0, size, 0), latency=0.0) as aws:
        session = connect(region=loopback.REGION, endpoint_url=aws.endpoint)
        with measured.stage("collect"):
            found = read(session, plan.plan(rules), [loopback.REGION])
    with measured.stage("write"):
        inventory.write(found, folder / "jobs.jsonl")
    assert len(found) == size + 1, found.gaps
    return measured


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory(prefix="wa-audit-bench-") as folder:
        work = Path(folder)
        rows = [_measured(work, size) for size in sizes]
    print(table(rows))
    told = list(goals(rows))
    for words, figure, most in told:
        print(f"  {'met ' if figure <= most else 'MISS'} {words}: {figure:.2f} (at most {most:g})")
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {
        "scenario": "stages",
        "rows": [asdict(row) for row in rows],
        "goals": [{"goal": words, "figure": figure, "most": most} for words, figure, most in told],
    }
    (RESULTS / "stages.json").write_text(json.dumps(document, indent=2) + "\n")


def _measured(work: Path, size: int) -> Measured:
    """One size: the collection in one process, the rest in another."""
    file = work / "inventory.jsonl"
    write_inventory(file, size)
    whole, listed = Measured(size), _alone("collect", str(size), str(work))
    judged = _alone("judge", str(file), str(work))
    for part in (listed, judged):
        whole.seconds |= part["seconds"]
        whole.memory |= part["memory"]
    whole.resources, whole.findings = judged["resources"], judged["findings"]
    return whole


def _alone(*arguments: str) -> dict[str, Any]:
    """Runs one of `_ALONE` in a process of its own, and gives what it measured."""
    code = f"from benchmarks import stages; stages._run({arguments!r})"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
    program = [sys.executable, "-c", code]
    done = subprocess.run(program, check=True, stdout=subprocess.PIPE, text=True, env=variables | keys)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _run(arguments: tuple[str, ...]) -> None:
    print(json.dumps(asdict(_ALONE[arguments[0]](*arguments[1:]))))


_ALONE: dict[str, Callable[..., Measured]] = {
    "collect": lambda size, folder: collect(int(size), Path(folder)),
    "judge": lambda file, folder: judge(Path(file), Path(folder)),
}


def goals(rows: list[Measured]) -> Iterator[tuple[str, float, float]]:
    """Each stage's time a resource at the largest size against that at 10,000, of which start-up is no part
    any more; that of all stages against the smallest size's, start-up and all; and the peak of memory."""
    by_size = {round(row.resources, 1 - len(str(row.resources))): row for row in rows}  # 9,949 is 10,000
    first, last = by_size.get(10_000, rows[0]), rows[-1]
    if last is not first:
        for stage in last.seconds:
            each = [row.seconds[stage] / row.resources for row in (first, last)]
            yield (
                f"{stage}: time a resource, {last.resources:,} ÷ {first.resources:,}",
                each[1] / each[0],
                FLAT,
            )
        whole = [sum(row.seconds.values()) / row.resources for row in (rows[0], last)]
        words = f"all stages: time a resource, {last.resources:,} ÷ {rows[0].resources:,}"
        yield words, whole[1] / whole[0], FLAT
    for size, most in MOST_MEMORY.items():
        if row := by_size.get(size):
            yield f"MiB at {size:,}", max(row.memory.values()), most


def table(rows: list[Measured]) -> str:
    """A row a stage: milliseconds of CPU a resource, and MiB at its end, of every size."""
    head = f"{'':<16}" + "".join(f"{row.resources:>12,} {'MiB':>7}" for row in rows)
    lines = [head]
    for stage in rows[-1].seconds:
        cells = [
            f"{row.seconds[stage] / row.resources * 1e3:>9.3f} ms {row.memory[stage]:>7.0f}" for row in rows
        ]
        lines.append(f"{stage:<16}" + "".join(cells))
    lines.append(f"{'findings':<16}" + "".join(f"{row.findings:>12,} {'':>7}" for row in rows))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
