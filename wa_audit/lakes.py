"""What Lake Formation lets whom see of a catalog: of the grants in it, and of the catalog itself.

Lake Formation answers with what the caller may see, and says nothing of the rest: only its administrators,
and read-only administrators, see all.
https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from wa_audit.aws import arns, tables
from wa_audit.inventory import Inventory
from wa_audit.model import Resource

EVERYBODY = "IAM_ALLOWED_PRINCIPALS"
"""Whoever IAM lets in: while it holds a grant, Lake Formation's other grants on the thing mean nothing."""

_SETTINGS = "AWS::LakeFormation::DataLakeSettings"
_ALL_TABLES = "*"


def administrators(inventory: Inventory, region: str) -> list[str]:
    """The principals that see a Region's whole lake, read-only administrators among them.

    Raises:
        Unread: the Region's settings could not be read.
    """

    def make() -> list[str]:
        return [
            str(row.get("DataLakePrincipalIdentifier"))
            for settings in inventory.of(_SETTINGS, region=region)
            for field in ("DataLakeAdmins", "ReadOnlyAdmins")
            for row in settings[field] or ()
        ]

    found: list[str] = inventory.derived(f"administrators of {region}'s lake", make)
    return found


def is_seen_whole(inventory: Inventory, region: str) -> bool:
    """Whether the audit ran as one of a Region's administrators. Raises as `administrators` does."""
    own = _principal(inventory.run.identity)
    if not own:
        return False
    named = administrators(inventory, region)
    all_: set[str] = inventory.derived(f"who sees {region}'s lake whole", lambda: set(map(_principal, named)))
    return own in all_


def may_hide(inventory: Inventory, region: str) -> bool:
    """Whether a Region's lake is administered, and not by whom the audit ran as: it may then show less than
    there is. Raises as `administrators` does."""
    return bool(administrators(inventory, region)) and not is_seen_whole(inventory, region)


def has_tables(inventory: Inventory, region: str) -> bool:
    """Whether a table of a Region's Data Catalog lies in S3. Raises Unread where tables could not be read."""

    def look() -> bool:
        found = inventory.of("AWS::Glue::Table", region=region)
        return any(tables.lies_in_s3(table["StorageDescriptor"]) for table in found)

    there: bool = inventory.derived(f"tables of {region}'s lake", look)
    return there


def hidden_tables(inventory: Inventory, region: str) -> str:
    """Why there may be tables over a Region's data that nobody saw; empty where there cannot be.

    Raises:
        Unread: databases, grants or settings could not be read.
    """
    reason: str = inventory.derived(f"hidden tables in {region}", lambda: _hidden(inventory, region))
    return reason


def _hidden(inventory: Inventory, region: str) -> str:
    own = inventory.run.account
    for database in inventory.of("AWS::Glue::Database", region=region):
        if (database["TargetDatabase"] or {}).get("CatalogId") not in (None, own):
            return "databases of other accounts are linked here"
    for grant in inventory.of("AWS::LakeFormation::Permissions", region=region):
        principal = str((grant["Principal"] or {}).get("DataLakePrincipalIdentifier"))
        account = principal if principal.isdigit() else arns.parse(principal).account
        if account not in ("", own):
            return "Lake Formation shares data with other accounts"
    if may_hide(inventory, region):
        return "Lake Formation shows every table to its administrators alone"
    return ""


def open_to_everybody(entry: Resource, inventory: Inventory) -> list[str]:
    """What IAM_ALLOWED_PRINCIPALS may do with a database or table of the Data Catalog; of Super, `ALL`.

    As far as the audit was shown, see `is_seen_whole`.

    Raises:
        Unread: the grants could not be read.
    """
    region = entry.region
    found: Mapping[tuple[str, str, str], set[str]] = inventory.derived(
        f"grants to everybody in {region}", lambda: _to_everybody(inventory, region)
    )
    names = [_name(entry)]
    if entry.type == "AWS::Glue::Table":
        names.append((entry["DatabaseName"], _ALL_TABLES))
    return sorted({one for name in names for one in found.get((entry.region, *name), ())})


def is_hybrid(entry: Resource, inventory: Inventory) -> bool:
    """Whether a database or table is in hybrid access mode: it lies at a location that is registered for it,
    and somebody has opted in. Everybody else comes through IAM then, and is meant to.

    https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode.html

    Raises:
        Unread: locations, who has opted in, or tables could not be read.
    """
    region, (database, table) = entry.region, _name(entry)
    opted: Mapping[str, set[str]] = inventory.derived(
        f"who opted in, in {region}", lambda: _opted_in(inventory, region)
    )
    within = opted.get(database, set())
    if not (within & {"", table, _ALL_TABLES} if table else within):
        return False
    registered: frozenset[str] = inventory.derived(
        f"hybrid locations in {region}", lambda: _hybrid_locations(inventory, region)
    )
    return any(not registered.isdisjoint(_above(place)) for place in _places(entry, inventory))


def _opted_in(inventory: Inventory, region: str) -> Mapping[str, set[str]]:
    """By database, the tables for which somebody has opted in."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in inventory.of("AWS::LakeFormation::OptIn", region=region):
        for database, table in _names(row["Resource"]):
            found[database].add(table)
    return found


def _hybrid_locations(inventory: Inventory, region: str) -> frozenset[str]:
    return frozenset(
        place
        for row in inventory.of("AWS::LakeFormation::Resource", region=region)
        if row["HybridAccessEnabled"] and (place := _folder(row["ResourceArn"]))
    )


def _above(place: str) -> Iterator[str]:
    """A folder, and every folder that it lies in, up to its bucket."""
    return (place[: end + 1] for end, letter in enumerate(place) if letter == "/")


def _places(entry: Resource, inventory: Inventory) -> Iterator[str]:
    """The folders in S3 that a table's data lies in, or a database's and its tables'."""
    tables = [entry]
    if entry.type == "AWS::Glue::Database":
        yield from filter(None, [_folder(entry["LocationUri"])])
        region = entry.region
        within: Mapping[str, list[Resource]] = inventory.derived(
            f"tables by database in {region}", lambda: _tables(inventory, region)
        )
        tables = within.get(entry.name, [])
    for table in tables:
        yield from filter(None, [_folder((table["StorageDescriptor"] or {}).get("Location"))])


def _tables(inventory: Inventory, region: str) -> Mapping[str, list[Resource]]:
    found: dict[str, list[Resource]] = defaultdict(list)
    for table in inventory.of("AWS::Glue::Table", region=region):
        found[table["DatabaseName"]].append(table)
    return found


def _folder(place: object) -> str:
    """`bucket/prefix/` of an S3 URI or ARN, so that one folder is not taken for another that begins alike."""
    location = arns.s3_location(place)
    return f"{location.bucket}/{location.prefix}".rstrip("/*") + "/" if location else ""


def _to_everybody(inventory: Inventory, region: str) -> Mapping[tuple[str, str, str], set[str]]:
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for grant in inventory.of("AWS::LakeFormation::Permissions", region=region):
        if (grant["Principal"] or {}).get("DataLakePrincipalIdentifier") == EVERYBODY:
            for name in _names(grant["Resource"], inventory.run.account):
                found[grant.region, *name] |= set(grant["Permissions"] or ())
    return found


def _names(resource: Mapping[str, Any] | None, own: str = "") -> Iterator[tuple[str, str]]:
    """The database and table that a grant is on; the table is empty where it is on the database itself."""
    for form, row in (resource or {}).items():
        if own and row.get("CatalogId") not in (None, own):
            continue
        if form == "Database":
            yield row["Name"], ""
        elif form in ("Table", "TableWithColumns"):
            yield row["DatabaseName"], row.get("Name") or _ALL_TABLES


def _name(entry: Resource) -> tuple[str, str]:
    if entry.type == "AWS::Glue::Table":
        return entry["DatabaseName"], entry.name
    return entry.name, ""


def _principal(arn: str) -> str:
    """A principal by account and name: of a role's session, the role, whose path the session leaves out."""
    parsed = arns.parse(arn)
    kind, _, rest = parsed.resource.partition("/")
    if kind == "assumed-role":
        return f"{parsed.account} role {rest.split('/')[0]}"
    return f"{parsed.account} {kind} {parsed.name}" if parsed.account else ""
