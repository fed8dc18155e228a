"""One module a command, each with a function of the command's name; cli.py mounts them by name.

A command's module imports click and `flags`; whatever is heavy is imported as the command runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Commands(click.Group):
    """Imports a command's module when it is called, or when all are listed; `modules` are named by it."""

    def __init__(self, *arguments: Any, modules: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._modules = modules

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(self._modules)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self._modules:
            return None
        found = getattr(import_module(self._modules[name]), name.replace("-", "_"))
        assert isinstance(found, click.Command)
        return found
