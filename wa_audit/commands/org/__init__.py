"""`wa-audit org`: the accounts of an organization, planned, audited and put together."""

from __future__ import annotations

from importlib import import_module

import click

from wa_audit import flags

COMMANDS = ("merge", "plan", "scan")


class _Commands(click.Group):
    """Imports a command's module when it is called, or when all are listed."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        found = getattr(import_module(f"wa_audit.commands.org.{name}"), name)
        assert isinstance(found, click.Command)
        return found


@click.group(cls=_Commands, epilog=flags.ORGANIZATION_EXIT_CODES)
@flags.common
def org() -> None:
    """Audit the accounts of an organization, each by itself."""
