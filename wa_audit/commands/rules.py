"""`wa-audit rules`: the rulebook, listed and explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wa_audit import flags, wiring

if TYPE_CHECKING:
    from wa_audit.rulebook import Rulebook


@click.group("rules", invoke_without_command=True)
@flags.rulebook
@flags.as_json
@flags.common
@click.pass_context
def rules(
    context: click.Context,
    /,
    as_json: bool,
    **options: Any,
) -> None:
    """List the rulebook, or explain one rule of it."""
    from wa_audit.report import rules as listing

    context.obj = wiring.load_rulebook(options)
    if context.invoked_subcommand is None:
        click.echo(listing.as_json(context.obj) if as_json else listing.as_table(context.obj))


@rules.command("show")
@click.argument("rule", shell_complete=flags.complete_rules)
@click.pass_obj
def show_rule(book: Rulebook, rule: str) -> None:
    """Explain one rule: why, how it judges, what it reads, the fix, the best practices."""
    from wa_audit.report import rules as listing

    click.echo(listing.explain(book[rule]))
