"""Versioned JSON documents, read into their structs with one line for whatever is wrong with them.

A document may have one list with a line for every element, as audit.json has its findings. Such a list is
read line by line: a million findings as text, as plain objects and as structs at once take three times the
memory of the structs alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from wa_audit.memory import never_collected
from wa_audit.model import ConfigurationError

_CHUNK = 2**20

_Document = TypeVar("_Document", bound=msgspec.Struct)


class Kind(NamedTuple):
    """What a document says of itself, and who writes it: `an audit; 'wa-audit scan' writes audit.json`."""

    format: str
    version: str
    words: str


class Lines(NamedTuple):
    """The list that has a line for every element; of `shared` fields, equal values become one object."""

    name: str
    element: type[msgspec.Struct]
    shared: tuple[str, ...]


class _Head(msgspec.Struct):
    format: Any = None
    version: Any = None


def read(path: Path, type_: type[_Document], kind: Kind, lines: Lines) -> _Document:
    """Reads a document.

    Raises:
        ConfigurationError: the file is not there, cut off, of another kind, or of a newer version.
    """
    try:
        with never_collected():
            return _read(path, type_, kind, lines)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not JSON, or cut off ({error}); run the audit again") from None


def _read(path: Path, type_: type[_Document], kind: Kind, lines: Lines) -> _Document:
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        if found := _by_lines(path, lines.name, _Elements(lines)):
            raw, elements = found
            return msgspec.structs.replace(_typed(path, raw, type_, kind), **{lines.name: elements})
    # Laid out by others, or damaged: as a whole, which says where.
    return _typed(path, path.read_bytes(), type_, kind)


def _typed(path: Path, raw: bytes | bytearray, type_: type[_Document], kind: Kind) -> _Document:
    try:
        head = msgspec.json.decode(raw, type=_Head)
    except msgspec.ValidationError:
        head = _Head()
    if head.format != kind.format:
        raise ConfigurationError(f"{path}: not {kind.words}")
    version = str(head.version)
    if version.partition(".")[0] != kind.version.partition(".")[0]:
        raise ConfigurationError(
            f"{path}: audit version {version}, this program reads {kind.version}; "
            "use the wa-audit that wrote it"
        )
    return msgspec.json.decode(raw, type=type_)


def schema(type_: type[msgspec.Struct], title: str) -> bytes:
    """The JSON Schema of a document."""
    made = msgspec.json.schema(type_)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = title
    return msgspec.json.format(msgspec.json.encode(made, order="sorted"), indent=2) + b"\n"


class _Elements:
    """Makes elements of their lines."""

    def __init__(self, lines: Lines) -> None:
        self._decode = msgspec.json.Decoder(lines.element).decode
        self._shared = lines.shared
        self._values: dict[str | bytes, Any] = {}

    def __call__(self, line: bytes) -> Any:
        made = self._decode(line)
        for name in self._shared:
            value = getattr(made, name)
            key = value if isinstance(value, str) else msgspec.json.encode(value)
            msgspec.structs.force_setattr(made, name, self._values.setdefault(key, value))
        return made


def _by_lines(path: Path, name: str, element: Callable[[bytes], Any]) -> tuple[bytearray, list[Any]] | None:
    """The document with its list `name` empty, and the list's elements; None where it is not laid out so."""
    opening, endings = f' "{name}": [\n'.encode(), (b" ]\n", b" ],\n")
    rest = bytearray()
    found: list[Any] = []
    with path.open("rb") as file:
        for line in file:
            rest += line
            if line == opening:
                break
        for line in file:
            if line in endings:
                # `"findings": [` and ` ],` are a list again, and an empty one.
                rest += line
                break
            found.append(element(line.strip().removesuffix(b",")))
        if not found:
            return None
        while chunk := file.read(_CHUNK):
            rest += chunk
    return rest, found
