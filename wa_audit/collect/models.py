"""botocore's models: of each service what was asked for, read at once and kept small.

A client takes 6 ms to make, half of it for its service's model, of which a plan needs a few operations. How
botocore is made to read them by this is in fast.py.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from botocore import exceptions, loaders

_NONE = msgspec.UNSET


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    """What a service's model holds; operations and shapes are texts that have yet to be read."""

    metadata: dict[str, Any]
    operations: dict[str, msgspec.Raw]
    shapes: dict[str, msgspec.Raw]
    version: str | msgspec.UnsetType = _NONE
    context: dict[str, Any] | msgspec.UnsetType = msgspec.field(default=_NONE, name="clientContextParams")
    # What is left out.
    documentation: msgspec.Raw | msgspec.UnsetType = _NONE
    examples: msgspec.Raw | msgspec.UnsetType = _NONE
    deprecated: msgspec.Raw | msgspec.UnsetType = _NONE
    deprecated_message: msgspec.Raw | msgspec.UnsetType = msgspec.field(
        default=_NONE, name="deprecatedMessage"
    )


_SHAPE = re.compile(rb'"shape"\s*:\s*"(\w+)"')
# What botocore itself may ask of a service in the course of another call: where a bucket is, and a session
# for a bucket of S3 Express.
_OF_BOTOCORE = {"s3": frozenset({"CreateSession", "HeadBucket"})}


class Loader(loaders.Loader):  # type: ignore[misc]
    """Looks into each folder of models once. Botocore asks the disk some fifty times for a client; whoever
    asks lets another thread have the interpreter, and waits for it."""

    def list_available_services(self, type_name: str) -> list[str]:
        """The folders of all services; whether there is a model of the type shows when it is opened."""
        return _services(tuple(self.search_paths))

    def list_api_versions(self, service_name: str, type_name: str) -> list[str]:
        versions = {
            version
            for folder in (Path(path, service_name) for path in self.search_paths)
            for version in _entries(folder)
            if self.file_loader.exists(str(folder / version / type_name))
        }
        if not versions:
            raise exceptions.DataNotFoundError(data_path=service_name)
        return sorted(versions)

    def _potential_locations(
        self, name: str | None = None, must_exist: bool = False, is_dir: bool = False
    ) -> Iterator[str]:
        if name is None or must_exist:
            yield from super()._potential_locations(name, must_exist, is_dir)
        else:
            yield from (str(Path(path, name)) for path in self.search_paths if _folders(Path(path)))

    def read_ahead(self, service: str) -> None:
        """Reads what it will take to make a client of a service and to page its lists."""
        with suppress(exceptions.DataNotFoundError):
            version = self.determine_latest_version(service, "service-2")
            for path in self.search_paths:
                for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
                    self.file_loader.read_ahead(Path(path, service, version, kind))


@cache
def _services(paths: tuple[str, ...]) -> list[str]:
    return sorted({*chain.from_iterable(_folders(Path(path)) for path in paths)})


@cache
def _folders(folder: Path) -> frozenset[str]:
    return frozenset(name for name in _entries(folder) if (folder / name).is_dir())


@cache
def _entries(folder: Path) -> frozenset[str]:
    """What a folder holds; nothing where it is none."""
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        return frozenset()


_FORMS: Mapping[str, Callable[[bytes], bytes]] = {".json": bytes, ".json.gz": gzip.decompress}


class Models(loaders.JSONFileLoader):  # type: ignore[misc]
    """Reads a model into plain dicts, which keep their order as well and take half the memory; of a service
    whose operations were named, these with their shapes, and no documentation."""

    def __init__(self, operations: Mapping[str, Collection[str]]) -> None:
        self._operations = operations
        self._read: dict[Path, bytes] = {}

    def exists(self, file_path: str) -> bool:
        return next(_files(Path(file_path)), None) is not None

    def read_ahead(self, path: Path) -> None:
        """Reads a file, if there is one, and keeps it until it is loaded."""
        for file in _files(path):
            self._read[file] = file.read_bytes()

    def load_file(self, file_path: str) -> Any:
        path = Path(file_path)
        for file in _files(path):
            read = self._read.pop(file, None)
            plain = _FORMS[file.name.removeprefix(path.name)]
            return self._decoded(path, plain(file.read_bytes() if read is None else read))
        return None

    def _decoded(self, path: Path, text: bytes) -> Any:
        service = path.parent.parent.name
        if path.name == "service-2" and service in self._operations:
            wanted = {*self._operations[service], *_OF_BOTOCORE.get(service, ())}
            with suppress(msgspec.DecodeError):  # a model of another form stays whole
                return _cut_down(msgspec.json.decode(text, type=_Model), wanted)
        return msgspec.json.decode(text)


def _files(path: Path) -> Iterator[Path]:
    """The files of a model, for the path without its ending."""
    return (path.with_name(path.name + form) for form in _FORMS if path.name + form in _entries(path.parent))


def _cut_down(model: _Model, wanted: Collection[str]) -> dict[str, Any]:
    """A service's model with no more than the operations that are wanted, and the shapes that they lead to.

    Nothing else of it is ever made into objects: EC2's takes 4 MB as text, and many times that as dicts.
    """
    operations = {name: raw for name, raw in model.operations.items() if name in wanted}
    found: set[str] = set()
    waiting = [name for raw in operations.values() for name in _shapes_of(raw)]
    while waiting:
        name = waiting.pop()
        if name not in found and name in model.shapes:
            found.add(name)
            waiting += _shapes_of(model.shapes[name])
    kept = {"version": model.version, "clientContextParams": model.context}
    return {
        "metadata": model.metadata,
        "operations": _objects(operations),
        "shapes": _objects({name: raw for name, raw in model.shapes.items() if name in found}),
        **{name: value for name, value in kept.items() if value is not _NONE},
    }


def _objects(parts: Mapping[str, msgspec.Raw]) -> Any:
    """Parts of a model as objects, all in one go."""
    text = b",".join(b'"%b":%b' % (name.encode(), bytes(raw)) for name, raw in parts.items())
    return _without_documentation(msgspec.json.decode(b"{" + text + b"}"))


def _without_documentation(value: Any) -> Any:
    """Without the texts that explain it; a member that is called so is no text."""
    if isinstance(value, dict):
        return {
            name: _without_documentation(child)
            for name, child in value.items()
            if name != "documentation" or not isinstance(child, str)
        }
    return [*map(_without_documentation, value)] if isinstance(value, list) else value


def _shapes_of(raw: msgspec.Raw) -> list[str]:
    """The names of the shapes that a part of a model refers to. Within a text its quotes would be escaped."""
    return [name.decode() for name in _SHAPE.findall(bytes(raw))]
