"""What IAM actions act on: what "all resources" means for each, and which of them move or read data.

Which types of resources an action takes is AWS's to say (`wa_audit.aws.authorizations`). Which of them decide
is said here: who deletes a table of Glue must be given its database too, and yet it is the table that goes.
Of what AWS's reference does not hold nothing is known, so that all of any kind is everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from types import MappingProxyType
from typing import NamedTuple

from wa_audit.aws import authorizations, wildcards
from wa_audit.aws.authorizations import Action, ResourceType


class Form(NamedTuple):
    """The ARNs of one type of resources, each part a pattern."""

    service: str
    region: str
    account: str
    part: str


# Compared as the object that it is: `reach` gives each out once.
@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What "all resources" means for an action: the ARNs that it takes.

    A pattern that takes all of any one form is within reach. A region or an account of its own does not make
    it narrower: it is everything there. Where the `kinds` are not known, all of a kind is whatever ends in a
    wildcard after one word, `table/*`.
    """

    forms: tuple[Form, ...]
    kinds: bool = True

    def is_within(self, pattern: str) -> bool:
        """Whether an ARN pattern takes in all of it."""
        return _is_within(self, pattern)

    def ends_in(self, pattern: str) -> bool:
        """Whether nothing of it, in any region or account, lies outside an ARN pattern."""
        _, _, *segments = wildcards.arn_segments(pattern)
        return all(all(map(wildcards.covers, segments, own)) for own in self.forms)


@lru_cache(maxsize=16384)
def _is_within(reach_: Reach, pattern: str) -> bool:
    _, _, service, _, _, part = wildcards.arn_segments(pattern)
    if any(
        wildcards.covers(service, own.service) and wildcards.covers(part, own.part) for own in reach_.forms
    ):
        return True
    return not reach_.kinds and _is_all_of_a_kind(part)


def _is_all_of_a_kind(part: str) -> bool:
    """Whether the resource of an ARN pattern is a word and all that bears it: `*`, `table/*`, `cluster:*`."""
    start = wildcards.literal_start(part)
    kind = start.strip("/:")
    ends = not kind or (start[-1] in "/:" and not {"/", ":"} & set(kind))
    return ends and wildcards.covers(part, f"{start}?*")


EVERYTHING = Reach((Form("?*", "*", "*", "?*"),))
_UNKNOWN = Reach(EVERYTHING.forms, kinds=False)

# Of a service's types those that hold what it is there for; of any other service all count.
# fmt: off
_MAIN: Mapping[str, str] = {
    "dynamodb":         "table",
    "ec2":              "instance security-group network-interface",
    "elasticmapreduce": "cluster",
    "firehose":         "deliverystream",
    "glue":             "table job connection",
    "iam":              "role user group policy",
    "kinesis":          "stream",
    "kms":              "key",
    "lambda":           "function",
    "logs":             "log-group",
    "redshift":         "cluster namespace dbuser",
    "redshift-data":    "cluster workgroup",
    "s3":               "bucket object",
    "secretsmanager":   "Secret",
    "states":           "statemachine",
    "sts":              "role",
}
# Types that may or must be given too but do not say on what an action acts, where another stands beside them.
# Through an access point nobody comes to what the bucket itself does not give:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
_BESIDE: Mapping[str, str] = {
    "ecs":              "cluster",
    "glue":             "catalog database registry",
    "s3":               "accesspointobject",
    "ssm":              "bucket document",
}
# fmt: on
# What is deleted with a database is named with it.
_ACTS_ON: Mapping[str, str] = {"glue:deletedatabase": "database"}
# A role of Airflow's own that every environment has.
_MORE: Mapping[str, tuple[Form, ...]] = {
    "airflow:createweblogintoken": (Form("airflow", "*", "*", "role/?*/Admin"),)
}


@lru_cache(maxsize=1024)
def reach(action: str) -> Reach:
    """What all resources are for an action, or for all actions of a service (`s3:*`)."""
    action = action.lower()
    service, _, name = action.partition(":")
    known = authorizations.actions(service)
    if not known:
        return _UNKNOWN
    if found := known.get(name):
        return Reach(_forms(service, _deciding(action, found)) + _MORE.get(action, ()))
    types = authorizations.resource_types(service)
    if name.strip("*?"):
        # Newer than the table, or a part of the service's actions: it may act on a kind of its own.
        return Reach(_forms(service, types.values()), kinds=False)
    main = _MAIN.get(service, "").split() or types
    return Reach(_forms(service, [types[type_] for type_ in main]))


def _deciding(action: str, found: Action) -> list[ResourceType]:
    """The types of an action's that say on what it acts; those that it always takes before all others."""
    service = action.partition(":")[0]
    if action in _ACTS_ON:
        return [authorizations.resource_types(service)[_ACTS_ON[action]]]
    beside = _BESIDE.get(service, "").split()
    named = [type_ for type_ in found.types if "*" in _part(type_)]
    choices = (
        [type_ for type_ in named if type_.name in found.required and type_.name not in beside],
        [type_ for type_ in named if type_.name not in beside],
        [type_ for type_ in named if type_.name in found.required],
        named,
    )
    return next(filter(None, choices), list(found.types))


def _forms(service: str, types: Iterable[ResourceType]) -> tuple[Form, ...]:
    """The forms of these types; what has no types is given on all resources alone."""
    forms = []
    for type_ in types:
        _, _, own, region, account, part = type_.arn.split(":", 5)
        forms.append(Form(own, region, account, part.replace("*", "?*")))
    return tuple(forms) or (Form(service, "*", "*", "?*"),)


def _part(type_: ResourceType) -> str:
    return type_.arn.split(":", 5)[5]


# By service, the actions that write, delete or decrypt data, or read a secret; a star stands for those of
# AWS's level Write alone. What changes who may do something is for the paths of `wa_audit.aws.escalations`.
# fmt: off
_DATA: Mapping[str, str] = {
    "dynamodb":         "BatchGetItem BatchWriteItem DeleteItem GetItem PutItem UpdateItem",
    "glue":             "BatchDelete* BatchUpdate* Delete* Update*",
    "kinesis":          "PutRecord*",
    "kms":              "Decrypt GenerateDataKey",
    "redshift-data":    "ExecuteStatement",
    "s3":               "DeleteObject* PutObject",
    "secretsmanager":   "GetSecretValue",
    "sqs":              "SendMessage",
}
# fmt: on


@cache
def data_actions() -> Mapping[str, tuple[str, ...]]:
    """By service, the actions that write, delete or decrypt data, or read a secret, in alphabetical order.

    All can be given on single resources. Those that cannot, such as glue:DeleteSecurityConfiguration and
    lakeformation:GetDataAccess, need Resource "*".
    """
    return MappingProxyType({service: _expanded(service, names.split()) for service, names in _DATA.items()})


def _expanded(service: str, patterns: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        sorted(
            f"{service}:{action.name}"
            for action in authorizations.actions(service).values()
            if any("*" in _part(type_) for type_ in action.types)
            and (action.level == "Write" or action.name in patterns)
            and any(fnmatchcase(action.name, own) for own in patterns)
        )
    )
