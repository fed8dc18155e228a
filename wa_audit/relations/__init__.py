"""Which resource delivers to, triggers, runs as, encrypts with, or gives up to which.

| relation | from | to |
| --- | --- | --- |
| `triggers` | what calls, or makes known that data has come | what is called |
| `starts` | a state machine, a service | what it runs |
| `delivers-to`, `writes-to`, `backs-up-to`, `replicates-to` | what sends | where to |
| `reads-from` | what reads | where from |
| `lies-in` | a table of the catalog | the bucket that holds it |
| `transforms-with` | a stream or pipe | the function that changes what goes through |
| `uses` | code that names something | what it names; to read or to write, nobody can see |
| `dead-letters-to` | what gives up | what takes it |
| `scratches-in`, `logs-to`, `runs-code-from` | what works | the bucket or log group that serves it |
| `runs-as`, `encrypts-with`, `secured-by`, `placed-in` | what works | role, key, configuration, subnet |
| `reaches-through` | a function in a VPC | the VPC's endpoints |
| `may-read`, `may-write` | a role | what its policies name in full; wildcards are no relation |
| `backs-up`, `governs`, `builds`, `watches` | backup, lake, stack, alarm | what it is about |
| `notifies`, `told-of` | alarm; rule | action; what it tells the failures of |

`FLOWS` names those along which data moves. A relation is kept whether or not its target was found: what is
dangling, or lies outside, is part of the picture. A field that could not be read makes the relation unknown
for whatever it may have pointed at, rather than absent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from wa_audit.inventory import Blind, Inventory
from wa_audit.model import Gap, Relation, Resource, Unread
from wa_audit.relations import convert
from wa_audit.relations.rows import FLOWS, ROWS, Row

__all__ = ["FLOWS", "ROWS", "Row", "relate"]


def relate(inventory: Inventory) -> Inventory:
    """The same inventory with its relations indexed; itself, where they are already."""
    if inventory.is_related:
        return inventory
    relations: set[Relation] = set()
    blind: dict[str, set[Blind]] = defaultdict(set)
    for row in ROWS:
        services = convert.services(row)
        own = "" if row.source else row.type
        unlisted = [gap for type_ in (row.type, *row.needs) for gap in inventory.list_gaps(type_)]
        blind[row.kind].update(Blind(gap, own, services) for gap in unlisted)
        for resource in inventory.known(row.type):
            try:
                relations.update(_relations(row, resource, inventory))
            except Unread as unread:
                arn = "" if row.source else resource.arn
                blind[row.kind].add(Blind(unread.gap, own, services, arn))
    resolved = _resolve_aliases(relations, inventory)
    for kind in {relation.kind for relation in resolved if ":alias/" in relation.target}:
        # Which key an alias stands for is not known, so that any key may be meant.
        blind[kind].update(Blind(gap, "", ("kms",)) for gap in inventory.list_gaps("AWS::KMS::Alias"))
    return inventory.with_relations(resolved, {kind: sorted(found, key=str) for kind, found in blind.items()})


def _relations(row: Row, resource: Resource, inventory: Inventory) -> Iterator[Relation]:
    sources = list(_values(row.source, resource, inventory)) if row.source else [resource.arn]
    if not sources:
        return
    shown = row.source if row.target == "@" else row.target
    field = shown.partition("|")[0]
    for target in _values(row.target, resource, inventory):
        for source in sources:
            yield Relation(source, row.kind, target, resource.arn, field)


@cache
def _steps(path: str) -> tuple[str, tuple[tuple[str, bool], ...], str]:
    """A path's first field, the steps from it (a name, and whether each item of a list), the conversion."""
    path, _, conversion = path.partition("|")
    first, *rest = path.split(".")
    steps = [("", True)] if first.endswith("[]") else []
    steps += [(step.removesuffix("[]"), step.endswith("[]")) for step in rest]
    return first.removesuffix("[]"), tuple(steps), conversion or "arn"


def _values(path: str, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """The ARNs that a path leads to.

    Raises:
        Unread: the field could not be read.
    """
    if path == "@":
        yield resource.arn
        return
    field, steps, conversion = _steps(path)
    value = resource if field == "@" else resource[field]
    if value is None:
        return
    found = [value]
    for name, every in steps:
        if name:
            found = [item[name] for item in found if isinstance(item, dict) and item.get(name) is not None]
        if every:
            found = [item for value in found if isinstance(value, list) for item in value]
    turn = convert.CONVERSIONS[conversion]
    for value in found:
        yield from turn(value, resource, inventory)


def _resolve_aliases(relations: set[Relation], inventory: Inventory) -> set[Relation]:
    """A key that is named by an alias is the key that the alias stands for."""
    keys: dict[str, str] = {}
    for alias in inventory.known("AWS::KMS::Alias"):
        target = alias.data.get("TargetKeyId")
        if target:
            keys[alias.arn] = alias.arn.rpartition(":")[0] + f":key/{target}"
    if not keys:
        return relations
    return {
        Relation(r.source, r.kind, keys[r.target], r.via, r.field) if r.target in keys else r
        for r in relations
    }


def gaps(inventory: Inventory, kinds: frozenset[str]) -> list[Gap]:
    """What could not be read that could have declared a relation of these kinds."""
    found = {blind.gap for kind in kinds for blind in inventory.blind(kind)}
    return sorted(found, key=lambda gap: (gap.type, gap.region, gap.operation, gap.arn))
