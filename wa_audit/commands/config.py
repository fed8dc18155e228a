"""`wa-audit config`: what is in force, and where it comes from."""

from __future__ import annotations

from typing import Any

import click

from wa_audit import flags


@click.command(params=list(flags.SETTINGS.values()), epilog=flags.EXIT_CODES)
@flags.as_json
@flags.common
@click.pass_context
def config(context: click.Context, /, as_json: bool, **options: Any) -> None:
    """Print what is in force, and where each value comes from: default, configuration, environment or flag.

    What it prints is a configuration that says the same.
    """
    from wa_audit import questions, rulebook, settings

    found = flags.configuration(context)
    book = rulebook.load(
        overlays=options["rules"],
        folders=options["checks"],
        plugins=options["plugin"],
        configuration=found.document,
    )
    values = settings.in_force(context, found, book, questions.read(found.document))
    click.echo(settings.as_json(values) if as_json else settings.as_text(values))
