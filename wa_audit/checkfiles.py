"""Folders of checks: the built-in one, a user's own, an installed package's, all loaded alike.

A folder is mounted under a name of its own, so that nothing else called `checks` on the path is taken for
it, and nobody imports checks by name.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from wa_audit.model import ConfigurationError, Pillar, Verdict
from wa_audit.text import unknown

ENTRY_POINTS = "wa_audit.checks"

Found = dict[tuple[Pillar, str], tuple[Callable[..., Verdict], str]]
"""Checks by pillar and name, each with its theme."""


def functions(folder: Path, mount: str, digest: Any) -> Found:
    """Every check under `folder/<pillar>/<theme>.py`.

    The folder is mounted as the package `mount`; `digest` is fed with every file's bytes.

    Raises:
        ConfigurationError: the folder is not there, a file does not import, or a check stands twice.
    """
    found: Found = {}
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: no such folder of checks")
    _mount(mount, folder)
    for pillar in Pillar:
        package = pillar.replace("-", "_")
        for path in sorted((folder / package).glob("*.py")):
            if path.stem == "__init__":
                continue
            _mount(f"{mount}.{package}", folder / package)
            digest.update(path.read_bytes())
            module = _import(path, f"{mount}.{package}.{path.stem}")
            for name, value in vars(module).items():
                if getattr(value, "resource_types", None) and value.__module__ == module.__name__:
                    if twin := found.get((pillar, name)):
                        raise ConfigurationError(f"{place(value)}: check {name} is also at {place(twin[0])}")
                    found[pillar, name] = (value, path.stem)
    return found


def place(function: Callable[..., Verdict]) -> str:
    """The file and line of a check."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}, line {code.co_firstlineno}"


def _mount(name: str, folder: Path) -> None:
    """A package of this name whose files lie in `folder`, whatever else is called `checks` on the path."""
    if name not in sys.modules or list(sys.modules[name].__path__) != [str(folder)]:
        module = ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module


def _import(path: Path, name: str) -> ModuleType:
    present = sys.modules.get(name)
    if present is not None and present.__file__ == str(path):
        return present
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        line = error.lineno if isinstance(error, SyntaxError) else _line_in(path, error)
        where = f"{path}, line {line}" if line else str(path)
        words = error.msg if isinstance(error, SyntaxError) else error
        raise ConfigurationError(f"{where}: does not import: {type(error).__name__}: {words}") from None
    return module


def _line_in(path: Path, error: BaseException) -> int | None:
    """The line of `path` at which the error arose."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def plugin_folder(name: str) -> Path:
    """The folder of an installed package of checks, by the name of its entry point.

    Raises:
        ConfigurationError: there is none of this name, or it does not import.
    """
    from importlib.metadata import entry_points

    points = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name not in points:
        raise ConfigurationError(unknown("plugin", name, sorted(points)))
    try:
        module = points[name].load()
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"plugin {name!r} does not import: {type(error).__name__}: {error}"
        ) from None
    folders = getattr(module, "__path__", None)
    if not folders:
        raise ConfigurationError(
            f"plugin {name!r}: its entry point {points[name].value!r} is no package with a rules.yaml"
        )
    return Path(folders[0])
