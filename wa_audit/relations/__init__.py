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
| `runs-as`, `encrypts-with`, `secured-by` | what works | role, key, configuration |
| `placed-in`, `guarded-by` | what works in a network | subnet, security group |
| `authenticates-with` | what logs in somewhere, or lets in | the secret that it does so with |
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
from typing import Any, NamedTuple

from wa_audit.inventory import Blind, Inventory
from wa_audit.model import Gap, Relation, Resource, Unread
from wa_audit.relations import convert
from wa_audit.relations.rows import FLOWS, ROWS, Row

__all__ = ["FLOWS", "ROWS", "Row", "relate"]


def relate(inventory: Inventory) -> Inventory:
    """The same inventory with its relations indexed; itself, where they are already."""
    if inventory.is_related:
        return inventory
    relations: list[Relation] = []
    blind: dict[str, set[Blind]] = defaultdict(set)
    for type_, rows in _BY_TYPE.items():
        for row in rows:
            unlisted = [gap for needed in (type_, *row.needs) for gap in inventory.list_gaps(needed)]
            blind[row.kind].update(_blind(row, gap) for gap in unlisted)
        # What a row has worked out of a resource's policies, the next finds while it is still kept.
        for resource in inventory.known(type_):
            for row in rows:
                try:
                    _declare(row, resource, inventory, relations)
                except Unread as unread:
                    blind[row.kind].add(_blind(row, unread.gap, "" if row.source else resource.arn))
    resolved = _resolve_aliases(relations, inventory)
    for kind in {relation.kind for relation in resolved if ":alias/" in relation.target}:
        # Which key an alias stands for is not known, so that any key may be meant.
        blind[kind].update(Blind(gap, "", ("kms",)) for gap in inventory.list_gaps("AWS::KMS::Alias"))
    return inventory.with_relations(resolved, {kind: sorted(found, key=str) for kind, found in blind.items()})


_BY_TYPE: dict[str, list[Row]] = {}
for _row in ROWS:
    _BY_TYPE.setdefault(_row.type, []).append(_row)


def _blind(row: Row, gap: Gap, arn: str = "") -> Blind:
    return Blind(gap, "" if row.source else row.type, convert.services(row), arn)


def _declare(row: Row, resource: Resource, inventory: Inventory, relations: list[Relation]) -> None:
    """Adds what a row declares of one resource.

    Raises:
        Unread: a field could not be read; what was certain before has been added.
    """
    path, source_path = _path(row.target), _path(row.source)
    if row.source:
        sources = list(_arns(source_path, _start(source_path, resource), resource, inventory))
        field = source_path.shown if row.target == "@" else path.shown
    else:
        sources, field = [resource.arn], path.shown
    if not sources or (start := _start(path, resource)) is None:
        return
    for target in _arns(path, start, resource, inventory):
        known = inventory.get(target)  # an ARN that was built is the one that the resource has
        end = known.arn if known else target
        for source in sources:
            relations.append(Relation(source, row.kind, end, resource.arn, field))


class _Path(NamedTuple):
    """A row's path taken apart: its first field, the steps from there (a name, and whether each item of a
    list), the conversion; and the whole as it is shown."""

    field: str
    steps: tuple[tuple[str, bool], ...]
    turn: convert.Conversion
    shown: str


@cache
def _path(path: str) -> _Path:
    shown, _, conversion = path.partition("|")
    first, *rest = shown.split(".")
    steps = [("", True)] if first.endswith("[]") else []
    steps += [(step.removesuffix("[]"), step.endswith("[]")) for step in rest]
    turn = _itself if path == "@" else convert.CONVERSIONS[conversion or "arn"]
    return _Path(first.removesuffix("[]"), tuple(steps), turn, shown)


def _itself(value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    yield resource.arn


def _start(path: _Path, resource: Resource) -> Any:
    """What stands in a path's first field.

    Raises:
        Unread: the field could not be read.
    """
    return resource if path.field == "@" else resource[path.field]


def _arns(path: _Path, value: Any, resource: Resource, inventory: Inventory) -> Iterator[str]:
    """The ARNs that a path leads to from what stands in its first field; none where nothing does."""
    if value is None:
        return
    found = [value]
    for name, every in path.steps:
        if name:
            found = [item[name] for item in found if isinstance(item, dict) and item.get(name) is not None]
        if every:
            found = [item for items in found if isinstance(items, list) for item in items]
    for item in found:
        yield from path.turn(item, resource, inventory)


def _resolve_aliases(relations: list[Relation], inventory: Inventory) -> list[Relation]:
    """A key that is named by an alias is the key that the alias stands for."""
    keys: dict[str, str] = {}
    for alias in inventory.known("AWS::KMS::Alias"):
        target = alias.data.get("TargetKeyId")
        if target:
            keys[alias.arn] = alias.arn.rpartition(":")[0] + f":key/{target}"
    if not keys:
        return relations
    return [
        Relation(r.source, r.kind, keys[r.target], r.via, r.field) if r.target in keys else r
        for r in relations
    ]


def gaps(inventory: Inventory, kinds: frozenset[str]) -> list[Gap]:
    """What could not be read that could have declared a relation of these kinds."""
    found = {blind.gap for kind in kinds for blind in inventory.blind(kind)}
    return sorted(found, key=lambda gap: (gap.type, gap.region, gap.operation, gap.arn))
