"""The configuration: wa-audit.toml, or `[tool.wa-audit]` in pyproject.toml.

    [options]                     # defaults of the command line's flags, by their names
    fail-on = "high"
    [rules.sqs-dlq-retention]         # as in an overlay
    params = {least_days = 5}
    [scoring]                     # as in an overlay
    least_coverage = 80
    [answers."SEC10-BP01"]        # what only a person can say
    answer = "yes"

A flag goes before an environment variable, that before the configuration, and that before the default. Paths
in it start at its folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from wa_audit.model import ConfigurationError
from wa_audit.text import unknown

if TYPE_CHECKING:
    from wa_audit.tomlfile import Document

FILE = "wa-audit.toml"
PYPROJECT = "pyproject.toml"
TABLE = ("tool", "wa-audit")
SECTIONS = ("options", "rules", "scoring", "answers")


class Option(Protocol):
    """What a configuration must know of a flag."""

    def read(self, value: Any, folder: Path) -> Any:
        """A value of a file, whose paths start at `folder`. Raises ValueError, in words, where it is none."""


class Config(NamedTuple):
    """What a configuration says. `options` are values of flags by the flags' names."""

    document: Document | None = None
    options: Mapping[str, Any] = {}

    def place(self, *keys: str) -> str:
        """The file and line where the value at this path of keys stands."""
        assert self.document is not None
        return self.document.place(*keys)


def find(folder: Path) -> Document | None:
    """The configuration that holds for a folder: its own, or that of the nearest folder above.

    Raises:
        ConfigurationError: the nearest one cannot be read, or belongs to somebody else.
    """
    for above in (folder, *_parents(folder)):
        for name, table in ((FILE, ()), (PYPROJECT, TABLE)):
            path = above / name
            if (found := _read(path, *table)) is not None:
                _refuse_strangers(path)
                return found
    return None


def _parents(folder: Path) -> Sequence[Path]:
    try:
        return folder.resolve().parents
    except OSError:
        return ()  # the folder is gone, and whoever writes into it will say so


def _read(path: Path, *table: str) -> Document | None:
    try:
        if not path.is_file() or (table and b"wa-audit" not in path.read_bytes()):
            return None  # what does not speak of us need not be TOML
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error.strerror}; go on without it with --no-config"
        ) from None
    from wa_audit import tomlfile

    return tomlfile.read(path, *table)


def _refuse_strangers(path: Path) -> None:
    """Checks that a configuration names are run: nobody else may place it above us."""
    if hasattr(os, "getuid") and path.stat().st_uid not in (0, os.getuid()):
        raise ConfigurationError(
            f"{path}: belongs to another user; use it with --config, or go on without it with --no-config"
        )


def named(path: Path) -> Document:
    """The configuration in a file that was named; a pyproject.toml holds it under [tool.wa-audit].

    Raises:
        ConfigurationError: it cannot be read, or the pyproject.toml has none.
    """
    from wa_audit import tomlfile

    found = tomlfile.read(path, *(TABLE if path.name == PYPROJECT else ()))
    if found is None:
        raise ConfigurationError(f"{path}: holds no [{'.'.join(TABLE)}]")
    return found


def of(document: Document, options: Mapping[str, Option]) -> Config:
    """What a document says, its options checked against those that there are.

    Raises:
        ConfigurationError: a section or an option is unknown, or a value does not fit; names file and line.
    """
    for key in document.data:
        if key not in SECTIONS:
            raise document.error(unknown("section", key, SECTIONS), key)
    given = document.data.get("options", {})
    if not isinstance(given, dict):
        raise document.error("options holds values by the names of flags", "options")
    read = {}
    for key, value in given.items():
        if key not in options:
            raise document.error(unknown("option", key, options), "options", key)
        try:
            read[key] = options[key].read(value, document.path.parent)
        except ValueError as error:
            raise document.error(f"{key} {error}", "options", key) from None
    return Config(document, read)
