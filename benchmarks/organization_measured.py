"""What the model of an organization's run is fed with: calls and CPU of an account, measured on loopback.

An account is taken apart by differences: of two full regions and one, a full region; of a full and an empty
region and the full one alone, an empty region; what is left of one full region are the calls for the account.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import loopback, scan
from benchmarks.loopback import Account

FILE = Path(__file__).with_name("organization_measured.json")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A whole collection, to hold the model against: seconds of wall and CPU, and calls."""

    full: int
    empty: int
    throttled: float
    wall: float
    cpu: float
    calls: int


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Calls by `service:Operation`, of what they are made for; and CPU seconds.

    start_cpu:  of what does not hang on the calls.
    call_cpu:   of a call, the reading of its answer included.
    judge_cpu:  of judging and writing the reports.
    """

    account: dict[str, int]
    full_region: dict[str, int]
    empty_region: dict[str, int]
    start_cpu: float
    call_cpu: float
    judge_cpu: float
    latency: float
    checks: list[Checked]


@cache
def read() -> Measured:
    """What was measured last."""
    return msgspec.json.decode(FILE.read_bytes(), type=Measured)


def measure() -> Measured:
    """Measures anew; takes a minute."""
    full, empty = (loopback.REGION, *scan.MORE_REGIONS[:2]), scan.MORE_REGIONS[2:]
    one, two = full[:1], full[:2]
    with tempfile.TemporaryDirectory(prefix="wa-audit-bench-") as folder:
        work = Path(folder)
        alone, calls_alone = _collected(work, one, one)
        _, calls_both = _collected(work, two, two)
        _, calls_beside = _collected(work, one, (*one, empty[0]))
        every, calls_every = _collected(work, full, (*full, *empty))
        slow, calls_slow = _collected(work, one, one, throttle=0.3)
        with loopback.process(Account(regions=one), latency=scan.LATENCY) as aws:
            judged = scan.scan(aws, work)
    region = calls_both - calls_alone
    call_cpu = (every.cpu - alone.cpu) / (calls_every.total() - calls_alone.total())
    start_cpu = alone.cpu - call_cpu * calls_alone.total()
    return Measured(
        account=_named(calls_alone - region),
        full_region=_named(region),
        empty_region=_named(calls_beside - calls_alone),
        start_cpu=round(max(start_cpu, 0.0), 2),
        call_cpu=round(call_cpu, 5),
        judge_cpu=round(max(judged.cpu - alone.cpu, 0.0), 2),
        latency=scan.LATENCY,
        checks=[
            _checked(alone, calls_alone, len(one), 0),
            _checked(every, calls_every, len(full), len(empty)),
            _checked(slow, calls_slow, len(one), 0, 0.3),
        ],
    )


def _checked(row: scan.Row, calls: Counter[str], full: int, empty: int, throttled: float = 0.0) -> Checked:
    return Checked(
        full=full,
        empty=empty,
        throttled=throttled,
        wall=round(row.wall, 2),
        cpu=round(row.cpu, 2),
        calls=calls.total(),
    )


def _collected(
    work: Path, full: tuple[str, ...], regions: tuple[str, ...], throttle: float = 0.0
) -> tuple[scan.Row, Counter[str]]:
    """A collection of these regions, of which some are full, and what it called by operation."""
    with loopback.process(Account(regions=full), latency=scan.LATENCY, throttle=throttle) as aws:
        told: list[dict[str, Any]] = []
        ask = aws.counts
        aws.counts = lambda: told.append(ask()) or told[-1]  # type: ignore[method-assign, func-returns-value]
        # As a function of Lambda reads.
        row = scan.collect(aws, work / "inventory.jsonl", regions, workers=16, processes=1)
    return row, Counter(told[-1]["by_operation"])


def _named(calls: Mapping[str, int]) -> dict[str, int]:
    """By the names that the tables of rates have; what the plan does not know goes by its own."""
    from wa_audit import rulebook, wiring
    from wa_audit.collect import plan

    known: dict[str, set[str]] = {}
    for operation in plan.operations(wiring.make_plan(rulebook.load(), tags=False)):
        known.setdefault(operation.partition(":")[2], set()).add(operation)
    found: Counter[str] = Counter()
    for name, number in calls.items():
        service, _, bare = name.rpartition(".")
        services = known.get(bare, set())
        found[next(iter(services)) if len(services) == 1 else f"{service.lower() or 'other'}:{bare}"] += (
            number
        )
    return dict(sorted(found.items()))


def main() -> None:
    made = measure()
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    calls = {name: sum(getattr(made, name).values()) for name in ("account", "full_region", "empty_region")}
    print(json.dumps({**calls, "call_cpu": made.call_cpu, "start_cpu": made.start_cpu}, indent=1))


if __name__ == "__main__":
    main()
