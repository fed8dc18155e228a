"""`wa-audit org`: the accounts of an organization, planned, audited and put together."""

from __future__ import annotations

import click

from wa_audit import flags
from wa_audit.commands import Commands

COMMANDS = {name: f"wa_audit.commands.org.{name}" for name in ("merge", "plan", "scan")}


@click.group(cls=Commands, modules=COMMANDS, epilog=flags.ORGANIZATION_EXIT_CODES)
@flags.common
def org() -> None:
    """Audit the accounts of an organization, each by itself."""
