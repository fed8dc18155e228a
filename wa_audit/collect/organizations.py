"""The accounts of an organization, with the units that they stand in: what `wa-audit org plan` asks.

AWS answers the management account and delegated administrators alone. No audit calls any of it.
https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from wa_audit.collect import reader
from wa_audit.collect.guard import ORGANIZATION_OPERATIONS
from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.session import AwsSession
from wa_audit.model import ConfigurationError, CredentialsError, Reason

_ROOTS = Call(operation="ListRoots", take="Roots[].{Id: Id, Name: Name}")
_UNITS = Call(
    operation="ListOrganizationalUnitsForParent",
    args={"ParentId": "ParentId"},
    take="OrganizationalUnits[].{Id: Id, Name: Name}",
)
_ACCOUNTS = Call(
    operation="ListAccountsForParent",
    args={"ParentId": "ParentId"},
    take="Accounts[].{Id: Id, Name: Name, Status: Status, State: State}",
)
_TAGS = Call(
    operation="ListTagsForResource", args={"ResourceId": "ResourceId"}, take="Tags[].{Key: Key, Value: Value}"
)
_KIND = Kind("AWS::Organizations::Account", service="organizations", list=_ACCOUNTS, arn="")


class Member(NamedTuple):
    """An account. `unit` is its place by names, `Root/Data/Production`, and `units` are the ids of the root
    and the units on the way; `active` is false of one that is suspended, or about to be closed."""

    account: str
    name: str
    unit: str
    units: tuple[str, ...]
    active: bool
    tags: dict[str, str]


def members(session: AwsSession, region: str, *, tags: bool) -> list[Member]:
    """Every account of the organization, sorted by id; with their tags where they are asked for.

    Raises:
        ConfigurationError: a call was refused, or failed: part of an organization is none.
        CredentialsError: there are no usable credentials.
    """
    session.guard.allow(ORGANIZATION_OPERATIONS)
    reading = _Reading(session.client("organizations", region), region)
    found = [
        member._replace(tags=reading.tags(member.account)) if tags else member
        for root in reading.ask(_ROOTS)
        for member in reading.below(root["Id"], root["Name"], (root["Id"],))
    ]
    return sorted(found)


class _Reading(NamedTuple):
    client: Any
    region: str

    def below(self, parent: str, path: str, ids: tuple[str, ...]) -> Iterator[Member]:
        for found in self.ask(_ACCOUNTS, ParentId=parent):
            # AWS retires Status in favour of State, and an emulator may know either.
            active = (found.get("State") or found.get("Status")) == "ACTIVE"
            yield Member(found["Id"], found.get("Name") or "", path, ids, active, {})
        for unit in self.ask(_UNITS, ParentId=parent):
            yield from self.below(unit["Id"], f"{path}/{unit['Name']}", (*ids, unit["Id"]))

    def tags(self, account: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.ask(_TAGS, ResourceId=account)}

    def ask(self, call: Call, **arguments: str) -> list[dict[str, Any]]:
        try:
            return [item for page in reader.taken_pages(self.client, call, arguments) for item in page]
        except Exception as error:
            gap = reader.gap(_KIND, call, error, region=self.region, arn="", fields=())
            if gap.reason is Reason.EXPIRED_CREDENTIALS:
                raise CredentialsError(f"no usable AWS credentials: {gap.sentence}") from None
            raise ConfigurationError(
                f"the organization: {gap.sentence}; it is told to its management account and to delegated "
                "administrators; or name the accounts with --accounts"
            ) from None
