"""YAML files that users write: read safely, and every complaint names the file and the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from wa_audit.model import ConfigurationError

_LARGEST = 2_000_000  # bytes; the built-in rulebook is a tenth of it
_MOST_ALIASES = 50
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Struct = TypeVar("_Struct")


class Document:
    """A mapping read from a file, which can say at which line a key stands."""

    def __init__(self, path: Path, data: dict[str, Any], node: yaml.Node | None) -> None:
        self.path = path
        self.data = data
        self._node = node

    def error(self, words: str, *keys: str) -> ConfigurationError:
        """An error at the line where the path of keys leads, as far as it leads."""
        line, node = 0, self._node
        for key in keys:
            child = None
            if isinstance(node, yaml.MappingNode):
                for name, value in node.value:
                    if name.value == str(key):
                        line, child = name.start_mark.line + 1, value
            if child is None:
                break
            node = child
        place = f"{self.path}, line {line}" if line else str(self.path)
        return ConfigurationError(f"{place}: {words}")

    def convert(self, raw: Any, type_: type[_Struct], *keys: str) -> _Struct:
        """The value at `keys` as a struct. Raises ConfigurationError where it does not fit."""
        try:
            return msgspec.convert(raw, type_)
        except msgspec.ValidationError as error:
            words, _, where = str(error).partition(" - at `$")
            path = [part for part in where.rstrip("`").strip(".").split(".") if part]
            label = f"{'.'.join([*keys[1:], *path])}: " if keys[1:] or path else ""
            raise self.error(f"{label}{words[:1].lower()}{words[1:]}", *keys, *path) from None


def read(path: Path) -> Document:
    """Reads one YAML mapping.

    Raises:
        ConfigurationError: the file is not there, too large, not YAML, or not a mapping.
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
        data = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise ConfigurationError(f"{place}: not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not YAML: {str(error).splitlines()[0]}") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}, line 1: holds a {type(data).__name__}, not rules by pillar")
    return Document(path, data, node)
