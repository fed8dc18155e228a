"""How long one function reads one account: on paper, and simulated call by call.

Both know the same: how many calls an account takes (measured), how long AWS takes to answer, how much CPU a
call costs, how many calls are under way at once, at which rate AWS allows each operation in each region
(api_rates.tsv), and which share of the calls it refuses. On paper it is a formula, which takes all waits to
overlap; simulated, every call waits for a thread, for room in its lane, for its turn at the published rate
and for the CPU, which one interpreter has once, and is made again after a wait where it was refused.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from benchmarks import organization_measured
from wa_audit.collect import limiter, pacer


@dataclass(frozen=True)
class Work:
    """An account: so many full and empty regions; and how it is read.

    vcpu:      the CPU of the function, 1 being one of this machine's.
    throttled: the share of calls that AWS refuses.
    limited:   whether the published rates hold; the loopback that the model is held against has none.
    """

    full: int
    empty: int
    vcpu: float = 1.0
    throttled: float = 0.0
    latency: float = 0.05
    workers: int = 16
    limited: bool = True

    @property
    def regions(self) -> int:
        return self.full + self.empty


@dataclass(frozen=True)
class Read:
    """What the reading came to: seconds from the first call to the last answer, and calls, refused ones
    included. `bound` is what it waited for: `answers`, `CPU` or the operation whose rate was reached."""

    seconds: float
    calls: float
    bound: str = ""


def calls(work: Work) -> Iterator[tuple[str, str, int]]:
    """Region, `service:Operation`, and how often; what is asked of the whole account, in its first region."""
    measured = organization_measured.read()
    for number in range(work.regions):
        asked = Counter(measured.full_region if number < work.full else measured.empty_region)
        if not number:
            asked.update(measured.account)
        for operation, times in sorted(asked.items()):
            yield f"region-{number}", operation, times


def cpu_beside(work: Work) -> float:
    """Seconds of CPU time beside the calls, start-up and reports, at the function's share of it."""
    measured = organization_measured.read()
    return (measured.start_cpu + measured.judge_cpu) / work.vcpu


# -- on paper --------------------------------------------------------------------------------------


def on_paper(work: Work) -> Read:
    """The longest of three: answers awaited by all threads together, one interpreter's work, and the
    slowest operation at its rate.

    A call that is refused with the probability p is made 1 / (1 - p) times. It is awaited without a thread,
    but its lane is narrow then: the account's own calls are S3's, in one lane.
    """
    tries = 1 / (1 - work.throttled)
    asked = list(calls(work))
    number = sum(times for *_, times in asked)
    call_cpu = organization_measured.read().call_cpu / work.vcpu
    lanes: Counter[tuple[str, str]] = Counter()
    rates: Counter[tuple[str, str]] = Counter()
    for region, operation, times in asked:
        lanes[region, _service(operation)] += times
        shared, rate = _allowance(work, operation)
        if rate:
            rates[region, shared] += times
    held = work.latency + call_cpu
    narrow = [times * tries * held / room(lane[1], work.throttled) for lane, times in lanes.items()]
    bounds = {
        "CPU": number * tries * call_cpu,
        "answers": max(number * tries * held / work.workers, *narrow),
    }
    for (_, shared), times in rates.items():
        rate = pacer.allowance(shared)[1]
        bounds[shared] = max(bounds.get(shared, 0.0), (times * tries - rate) / rate)
    bound = max(bounds, key=lambda name: bounds[name])
    return Read(bounds[bound] + _last_waits(number, work.throttled), number * tries, bound)


def _last_waits(number: int, throttled: float) -> float:
    """Of so many calls some are refused again and again; while the last of them waits, half of the time
    nothing else is left to do."""
    if not throttled:
        return 0.0
    deepest = min(int(math.log(number) / -math.log(throttled)), limiter._TRIES - 1)
    return sum(_longest(tries) * 0.625 for tries in range(1, deepest + 1)) / 2


def _longest(tries: int) -> float:
    """The wait before the next try, as `limiter.backoff` has it before it takes 25 to 100 % of it."""
    return min(limiter._LONGEST_WAIT, limiter._FIRST_WAIT * 2.0 ** (tries - 1))


def _allowance(work: Work, operation: str) -> tuple[str, float]:
    return pacer.allowance(operation) if work.limited else ("", 0.0)


def room(service: str, throttled: float) -> int:
    """How many calls of a service are under way at once in a region: lanes that AWS throttles again and again
    are as narrow as they become."""
    full = limiter._ROOMY.get(service, limiter._ROOM)
    return max(limiter._LEAST, full // 4) if throttled else full


def _service(operation: str) -> str:
    return operation.partition(":")[0]


# -- simulated -------------------------------------------------------------------------------------


@cache
def simulated(work: Work, seed: int = 1) -> Read:
    """Every call of it."""
    return _Simulation(work, seed).run()


class _Simulation:
    def __init__(self, work: Work, seed: int) -> None:
        self._work = work
        self._random = random.Random(seed)
        self._call_cpu = organization_measured.read().call_cpu / work.vcpu
        self._events: list[tuple[float, int, str, _Call]] = []
        self._order = 0
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self._turns: deque[_Lane] = deque()  # lanes with calls that wait, in turn
        self._allowed: dict[tuple[str, str], float] = {}
        self._threads = work.workers
        self._cpu_free = 0.0
        self._made = 0

    def run(self) -> Read:
        for region, operation, times in calls(self._work):
            lane = self._lane(region, _service(operation))
            lane.waiting.extend(_Call(lane, region, operation) for _ in range(times))
        self._turns.extend(self._lanes.values())
        now = last = 0.0
        self._start(now)
        while self._events:
            now, _, kind, call = heapq.heappop(self._events)
            if kind == "answer":
                last = now
                self._threads += 1
                call.lane.busy -= 1
                if self._random.random() < self._work.throttled and call.tries < limiter._TRIES - 1:
                    again = replace(call, tries=call.tries + 1, allowed=False)
                    wait = _longest(again.tries) * self._random.uniform(0.25, 1)
                    self._push(now + wait, "again", again)
            else:
                call.lane.waiting.appendleft(call)
            if call.lane.waiting and not call.lane.listed:
                call.lane.listed = True
                self._turns.append(call.lane)
            self._start(now)
        return Read(last, self._made)

    def _lane(self, region: str, service: str) -> _Lane:
        key = (region, service)
        if key not in self._lanes:
            self._lanes[key] = _Lane(room(service, self._work.throttled))
        return self._lanes[key]

    def _start(self, now: float) -> None:
        """Gives every thread that is free a call, lane by lane."""
        passed = 0
        while self._threads and passed < len(self._turns):
            lane = self._turns.popleft()
            if not lane.waiting:
                lane.listed = False
                continue
            self._turns.append(lane)
            if lane.busy >= lane.room:
                passed += 1
                continue
            call = lane.waiting.popleft()
            turn = self._turn(call, now)
            if turn > now:
                self._push(turn, "again", call)
                continue
            passed = 0
            self._make(call, now)

    def _turn(self, call: _Call, now: float) -> float:
        """When AWS allows the call; its turn is taken. A second's worth may come at once."""
        shared, rate = _allowance(self._work, call.operation)
        if not rate or call.allowed:
            return now
        call.allowed = True
        key = (call.region, shared)
        turn = max(now - 1, self._allowed.get(key, now - 1)) + 1 / rate
        self._allowed[key] = turn
        return max(now, turn)

    def _make(self, call: _Call, now: float) -> None:
        self._made += 1
        self._threads -= 1
        call.lane.busy += 1
        self._cpu_free = max(now, self._cpu_free) + self._call_cpu
        self._push(self._cpu_free + self._work.latency, "answer", call)

    def _push(self, when: float, kind: str, call: _Call) -> None:
        self._order += 1
        heapq.heappush(self._events, (when, self._order, kind, call))


class _Lane:
    def __init__(self, most: int) -> None:
        self.room = most
        self.busy = 0
        self.waiting: deque[_Call] = deque()
        self.listed = True


@dataclass(eq=False)
class _Call:
    lane: _Lane
    region: str
    operation: str
    tries: int = 0
    allowed: bool = False
