"""`wa-audit org plan`: which accounts and regions a run over an organization reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from wa_audit import flags, wiring


@click.command(epilog=flags.EXIT_CODES)
@flags.planning
@flags.profile
@flags.endpoint_url
@flags.shards_file
@flags.common
def plan(
    listed: Path | None,
    role_name: str,
    external_id: str | None,
    regions: Sequence[str],
    all_regions: bool,
    units: Sequence[str],
    no_units: Sequence[str],
    accounts: Sequence[str],
    no_accounts: Sequence[str],
    tags: Sequence[str],
    profile: str | None,
    endpoint_url: str | None,
    output: Path,
) -> None:
    """Write shards.json: the accounts to audit, their regions, and the role to take on in each.

    Needs organizations:ListRoots, ListOrganizationalUnitsForParent and ListAccountsForParent, and with
    --account-tag ListTagsForResource. Accounts that are not active are left out.
    """
    from wa_audit.aws import times
    from wa_audit.collect import session as sessions
    from wa_audit.files import check_replaceable
    from wa_audit.organization import planning, shards

    wanted = wiring.parse_tags(tags, "--account-tag")
    if wanted and listed:
        raise click.UsageError("--account-tag and --accounts exclude each other: a list has no tags")
    wiring.check_connection(
        {"external_id": None, "regions": regions, "all_regions": all_regions, "endpoint_url": endpoint_url}
    )
    check_replaceable(output)
    choice = planning.Choice(units, no_units, accounts, no_accounts, tuple(sorted(wanted.items())))
    session = sessions.connect(
        profile=profile, region=regions[0] if regions else None, endpoint_url=endpoint_url
    )
    found = planning.plan(
        session,
        regions,
        choice,
        run=times.now().strftime("%Y%m%dT%H%M%SZ"),
        all_regions=all_regions,
        role_name=role_name,
        external_id=external_id or "",
        there=planning.listed(listed) if listed else None,
    )
    shards.write(output, found.shards)
    if found.inactive:
        wiring.say(f"{found.inactive} accounts are not active, and left out")
    number = len(found.shards[0].regions)
    click.echo(f"{len(found.shards)} of {found.there} accounts, {number} regions each; written to {output}")
