"""`wa-audit doctor`: whether an audit can run."""

from __future__ import annotations

import sys
from typing import Any

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.DOCTOR_EXIT_CODES)
@flags.connection
@flags.asked
@flags.rulebook
@flags.as_json
@flags.common
def doctor(no_progress: bool, as_json: bool, **options: Any) -> None:
    """See whether an audit can run: credentials, clock, regions, permissions, versions, data.

    Each list that the selected rules need is asked for one page, and each detail of one resource, where there
    is one: in the first region, and where the global services answer.
    """
    from wa_audit.collect import doctor as doctors
    from wa_audit.collect.session import connect
    from wa_audit.console import progress, wanted

    book = wiring.load_rulebook(options)
    plan = wiring.affordable(wiring.make_plan(book, tags=True), options)
    wiring.check_connection(options)
    named, everywhere = options.pop("regions"), options.pop("all_regions")
    with progress(wanted(no_progress, sys.stderr)) as on_wait:
        checks = doctors.examine(
            plan,
            connect=lambda: connect(region=named[0] if named else None, **options),
            regions=named,
            all_regions=everywhere,
            workers=options["workers"],
            on_wait=on_wait,
        )
    click.echo(doctors.as_json(checks) if as_json else doctors.as_text(checks))
    if code := doctors.exit_code(checks):
        raise click.exceptions.Exit(code)
