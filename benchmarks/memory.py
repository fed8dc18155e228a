"""How much memory a process took at most, in MiB, and what it started beside it."""

from __future__ import annotations

import re
import resource
import sys
import threading
from pathlib import Path

# Linux counts in KiB, macOS in bytes.
_UNIT = 2**20 if sys.platform == "darwin" else 2**10
_EVERY = 0.05  # seconds
_OWN = re.compile(r"^Private_(?:Clean|Dirty): +(\d+) kB", re.MULTILINE)


def mebibytes(usage: resource.struct_rusage) -> float:
    """Of what `os.wait4` or `getrusage` says of a process."""
    return usage.ru_maxrss / _UNIT


def peak() -> float:
    """Of this process, so far."""
    return mebibytes(resource.getrusage(resource.RUSAGE_SELF))


class Children:
    """What the children of a process take at most that is theirs alone, looked at every now and then, where
    Linux tells: `mebibytes` of a process counts what it shares with them, and nothing else of theirs."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._most = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def most(self) -> float:
        """In MiB, of all together. Ends the watching."""
        self._over.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._over.wait(_EVERY):
            self._most = max(self._most, sum(map(_own, children(self._process))))


def children(process: int) -> list[int]:
    """The processes that one has started, and that have not ended; none where that is not Linux."""
    tasks = Path(f"/proc/{process}").glob("task/*/children")
    return [int(child) for task in tasks for child in _text(task).split()]


def _own(process: int) -> float:
    return sum(map(int, _OWN.findall(_text(Path(f"/proc/{process}/smaps_rollup"))))) / 2**10


def _text(file: Path) -> str:
    """What stands in a file of /proc; nothing where its process has ended."""
    try:
        return file.read_text()
    except OSError:
        return ""
