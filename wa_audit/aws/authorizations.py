"""AWS's Service Authorization Reference: the access level of each action, and the types that it acts on.

Two dated tables hold it, data/iam_actions.tsv and data/iam_resource_types.tsv, which name their source. An
action or a service that they do not hold is not known, and nothing is concluded from its absence.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from wa_audit.aws.framework import lines


class ResourceType(NamedTuple):
    """A type of a service's resources. `arn` has a `*` for whatever differs from one to the next."""

    name: str
    arn: str


class Action(NamedTuple):
    """`level` is List, Read, Write, Tagging or Permissions management, in AWS's words.

    Of its types a request always names those in `required`; without any types the action can be given on
    all resources alone.
    """

    name: str
    level: str
    types: tuple[ResourceType, ...]
    required: frozenset[str]


def action(name: str) -> Action | None:
    """What is known of an action, `s3:PutObject`, or None. Case is ignored."""
    service, _, own = name.lower().partition(":")
    return actions(service).get(own)


@cache
def actions(service: str) -> Mapping[str, Action]:
    """A service's actions by their names in lower case; none of a service that is not known."""
    known = resource_types(service)
    found = {}
    for level, types, names in _rows("iam_actions.tsv", service):
        listed = () if types == "-" else types.split(",")
        required = frozenset(name[:-1] for name in listed if name.endswith("*"))
        own = tuple(known[name.rstrip("*")] for name in listed)
        found.update({name.lower(): Action(name, level, own, required) for name in names.split(" ")})
    return MappingProxyType(found)


@cache
def resource_types(service: str) -> Mapping[str, ResourceType]:
    """A service's types by name; none of a service that is not known, or that has none."""
    rows = _rows("iam_resource_types.tsv", service)
    return MappingProxyType({name: ResourceType(name, arn) for name, arn in rows})


def _rows(name: str, service: str) -> list[list[str]]:
    return [line.split("\t") for line in _by_service(name).get(service, ())]


@cache
def _by_service(name: str) -> Mapping[str, list[str]]:
    """A table's lines by service; few services are asked about, and the rest is not taken apart."""
    found: dict[str, list[str]] = {}
    for line in lines(name):
        service, _, rest = line.partition("\t")
        found.setdefault(service, []).append(rest)
    return MappingProxyType(found)
