"""What an audit of a whole organization takes: hours, calls, USD, and what holds it up.

    python -m benchmarks.organization            the tables of docs/scale.md, which `make docs` writes there
    python -m benchmarks.organization_measured   measures anew what the model is fed with

A run is a Distributed Map over the accounts: a child workflow for each batch, which has the function read its
accounts one after another. It is calculated on paper, and simulated: each child waits for a place in the map,
for its start, and for a function, which is new or has run before; each account for STS, for its reading,
which `shard_model` simulates call by call, and for S3. What is taken for granted is in organization.yaml.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks import organization_measured, shard_model
from benchmarks.shard_model import Work

ASSUMPTIONS = Path(__file__).with_name("organization.yaml")
TOLERANCE = 0.2
"""By how much the paper's hours, calls and USD may differ from the simulation's, of the latter."""


@dataclass(frozen=True)
class Run:
    """A run, and the settings of its state machine: `concurrency` is MaxConcurrency, `batch`
    MaxItemsPerBatch, `memory` the function's in MB; `empty` the share of regions without anything."""

    accounts: int = 10_000
    regions: int = 17
    empty: float = 0.8
    throttled: float = 0.0
    concurrency: int = 200
    batch: int = 5
    memory: int = 1024

    def work(self, full: int) -> Work:
        return Work(
            full,
            self.regions - full,
            vcpu=min(1.0, self.memory / number("vcpu_memory")),
            throttled=self.throttled,
            latency=number("latency_seconds"),
            workers=int(number("workers")),
        )

    @property
    def children(self) -> int:
        return math.ceil(self.accounts / self.batch)


@dataclass
class Outcome:
    """Seconds, calls, and what it costs by what is paid for, in USD. `bound` is what held it up most,
    `within` what held an account up, `longest` the seconds of the longest child."""

    seconds: float
    calls: float
    function_seconds: float
    cost: dict[str, float]
    bound: str
    at_once: int = 0
    waited: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    longest: float = 0.0
    within: str = ""

    @property
    def hours(self) -> float:
        return self.seconds / 3600

    @property
    def usd(self) -> float:
        return sum(self.cost.values())


@cache
def assumptions() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(ASSUMPTIONS.read_text(encoding="utf-8"))
    return found


def number(name: str) -> float:
    """An assumption's value."""
    return float(assumptions()[name]["value"])


def _cost(run: Run, function_seconds: float, invocations: int) -> dict[str, float]:
    return {
        "function": function_seconds * run.memory / 1024 * number("gigabyte_second")
        + invocations * number("request"),
        "state machine": run.children * number("transitions") * number("transition"),
        "S3": run.accounts * number("put"),
    }


def planning_seconds(run: Run) -> float:
    """To list the accounts before the run begins, 20 a page."""
    return math.ceil(run.accounts / 20) / number("list_rate")


# -- on paper --------------------------------------------------------------------------------------


def on_paper(run: Run) -> Outcome:
    """Accounts × seconds an account ÷ functions at once, or what is slower: starts, transitions, STS, S3.

    The start-up of a function counts once for each that runs at once, for it then stays warm.
    """
    judging = organization_measured.read().judge_cpu
    account = called = 0.0
    slowest: dict[str, float] = defaultdict(float)
    for full in range(run.regions + 1):
        share = math.comb(run.regions, full) * (1 - run.empty) ** full * run.empty ** (run.regions - full)
        work = run.work(full)
        read = shard_model.on_paper(work)
        account += share * (read.seconds + judging / work.vcpu + work.latency)
        called += share * read.calls
        slowest[read.bound] += share
    at_once = min(run.concurrency, int(number("lambda_concurrency")), run.children)
    starting = organization_measured.read().start_cpu / run.work(0).vcpu
    function_seconds = run.accounts * account + at_once * starting
    bounds = {
        _limit(run): function_seconds / at_once,
        _STARTS: max(0.0, run.children - number("start_burst")) / number("start_rate"),
        "state transitions": run.children * number("transitions") / number("transition_rate"),
        _STS: run.accounts / number("assume_role_rate"),
        _PUTS: run.accounts / number("put_rate"),
    }
    bound = max(bounds, key=lambda name: bounds[name])
    # The last children end one after another: half a child's time.
    last = account * run.batch / 2 if run.children > at_once else 0.0
    return Outcome(
        bounds[bound] + last,
        run.accounts * called,
        function_seconds,
        _cost(run, function_seconds, run.children),
        bound,
        at_once=at_once,
        within=max(slowest, key=lambda name: slowest[name]),
    )


_STARTS, _NEW, _STS, _PUTS = "starts of child workflows", "new functions", "STS", "S3"
_LENGTH = "nothing: a child's length"
_MUCH = 0.01  # of the run, that a child must have waited on average to have been held up


def _limit(run: Run) -> str:
    """What bounds the functions at once."""
    least = min(run.concurrency, number("lambda_concurrency"), run.children)
    if least == run.children:
        return _LENGTH
    return "MaxConcurrency" if least == run.concurrency else "Lambda's concurrency"


# -- simulated -------------------------------------------------------------------------------------


class _Bucket:
    """A token bucket: when the next that asks is served."""

    def __init__(self, rate: float, burst: float) -> None:
        self._each, self._burst = 1 / rate, burst
        self._next = 0.0

    def turn(self, now: float) -> float:
        turn = max(self._next, now - (self._burst - 1) * self._each)
        self._next = turn + self._each
        return max(now, turn)


@dataclass(eq=False)
class _Child:
    """A child workflow: so many accounts are left; since when its function runs, and this invocation."""

    left: int
    began: float = 0.0
    invoked: float = 0.0


@cache
def simulated(run: Run, seed: int = 1) -> Outcome:
    """Every child and every account of it."""
    return _Simulation(run, seed).run()


class _Simulation:
    def __init__(self, run: Run, seed: int) -> None:
        self._run = run
        self._chance = random.Random(seed)
        self._measured = organization_measured.read()
        self._vcpu = run.work(0).vcpu
        self._starts = _Bucket(number("start_rate"), number("start_burst"))
        self._fresh = _Bucket(number("lambda_scaling"), 10 * number("lambda_scaling"))
        self._sts = _Bucket(number("assume_role_rate"), number("assume_role_rate"))
        self._puts = _Bucket(number("put_rate"), number("put_rate"))
        self._waiting = [
            _Child(min(run.batch, run.accounts - first)) for first in range(0, run.accounts, run.batch)
        ]
        self._waiting.reverse()
        self._places = min(run.concurrency, int(number("lambda_concurrency")))
        self._warm = 0
        self._events: list[tuple[float, int, str, _Child]] = []
        self._order = 0
        self._busy = 0
        self._invocations = 0
        self._outcome = Outcome(0.0, 0.0, 0.0, {}, "")

    def run(self) -> Outcome:
        outcome = self._outcome
        self._start(0.0)
        steps = {"begin": self._begin, "account": self._account, "write": self._write}
        while self._events:
            now, _, kind, child = heapq.heappop(self._events)
            steps[kind](now, child)
        outcome.cost = _cost(self._run, outcome.function_seconds, self._invocations)
        waited = outcome.waited
        bound = max(waited, key=lambda name: waited[name])
        children = self._run.children
        outcome.bound = bound if waited[bound] > _MUCH * children * outcome.seconds else _LENGTH
        return outcome

    def _start(self, now: float) -> None:
        """Starts children while the map has places."""
        while self._places and self._waiting:
            self._places -= 1
            turn = self._starts.turn(now)
            self._outcome.waited[_limit(self._run)] += now
            self._wait(_STARTS, now, turn)
            self._at(turn, "begin", self._waiting.pop())

    def _begin(self, now: float, child: _Child) -> None:
        """Has a function: one that is warm, or a new one."""
        self._busy += 1
        self._outcome.at_once = max(self._outcome.at_once, self._busy)
        self._invocations += 1
        up = now
        if self._warm:
            self._warm -= 1
        else:
            turn = self._fresh.turn(now)
            self._wait(_NEW, now, turn)
            up = turn + self._measured.start_cpu / self._vcpu
            now = turn
        child.began = child.invoked = now
        self._at(up, "account", child)

    def _account(self, now: float, child: _Child) -> None:
        """Reads the next account, or ends."""
        outcome, run = self._outcome, self._run
        if not child.left:
            self._busy -= 1
            self._warm += 1
            self._places += 1
            outcome.function_seconds += now - child.began
            outcome.longest = max(outcome.longest, now - child.began)
            outcome.seconds = now
            self._start(now)
            return
        if now - child.invoked > number("lambda_longest"):  # goes on in another invocation
            self._invocations += 1
            child.invoked = now
        child.left -= 1
        work = run.work(sum(self._chance.random() >= run.empty for _ in range(run.regions)))
        read = shard_model.simulated(work)
        outcome.calls += read.calls
        turn = self._sts.turn(now)
        self._wait(_STS, now, turn)
        self._at(turn + read.seconds + self._measured.judge_cpu / self._vcpu, "write", child)

    def _write(self, now: float, child: _Child) -> None:
        turn = self._puts.turn(now)
        self._wait(_PUTS, now, turn)
        self._at(turn + number("latency_seconds"), "account", child)

    def _wait(self, name: str, since: float, until: float) -> None:
        self._outcome.waited[name] += until - since

    def _at(self, when: float, kind: str, child: _Child) -> None:
        self._order += 1
        heapq.heappush(self._events, (when, self._order, kind, child))


# -- tables ----------------------------------------------------------------------------------------

RECOMMENDED = Run()
SCALES = [
    replace(RECOMMENDED, accounts=accounts, concurrency=concurrency)
    for accounts in (100, 1_000, 10_000)
    for concurrency in (50, 200, 1_000)
]
KINDS = [
    replace(RECOMMENDED, empty=empty, throttled=throttled)
    for empty in (0.6, 0.8, 0.95)
    for throttled in (0.0, 0.3)
]
MEMORIES = [replace(RECOMMENDED, memory=memory) for memory in (512, 1_024, 1_769, 3_008)]
BATCHES = [replace(RECOMMENDED, batch=batch) for batch in (1, 5, 10, 20, 40)]


def blocks() -> dict[str, str]:
    """The generated parts of docs/scale.md."""
    return {
        "scale-answer": _answer(),
        "scale-assumptions": _assumptions(),
        "scale-measured": _measured(),
        "scale-accounts": _compared(SCALES, {"Accounts": "accounts", "MaxConcurrency": "concurrency"}),
        "scale-kinds": _compared(KINDS, {"Empty regions": "empty", "Throttled": "throttled"}),
        "scale-memory": _compared(MEMORIES, {"Memory, MB": "memory"}),
        "scale-batch": _batches(),
        "scale-limits": _limits(),
    }


def _answer() -> str:
    run = RECOMMENDED
    paper, found = on_paper(run), simulated(run)
    rows = [
        ["hours", _hours(paper), _hours(found)],
        ["calls", _millions(paper.calls), _millions(found.calls)],
        *([f"USD, {name}", f"{paper.cost[name]:.2f}", f"{usd:.2f}"] for name, usd in found.cost.items()),
        ["USD, in all", f"{paper.usd:.2f}", f"{found.usd:.2f}"],
        ["minutes before, to list the accounts", f"{planning_seconds(run) / 60:.1f}", "–"],
        ["what holds the run up", paper.bound, found.bound],
        ["what holds an account up", paper.within, "the same"],
    ]
    return _table(["", "on paper", "simulated"], rows)


def _assumptions() -> str:
    rows = [
        [name.replace("_", " "), _plain(row["value"]), row["unit"], row["what"], _linked(row["source"]),
         str(row["date"])]
        for name, row in assumptions().items()
    ]  # fmt: skip
    return _table(["", "Figure", "Unit", "Of what", "Source", "Read"], rows)


def _plain(value: float) -> str:
    return f"{value:,}" if value >= 0.01 else f"{value:.10f}".rstrip("0")


def _linked(source: str) -> str:
    address, comma, rest = source.partition(",")
    return f"<{address}>{comma}{rest}" if address.startswith("https://") else source


def _measured() -> str:
    measured = organization_measured.read()
    rows = []
    for check in measured.checks:
        work = Work(check.full, check.empty, throttled=check.throttled, limited=False)
        paper, found = shard_model.on_paper(work), shard_model.simulated(work)
        seconds = [f"{read.seconds + measured.start_cpu:.1f}" for read in (paper, found)]
        counts = [f"{read.calls:,.0f}" for read in (paper, found)]
        rows.append(
            [f"{check.full} full, {check.empty} empty, {check.throttled:.0%} throttled",
             f"{check.calls:,}", *counts, f"{check.wall:.1f}", *seconds]
        )  # fmt: skip
    heads = ["Regions", "Calls", "on paper", "simulated", "Seconds", "on paper", "simulated"]
    sums = [
        f"for the account {sum(measured.account.values())}",
        f"for a full region {sum(measured.full_region.values())}",
        f"for an empty one {sum(measured.empty_region.values())}",
    ]
    told = (
        f"Calls: {', '.join(sums)}. CPU: {measured.start_cpu} s to start, {measured.call_cpu * 1000:.1f} ms "
        f"a call, {measured.judge_cpu} s to judge and write.\n\n"
    )
    return told + _table(heads, rows)


def _compared(runs: list[Run], columns: dict[str, str]) -> str:
    rows = []
    for run in runs:
        paper, found = on_paper(run), simulated(run)
        rows.append(
            [*(_shown(getattr(run, name)) for name in columns.values()),
             f"{found.function_seconds / run.accounts:.1f}", _hours(paper), _hours(found),
             _millions(found.calls), f"{paper.usd:.2f}", f"{found.usd:.2f}", found.bound]
        )  # fmt: skip
    heads = [*columns, "s an account", "Hours, paper", "simulated", "Calls", "USD, paper", "simulated"]
    return _table([*heads, "Held up by"], rows)


def _batches() -> str:
    rows = []
    for run in BATCHES:
        found = simulated(run)
        rows.append(
            [str(run.batch), f"{run.children:,}", f"{found.longest:.0f}", _hours(found), f"{found.usd:.2f}"]
        )
    return _table(["Accounts a child", "Children", "Longest child, s", "Hours", "USD"], rows)


def _limits() -> str:
    """How near the fastest run comes to each limit."""
    run = replace(RECOMMENDED, concurrency=1_000)
    found = simulated(run)
    seconds = found.seconds
    demands = {
        "AssumeRole": (run.accounts / seconds, number("assume_role_rate"), "a second"),
        "Starts of child workflows": (run.children / seconds, number("start_rate"), "a second"),
        "State transitions": (
            run.children * number("transitions") / seconds,
            number("transition_rate"),
            "a second",
        ),
        "PUT requests": (run.accounts / seconds, number("put_rate"), "a second"),
        "Functions": (float(found.at_once), number("lambda_concurrency"), "at once"),
        "Children": (float(found.at_once), number("map_concurrency"), "at once"),
    }
    rows = [
        [name, f"{asked:,.1f} {unit}", f"{most:,.0f}", f"{asked / most:.1%}"]
        for name, (asked, most, unit) in demands.items()
    ]
    return _table(["", "Asked for", "Allowed", "Used"], rows)


def _hours(outcome: Outcome) -> str:
    return f"{outcome.hours:.2f}"


def _millions(calls: float) -> str:
    return f"{calls / 1e6:.2f} M"


def _shown(value: float) -> str:
    return f"{value:.0%}" if isinstance(value, float) else f"{value:,}"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main() -> None:
    for name, text in blocks().items():
        print(f"{name}\n\n{text}")


if __name__ == "__main__":
    main()
