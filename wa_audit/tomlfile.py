"""TOML files that users write: every complaint names the file and the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wa_audit import yamlfile
from wa_audit.model import ConfigurationError

_LARGEST = 1_000_000  # bytes
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Document(yamlfile.Document):
    """A table read from a file; `root` is the path of keys at which it stands there."""

    def __init__(self, path: Path, text: str, data: dict[str, Any], root: tuple[str, ...] = ()) -> None:
        super().__init__(path, data, None)
        self._text = text
        self._root = root
        self._lines: dict[tuple[str, ...], int] | None = None

    def line(self, *keys: str) -> int:
        if self._lines is None:
            self._lines = _lines(self._text)
        whole = (*self._root, *map(str, keys))
        known = (whole[:length] for length in range(len(whole), 0, -1))
        return next((self._lines[path] for path in known if path in self._lines), 0)


def read(path: Path, *root: str) -> Document | None:
    """The table at the keys `root`, the whole file without them; None where there is no such table.

    Raises:
        ConfigurationError: the file cannot be read, is too large, or is not TOML.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(raw) > _LARGEST:
        raise ConfigurationError(f"{path}: over {_LARGEST:,} bytes; that is no configuration")
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        data: Any = tomllib.loads(text)
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text") from None
    except RecursionError:
        raise ConfigurationError(f"{path}: not TOML: nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        place = _AT.search(str(error))
        line = place and (place[1] or str(text.count("\n") + 1))
        where = f"{path}, line {line}" if line else str(path)
        raise ConfigurationError(f"{where}: not TOML: {_AT.sub('', str(error))}") from None
    document = Document(path, text, {}, root)
    for depth, key in enumerate(root):
        if key not in data:
            return None
        data = data[key]
        if not isinstance(data, dict):
            keys = ".".join(root[: depth + 1])
            raise document.error(f"{keys} holds {yamlfile.in_words(data)}, not a table")
    document.data = data
    return document


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """The line at which each key begins.

    tomllib does not say; but each statement of a file that parses parses alone too, and no part of one does.
    """
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    begun, statement = 1, ""
    for number, line in enumerate(text.split("\n"), start=1):
        statement += line + "\n"
        try:
            plain = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        paths = list(_paths(plain))
        if statement.lstrip().startswith("["):
            table = max(paths, key=len)
            found.setdefault(table, begun)
        else:
            for path in paths:
                found.setdefault((*table, *path), begun)
        begun, statement = number + 1, ""
    return found


def _paths(table: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        yield (key,)
        if isinstance(value, dict):
            for path in _paths(value):
                yield (key, *path)
