"""A run shared out among processes, since one takes answers apart on no more than one core.

Whole services go to a process, in all regions, so that their lanes, aids and clients stay together. A helper
is a fork that writes what it reads into a pipe, as the lines of a journal; they are taken for what an earlier
run left. So a helper that is killed costs what a stopped run costs: what it has not read whole is read again.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import IO, NoReturn

from wa_audit.collect.plan import Plan, within

log = logging.getLogger(__name__)

Services = frozenset[str]


def number(most: int, workers: int) -> int:
    """How many processes to read with, at most so many: one where calls are to be made one after the other,
    where the machine has one core, and where a process with threads must not fork."""
    if workers == 1 or not sys.platform.startswith("linux"):
        return 1
    return min(most, len(os.sched_getaffinity(0)))


def parts(plan: Plan, many: int) -> list[Services]:
    """The plan's services in so many parts of about as much work each, as far as anybody knows beforehand:
    types whose every resource takes many calls weigh most.

    The first is who hears of everything, and so reads what is listed only beside another service's.
    """
    weights: Counter[str] = Counter()
    hearing = set()
    for kind, details in plan.values():
        weights[kind.service] += (1 + len(details)) ** 2
        if {plan[type_][0].service for type_ in within(plan, kind)} - {kind.service}:
            hearing.add(kind.service)
    shares: list[set[str]] = [hearing, *(set() for _ in range(many - 1))]
    for service, _ in sorted(weights.items(), key=lambda entry: (-entry[1], entry[0])):
        if service not in hearing:
            min(shares, key=lambda share: sum(weights[taken] for taken in share)).add(service)
    return [frozenset(share) for share in shares if share]


def helpers(shares: Sequence[Services], read: Callable[[Services, IO[bytes]], bool]) -> list[Helper]:
    """A helper for each share; fewer where the machine allows no more processes."""
    found: list[Helper] = []
    if not shares:
        return found
    gc.freeze()  # what is there when they fork stays shared for as long as nobody writes into it
    try:
        for share in shares:
            found.append(Helper(share, read))
    except OSError as error:
        log.warning("no further process to help: %s", error.strerror)
    finally:
        gc.unfreeze()
    return found


class Helper:
    """A fork of this process that reads some services.

    There `read` reads them, writes lines, and says whether it has read all.
    """

    def __init__(self, services: Services, read: Callable[[Services, IO[bytes]], bool]) -> None:
        self.services = services
        self.busy = True
        self.whole = False
        """Whether it has read all that it was to read, once it is no longer `busy`."""
        answers, answering = os.pipe()
        alive, self._living = os.pipe()
        try:
            self._process = _fork()
        except OSError:
            for end in (answers, answering, alive, self._living):
                os.close(end)
            raise
        if not self._process:
            os.close(answers)
            os.close(self._living)
            _help(services, read, answering, alive)
        os.close(answering)
        os.close(alive)
        self._answers = os.fdopen(answers, "rb")

    def listen(self, take: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """Hands on each line that the helper writes, from a thread of its own, and says when it has ended."""
        threading.Thread(target=self._listen, args=(take, ended), daemon=True).start()

    def _listen(self, take: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        kept = False
        try:
            with self._answers as lines:
                for line in lines:
                    if line.endswith(b"\n"):  # what it was killed in the midst of is no line
                        take(line)
            kept = True
        except Exception:
            log.exception("what a helping process has read could not be kept")
        _, status = os.waitpid(self._process, 0)
        self.whole = kept and status == 0
        self.busy = False
        ended()

    def stop(self) -> None:
        """Has the helper end, if it has not: it lives as long as this end of its pipe is held."""
        if self._living >= 0:
            os.close(self._living)
            self._living = -1


def _fork() -> int:
    with warnings.catch_warnings():
        # From Python 3.12 on it warns where there are threads, whose locks nobody would ever let go of. No
        # other thread holds what a helper uses: one may be reading models, and one show progress.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _help(
    services: Services, read: Callable[[Services, IO[bytes]], bool], answering: int, alive: int
) -> NoReturn:
    """What a helper does, from its first breath to its last."""
    whole = False
    try:
        # Ctrl-C goes to the whole group, and is the parent's to answer.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        threading.Thread(target=_live_while, args=(alive,), daemon=True).start()
        with os.fdopen(answering, "wb", buffering=0) as lines:
            whole = read(services, lines)
    except Exception:
        log.exception("a helping process broke")
    finally:
        os._exit(0 if whole else 1)


def _live_while(alive: int) -> None:
    """Ends the process when nobody holds the other end of the pipe any more."""
    os.read(alive, 1)
    os._exit(1)
