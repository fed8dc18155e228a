"""YAML files that users write: read safely, and every complaint names the file and the line."""

from __future__ import annotations

import enum
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from wa_audit.model import ConfigurationError
from wa_audit.text import unknown

_LARGEST = 2_000_000  # bytes; the built-in rulebook is a tenth of it
_MOST_ALIASES = 50
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Struct = TypeVar("_Struct", bound=msgspec.Struct)

# What msgspec and Python call things, and what somebody who writes YAML calls them.
_TYPES = {
    "object": "a mapping",
    "dict": "a mapping",
    "array": "a list",
    "list": "a list",
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}


class Document:
    """A mapping read from a file, which can say at which line a key stands."""

    def __init__(self, path: Path, data: dict[str, Any], node: yaml.Node | None) -> None:
        self.path = path
        self.data = data
        self._node = node

    def error(self, words: str, *keys: str) -> ConfigurationError:
        """An error at the line where the path of keys leads, as far as it leads."""
        return ConfigurationError(f"{self.place(*keys)}: {words}")

    def place(self, *keys: str) -> str:
        """The file, and the line where the path of keys leads, as far as it leads."""
        line = self.line(*keys)
        return f"{self.path}, line {line}" if line else str(self.path)

    def line(self, *keys: str) -> int:
        """The line where the path of keys leads, as far as it leads; 0 where it leads nowhere."""
        line, node = 0, self._node
        for key in keys:
            child = None
            if isinstance(node, yaml.MappingNode):
                for name, value in node.value:
                    if name.value == str(key):
                        line, child = name.start_mark.line + 1, value
            elif isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
                child = node.value[int(key)]
                line = child.start_mark.line + 1
            if child is None:
                break
            node = child
        return line

    def convert(self, raw: Any, type_: type[_Struct], *keys: str) -> _Struct:
        """The value at `keys` as a struct. Raises ConfigurationError where it does not fit."""
        try:
            return msgspec.convert(raw, type_)
        except msgspec.ValidationError as error:
            words, _, where = str(error).partition(" - at ")
            inner = where.rpartition("$")[2].strip("`.").partition("[")[0]
            path = [part for part in inner.split(".") if part]
            words, field = _in_words(words, type_, path)
            named = [f"entry {int(key) + 1}" if key.isdigit() else key for key in keys[1:]]
            label = f"{'.'.join([*named, *path])}: " if named or path else ""
            raise self.error(label + words, *keys, *path, *field) from None


def _in_words(message: str, type_: type[msgspec.Struct], path: list[str]) -> tuple[str, list[str]]:
    """What msgspec says in the words of somebody who writes YAML, and the field that it speaks of."""
    fields = {field.encode_name: field.name for field in msgspec.structs.fields(type_)}
    if found := re.fullmatch(r"Object contains unknown field `(.+)`", message):
        return unknown("field", found[1], fields), [found[1]]
    if found := re.fullmatch(r"Object missing required field `(.+)`", message):
        return f"lacks {found[1]!r}", []
    if found := re.fullmatch(r"Invalid enum value '(.+)'", message):
        hint = typing.get_type_hints(type_).get(fields.get(path[0], "")) if path else None
        return unknown("value", found[1], map(str, _values(hint))), [found[1]]
    words = message[:1].lower() + message[1:]
    return re.sub(r"`(\w+)( \| null)?`", lambda part: _TYPES.get(part[1], part[0]), words), []


def in_words(value: Any) -> str:
    """What a value is, for somebody who writes YAML."""
    return _TYPES.get(type(value).__name__, type(value).__name__)


def _values(hint: Any) -> Iterator[enum.Enum]:
    """The values of whatever enum a type hint speaks of."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        yield from hint
    for part in typing.get_args(hint):
        yield from _values(part)


def read(path: Path, *, of: str = "rules by pillar") -> Document:
    """Reads one YAML mapping; `of` says what it should hold, for the complaint where it is none.

    Raises:
        ConfigurationError: the file is not there, too large, not YAML, not a mapping, or has a key twice.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(raw) > _LARGEST:
        raise ConfigurationError(f"{path}: over {_LARGEST:,} bytes; that is no rule file")
    try:
        text = raw.decode("utf-8")
        if sum(isinstance(e, yaml.AliasEvent) for e in yaml.parse(text, _Loader)) > _MOST_ALIASES:
            raise ConfigurationError(f"{path}: over {_MOST_ALIASES} aliases; write the values out")
        node = yaml.compose(text, _Loader)
        _refuse_twins(path, node)
        data = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}, line {mark.line + 1}" if mark else str(path)
        words = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigurationError(f"{place}: not YAML: {words}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not YAML: {str(error).splitlines()[0]}") from None
    except ValueError as error:
        # The shape of a date or number without being one, such as 2026-13-45.
        raise ConfigurationError(f"{path}: not YAML: {error}") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}, line 1: holds {in_words(data)}, not {of}")
    return Document(path, data, node)


def _refuse_twins(path: Path, node: yaml.Node | None) -> None:
    """YAML lets the last of two equal keys win in silence; here, the first was somebody's intent."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twins(path, item)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if isinstance(key, yaml.ScalarNode):
            if key.value in lines:
                raise ConfigurationError(
                    f"{path}, line {line}: {key.value!r} stands already at line {lines[key.value]}"
                )
            lines[key.value] = line
        _refuse_twins(path, value)
