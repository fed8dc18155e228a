"""What has been read so far, on disk as it comes, so that a run that was stopped can be taken up again.

A unit is one list with the description of everything on it. The journal is JSON Lines: a heading that says
what was asked for, resources and gaps as they are finished, and a line for every unit that is done. A last
line that a kill cut off is dropped; the unit that it belonged to is read again.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import msgspec

from wa_audit.model import ConfigurationError, Gap, OutputError, Resource

Key = tuple[str, str, str]
"""A unit: the resource type, the region it is listed in, and the ARN of the parent it is listed for."""


class Heading(msgspec.Struct, kw_only=True, frozen=True):
    """What a run was asked for: only the same question can be taken up again."""

    account: str
    regions: tuple[str, ...]
    operations: str
    started: str
    metrics_days: int = 0

    @staticmethod
    def digest(operations: Iterable[str]) -> str:
        return hashlib.sha256("\n".join(sorted(operations)).encode()).hexdigest()[:16]


class Done(msgspec.Struct, frozen=True):
    """A unit that has been read whole, and what its list has cost."""

    unit: Key
    calls: int = 0
    throttles: int = 0
    gone: int = 0


class Measured(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What became of one resource's metrics: what was read, and why the rest was not."""

    metrics: dict[str, dict[str, int | float]] | None = None
    gaps: tuple[Gap, ...] = ()


class Line(msgspec.Struct, omit_defaults=True):
    heading: Heading | None = None
    resource: Resource | None = None
    calls: int = 0
    throttles: int = 0
    gap: Gap | None = None
    done: Done | None = None
    measured: dict[str, Measured] = {}


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


class Journal:
    """An open journal, in which any thread may write; without a path it is kept nowhere.

    `resources`, `gaps`, `done` and `measured` hold what an earlier run left, and what it has cost.
    """

    def __init__(self, heading: Heading) -> None:
        self.heading = heading
        self.resources: dict[str, Resource] = {}
        self.gaps: list[Gap] = []
        self.done: dict[Key, Done] = {}
        self.measured: dict[str, Measured] = {}
        self.calls = 0
        self.throttles = 0
        self._file: IO[bytes] | None = None
        self._path: Path | None = None
        # To write gives other threads the interpreter: nobody else is to wait for that.
        self._writing = threading.Lock()

    @classmethod
    def begin(cls, path: Path, heading: Heading) -> Journal:
        """A new journal at `path`, readable by its owner alone; an old one there is given up."""
        journal = cls(heading)
        journal._path = path
        try:
            path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            journal._file = os.fdopen(descriptor, "ab", buffering=0)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
        journal._write(Line(heading=heading))
        return journal

    @classmethod
    def resume(cls, path: Path, heading: Heading) -> Journal:
        """The journal at `path`, taken up again.

        Raises:
            ConfigurationError: there is none, it is none, or it was begun with another question.
        """
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{path}: nothing to resume: {error.strerror or error}; run without --resume"
            ) from None
        lines = raw[: raw.rfind(b"\n") + 1].splitlines()
        journal = cls._parse(path, lines)
        asked = msgspec.structs.replace(heading, started=journal.heading.started)
        if journal.heading != asked:
            raise ConfigurationError(
                f"{path}: was begun for another account, other regions, other rules or another span "
                "of metrics; run without --resume"
            )
        journal._reopen(path)
        return journal

    @classmethod
    def _parse(cls, path: Path, lines: list[bytes]) -> Journal:
        journal: Journal | None = None
        for number, raw in enumerate(lines, start=1):
            try:
                line = _decode(raw)
            except msgspec.DecodeError as error:
                raise ConfigurationError(f"{path}, line {number}: {error}; run without --resume") from None
            if journal is None:
                if line.heading is None:
                    break
                journal = cls(line.heading)
            else:
                journal._hold(line)
        if journal is None:
            raise ConfigurationError(f"{path}, line 1: not the journal of a run; run without --resume")
        return journal

    def _reopen(self, path: Path) -> None:
        """Goes on writing, after what was written whole."""
        self._path = path
        try:
            with path.open("rb+") as file:
                file.truncate(file.read().rfind(b"\n") + 1)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None

    def continue_on(self, lines: IO[bytes]) -> None:
        """Goes on writing elsewhere: a helper's journal goes to the process that it helps."""
        self._file, self._path = lines, None

    def take(self, written: bytes) -> Line:
        """Writes down what a helper has written, and holds it as what an earlier run left."""
        line = _decode(written)
        self._hold(line)
        self._append(written)
        return line

    def _hold(self, line: Line) -> None:
        if line.resource is not None:
            self.resources[line.resource.arn] = line.resource
            self.calls += line.calls
            self.throttles += line.throttles
        elif line.gap is not None:
            self.gaps.append(line.gap)
        elif line.done is not None:
            self.done[line.done.unit] = line.done
            self.measured.update(line.measured)

    def add_resource(self, resource: Resource, calls: int, throttles: int) -> None:
        """Writes down a finished resource and what describing it has cost."""
        self._write(Line(resource=resource, calls=calls, throttles=throttles))

    def add_gap(self, gap: Gap) -> None:
        """Writes down a gap."""
        self._write(Line(gap=gap))

    def add_done(self, done: Done, measured: dict[str, Measured]) -> None:
        """Writes down that a unit is done, in one line with the metrics, by ARN, that it was about."""
        self._write(Line(done=done, measured=measured))

    def _write(self, line: Line) -> None:
        if self._file is not None:
            self._append(_encode(line) + b"\n")

    def _append(self, written: bytes) -> None:
        if self._file is not None:
            try:
                with self._writing:
                    while written:  # a file that is full, or a pipe, may take a part
                        written = written[self._file.write(written) :]
            except OSError as error:
                raise OutputError(f"{self._path}: cannot be written: {error.strerror or error}") from None

    def end(self) -> None:
        """The run is whole: the journal is no longer needed."""
        if self._file is not None and self._path is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)
