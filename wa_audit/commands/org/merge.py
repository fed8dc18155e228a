"""`wa-audit org merge`: what the objects of one run come to."""

from __future__ import annotations

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.ORGANIZATION_EXIT_CODES)
@click.argument("place", metavar="DIR|s3://BUCKET/PREFIX")
@flags.run
@flags.planned
@flags.profile
@flags.endpoint_url
@flags.common
def merge(
    place: str, run: str | None, planned: str | None, profile: str | None, endpoint_url: str | None
) -> None:
    """Put together what the accounts of a run come to, as 'wa-audit org scan' left them.

    Writes organizations/RUN/organization.json in the same place, and organization.html, a page of it: one
    score over all findings, by pillar, unit, account, pipeline and rule, worst first, and which accounts were
    not audited, and why. What lies beside the accounts' objects is named, and never counted.
    """
    from wa_audit import assembly, stores

    store = stores.at(place, profile=profile, endpoint_url=endpoint_url)
    named = assembly.planned(planned, profile=profile, endpoint_url=endpoint_url) if planned else ()
    whole = assembly.assemble(store, run, named, planned or "")
    data, page = assembly.write(store, whole)
    score = "none could be given" if whole.overall.score is None else f"{whole.overall.score:g}"
    click.echo(
        f"Score {score}, of {whole.audited} accounts audited out of {whole.planned}; "
        f"{store.place}/{data} and {page.rpartition('/')[2]}"
    )
    for other in whole.passed_over:
        wiring.say(f"{store.place}/{other}: is no account's object, and was not counted")
    if (
        whole.passed_over
        or whole.audited < whole.planned
        or any(account.partial for account in whole.accounts)
    ):
        click.get_current_context().exit(4)
