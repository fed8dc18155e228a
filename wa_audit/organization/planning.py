"""Which accounts a run reads: those of the organization, or of a list, as far as they were asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wa_audit.collect.organizations import Member
from wa_audit.model import ConfigurationError
from wa_audit.organization.shards import Shard

if TYPE_CHECKING:
    from wa_audit.collect.session import AwsSession


class Choice(NamedTuple):
    """What narrows the accounts down: units by path or id, accounts by id, and tags that all must match."""

    units: Sequence[str] = ()
    no_units: Sequence[str] = ()
    accounts: Sequence[str] = ()
    no_accounts: Sequence[str] = ()
    tags: tuple[tuple[str, str], ...] = ()

    def of(self, members: Iterable[Member]) -> list[Member]:
        """The members that are chosen.

        Raises:
            ConfigurationError: a unit or an account was named that is not there: a slip of the pen must not
                leave accounts out, or let them in; or nothing is left.
        """
        there = list(members)
        for flag, names in (("--include-unit", self.units), ("--exclude-unit", self.no_units)):
            for name in names:
                if not any(_stands_in(member, name) for member in there):
                    raise ConfigurationError(f"{flag}: no account stands in {name!r}")
        for flag, names in (("--account", self.accounts), ("--exclude-account", self.no_accounts)):
            for name in names:
                if not any(member.account == name for member in there):
                    raise ConfigurationError(f"{flag}: there is no account {name!r}")
        found = [member for member in there if self._wants(member)]
        if not found:
            raise ConfigurationError(f"of {len(there)} accounts none is left to audit")
        return found

    def _wants(self, member: Member) -> bool:
        return (
            (not self.units or any(_stands_in(member, name) for name in self.units))
            and not any(_stands_in(member, name) for name in self.no_units)
            and (not self.accounts or member.account in self.accounts)
            and member.account not in self.no_accounts
            and all(member.tags.get(key) == value for key, value in self.tags)
        )


def _stands_in(member: Member, unit: str) -> bool:
    path = unit.strip("/")
    return unit in member.units or f"{member.unit}/".startswith(f"{path}/")


def shards(
    members: Iterable[Member],
    *,
    run: str,
    regions: Sequence[str],
    partition: str,
    own: str,
    role_name: str,
    external_id: str,
) -> list[Shard]:
    """A shard each. The account `own`, of which the credentials are, is entered without a role."""
    return [
        Shard(
            run=run,
            account=member.account,
            name=member.name,
            unit=member.unit,
            regions=tuple(sorted(set(regions))),
            role_arn=""
            if member.account == own
            else f"arn:{partition}:iam::{member.account}:role/{role_name}",
            external_id="" if member.account == own else external_id,
        )
        for member in members
    ]


class Planned(NamedTuple):
    """The shards of a run, of how many accounts there are, how many of which are not active."""

    shards: list[Shard]
    there: int
    inactive: int


def plan(
    session: AwsSession,
    regions: Sequence[str],
    choice: Choice,
    *,
    run: str,
    all_regions: bool,
    role_name: str,
    external_id: str,
    there: Sequence[Member] | None = None,
) -> Planned:
    """The shards of the accounts that are chosen and active. `there` are all accounts; without it, AWS
    Organizations is asked. `all_regions` are those that need no opt-in.

    Raises:
        ConfigurationError: a region, a unit or an account is not there, nothing is left to audit, or AWS
            refused to say which accounts there are.
        CredentialsError: AWS does not accept the credentials.
    """
    from wa_audit.collect import organizations
    from wa_audit.collect import session as sessions

    named = sessions.chosen_regions(session, regions, all_regions=False)
    first = named[0]
    own = session.identity(first).account
    read = session.enabled_regions(first, for_all=True) if all_regions else named
    if there is None:
        there = organizations.members(session, session.main_region([first]), tags=bool(choice.tags))
    active = [member for member in there if member.active]
    found = shards(
        choice.of(active),
        run=run,
        regions=read,
        partition=session.partition(first),
        own=own,
        role_name=role_name,
        external_id=external_id,
    )
    return Planned(found, len(there), len(there) - len(active))


def listed(path: Path) -> list[Member]:
    """The accounts of a list: a line each, `ID` or `ID,NAME,UNIT`; `#` begins a comment.

    Raises:
        ConfigurationError: it cannot be read, or a line is none; names the line.
    """
    import csv

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is no text in UTF-8") from None
    found: dict[str, Member] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = [part.strip() for part in next(csv.reader([line]))]
        if len(parts) > 3 or not re.fullmatch(r"\d{12}", parts[0], re.ASCII):
            raise ConfigurationError(
                f"{path}:{number}: {line!r} is not ID or ID,NAME,UNIT, an ID being 12 digits"
            )
        if parts[0] in found:
            raise ConfigurationError(f"{path}:{number}: account {parts[0]} stands there twice")
        account, name, unit = (*parts, "", "")[:3]
        found[account] = Member(account, name, unit.strip("/"), (), active=True, tags={})
    if not found:
        raise ConfigurationError(f"{path}: names no account")
    return sorted(found.values())
