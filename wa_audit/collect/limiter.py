"""How many tasks may be under way at once, by region and service.

AWS throttles an account by region and service. A lane starts with the room of its service, halves when AWS
asks it to slow down, at most once in `_CALM` seconds and never below `_LEAST` nor a quarter of its room,
since what is under way is throttled together, and grows back by one after every `_RECOVERY` tasks done. What
finds no room waits in the lane and holds no thread, so that a slow service never starves the others. A
throttled call is made again after `backoff`, a few times; botocore's own retries stand behind that.

Not thread-safe: the scheduler holds its lock around every call.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

_ROOM = 8
# Data planes that take thousands of requests a second, and answer for their settings on the same terms:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
_ROOMY = {"s3": 32, "sqs": 16, "dynamodb": 16}
_LEAST = 3
_CALM = 2.0
_RECOVERY = 5

_FIRST_WAIT, _LONGEST_WAIT, _TRIES = 0.05, 1.0, 12  # seconds; of one call

Task = Callable[[], None]


def backoff(attempts: int) -> float | None:
    """Seconds to wait after the `attempts`-th try, doubled each time, with jitter; None: give up.

    Jitter above a quarter of the wait, after
    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/.
    """
    if attempts >= _TRIES:
        return None
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (attempts - 1))
    return longest * random.uniform(0.25, 1)  # noqa: S311 - to spread calls, not to keep a secret


class Lane:
    """One region's service."""

    def __init__(self, room: int = _ROOM) -> None:
        self._waiting: deque[Task] = deque()
        self._full_room = self._room = room
        self._busy = 0
        self._done = 0
        self._slowed = -_CALM

    def admit(self, task: Task) -> list[Task]:
        """Takes a task in; returns what may start now."""
        self._waiting.append(task)
        return self._startable()

    def release(self) -> list[Task]:
        """A task of this lane has ended; returns what may start in its place."""
        self._busy -= 1
        self._done += 1
        if self._room < self._full_room and self._done >= _RECOVERY:
            self._room += 1
            self._done = 0
        return self._startable()

    def slow_down(self, now: float) -> None:
        """AWS throttled a call of this lane, at a time of a monotonic clock in seconds."""
        if now - self._slowed >= _CALM:
            self._room = max(_LEAST, self._full_room // 4, self._room // 2)
            self._done = 0
            self._slowed = now

    def _startable(self) -> list[Task]:
        tasks = []
        while self._waiting and self._busy < self._room:
            self._busy += 1
            tasks.append(self._waiting.popleft())
        return tasks


class Limiter:
    """The lanes of one run, by region and service."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, str], Lane] = {}

    def lane(self, region: str, service: str) -> Lane:
        if (region, service) not in self._lanes:
            self._lanes[region, service] = Lane(_ROOMY.get(service, _ROOM))
        return self._lanes[region, service]
