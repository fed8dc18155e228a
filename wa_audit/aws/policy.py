"""IAM policy documents: their statements, and what they grant in the end.

`parse` turns a document into statements. Two questions are asked of them:

- `grants`: do these policies of an identity, within its boundary, give an action on all resources?
- `exposures`: to whom does this policy of a resource, or of a role's trust, open it?

An Allow counts but for what a Deny takes away: one without conditions that wholly covers it, or one whose
conditions leave only what a narrowing condition on the Allow would have left. Conditions are judged in
`wa_audit.aws.conditions`; one whose key is not known leaves a grant `doubtful`, neither given nor refused.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, product
from typing import NamedTuple

import msgspec

from wa_audit.aws import arns, wildcards
from wa_audit.aws.actions import EVERYTHING, Reach, data_actions, reach
from wa_audit.aws.conditions import OWNER, PASSED_TO, WHAT, WHO, Condition, Narrowing
from wa_audit.aws.kept import kept
from wa_audit.aws.statements import EVERYONE, Caller, Principal, Statement, is_public, named, parse

__all__ = [
    "EVERYONE",
    "OWNER",
    "PASSED_TO",
    "WHAT",
    "WHO",
    "Asked",
    "Caller",
    "Condition",
    "Exposure",
    "Grant",
    "Narrowing",
    "Policies",
    "Policy",
    "Principal",
    "Statement",
    "asked_for",
    "by_name",
    "data_actions",
    "data_grants",
    "exposures",
    "first_grants",
    "full_grants",
    "grants",
    "is_public",
    "named",
    "parse",
    "settled",
]

# An Enum is slow to give its members.
_RESTRICTIVE, _UNKNOWN = Narrowing.RESTRICTIVE, Narrowing.UNKNOWN

# -- what an identity may do -----------------------------------------------------------------------


class Policy(msgspec.Struct, frozen=True, dict=True):
    """One policy of an identity, by its name."""

    name: str
    statements: tuple[Statement, ...]

    @kept
    def condition_keys(self) -> frozenset[str]:
        """The keys of all its conditions, in lower case."""
        return frozenset(condition.key for s in self.statements for condition in s.conditions)


class _Spoken(NamedTuple):
    """What can speak of a service: Allows, each with its policy's name, and Denies."""

    allows: list[tuple[str, Statement]]
    denies: list[Statement]

    def add(self, policy: str, statement: Statement) -> None:
        if statement.allows:
            self.allows.append((policy, statement))
        else:
            self.denies.append(statement)

    def copy(self) -> _Spoken:
        return _Spoken(self.allows.copy(), self.denies.copy())


class _Index(NamedTuple):
    """What policies say: by service, what can speak of it, and what can speak of any other.

    `names` are the actions that Allows name, `in_part` the services of which they name a pattern of actions.
    """

    by_service: dict[str, _Spoken]
    any_service: _Spoken
    names: set[str]
    in_part: set[str]


class Policies(tuple[Policy, ...]):
    """The policies of one identity, set out by service, for whoever asks many questions of them."""

    @staticmethod
    def of(policies: Iterable[Policy]) -> Policies:
        return policies if isinstance(policies, Policies) else Policies(policies)

    def speaking_of(self, service: str) -> _Spoken:
        """What can speak of a service's actions, in order; `*` is any service."""
        return self._index.by_service.get(service, self._index.any_service)

    def of_service(self, service: str) -> Policies:
        """The same policies without the statements that cannot speak of a service."""
        return Policies(
            Policy(own.name, tuple(s for s in own.statements if s.is_wide or service in s.services))
            for own in self
        )

    def settled(self, key: str, value: str) -> Policies:
        """See the function of this name."""
        return Policies(settled(own, key, value) for own in self)

    @kept
    def condition_keys(self) -> frozenset[str]:
        """The keys of all their conditions, in lower case."""
        return frozenset[str]().union(*(own.condition_keys for own in self))

    def may_give(self, asked: Asked) -> frozenset[str]:
        """Those of the patterns that are asked for of which an Allow can speak."""
        if self._index.any_service.allows:
            return asked.patterns
        found = asked.patterns & self._index.names
        for service in self._index.in_part:
            if service in asked.by_service:
                found |= asked.by_service[service]
        return found

    @kept
    def _index(self) -> _Index:
        index = _Index({}, _Spoken([], []), set(), set())
        for own in self:
            for statement in own.statements:
                if statement.is_wide:
                    for spoken in (*index.by_service.values(), index.any_service):
                        spoken.add(own.name, statement)
                    continue
                for service in statement.services:
                    if service not in index.by_service:
                        index.by_service[service] = index.any_service.copy()
                    index.by_service[service].add(own.name, statement)
                if statement.allows:
                    index.names.update(statement.names)
                    index.in_part.update(statement.services_in_part)
        return index


def _documented(name: str, effect: str, **element: str | list[str]) -> Policy:
    return Policy(name, parse({"Statement": {"Effect": effect, "Resource": "*", **element}}))


# What decides about AWS's own policies whose names say all, for when their documents were not read.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_BY_NAME = {
    policy.name: policy
    for policy in (
        _documented("AdministratorAccess", "Allow", Action="*"),
        _documented("PowerUserAccess", "Allow", NotAction=["iam:*", "organizations:*", "account:*"]),
        _documented("IAMFullAccess", "Allow", Action="iam:*"),
        _documented("AWSDenyAll", "Deny", Action="*"),
    )
}


def by_name(arn: str) -> Policy | None:
    """The AWS-managed policy of this ARN where its name alone says what it grants."""
    parsed = arns.parse(arn)
    return _BY_NAME.get(parsed.name) if parsed.account == "aws" else None


class Grant(msgspec.Struct, frozen=True):
    """An action, or all actions of a pattern, given on resources.

    `action` and `resource` are the deciding elements as the statement has them; `doubtful` says that a
    condition on it is not understood.
    """

    policy: str
    statement: Statement
    action: str
    resource: str
    doubtful: bool = False


def grants(
    policies: Iterable[Policy],
    action: str,
    narrows: frozenset[str],
    boundary: Policy | None = None,
    *,
    everywhere: bool = True,
    on: str = "",
) -> list[Grant]:
    """How policies give every action of a pattern (`s3:*`, `kms:Decrypt`) on all resources that it takes.

    Where `everywhere` is false, a grant on any resource will do; where `on` is an ARN, one on that resource.

    `narrows` names the condition keys whose values narrow the grant enough. A boundary takes away what it
    does not give as widely itself. What NotAction leaves out may be given by another statement; else the
    union of several is not looked for: no number of patterns such as `s3:Get*` makes up `s3:*`.
    """
    pattern = _pattern(action)
    whole = on or (reach(pattern) if everywhere else None)
    own = Policies.of(policies)
    return _bounded(own, boundary, lambda s: s.action(pattern), pattern, whole, narrows)


def first_grants(
    policies: Iterable[Policy],
    actions: Iterable[str],
    narrows: frozenset[str],
    boundary: Policy | None = None,
    *,
    everywhere: bool = True,
) -> list[Grant]:
    """As `grants`, for one of several actions after the other, until a grant is certain."""
    asked = asked_for(tuple(actions))
    return _first_grants(Policies.of(policies), asked, narrows, boundary, everywhere)


def _first_grants(
    own: Policies, asked: Asked, narrows: frozenset[str], boundary: Policy | None, everywhere: bool = True
) -> list[Grant]:
    given = own.may_give(asked)
    found: list[Grant] = []
    for action, pattern in asked.in_order if given else ():
        if pattern in given:
            more = grants(own, action, narrows, boundary, everywhere=everywhere)
            found += more
            if not all(grant.doubtful for grant in more):
                break
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """Actions or patterns of them, in lower case, that are asked for together.

    `in_order` has them as they were asked for, each beside how it is spelled there.
    """

    in_order: tuple[tuple[str, str], ...]
    patterns: frozenset[str]
    by_service: Mapping[str, frozenset[str]]


@lru_cache(maxsize=1024)
def asked_for(actions: tuple[str, ...]) -> Asked:
    in_order = tuple((action, _pattern(action)) for action in actions)
    by_service: dict[str, set[str]] = defaultdict(set)
    for _, pattern in in_order:
        by_service[pattern.partition(":")[0]].add(pattern)
    patterns = frozenset(pattern for _, pattern in in_order)
    return Asked(in_order, patterns, {service: frozenset(own) for service, own in by_service.items()})


def data_grants(
    policies: Iterable[Policy], narrows: frozenset[str], boundary: Policy | None = None
) -> list[Grant]:
    """How policies give an action that writes, deletes or decrypts data, or reads a secret, on all resources,
    as `first_grants`."""
    return _first_grants(Policies.of(policies), _all_data_actions(), narrows, boundary)


@cache
def _all_data_actions() -> Asked:
    return asked_for(tuple(chain.from_iterable(data_actions().values())))


@cache
def _all_of_iam() -> Asked:
    return asked_for(("iam:*",))


@lru_cache(maxsize=1024)
def _pattern(action: str) -> str:
    """An action in lower case; its name is never empty, so that `s3:?*` and `s3:*` are the same actions."""
    return re.sub(r":\*+$", ":?*", action.lower())


def full_grants(
    policies: Iterable[Policy], narrows: frozenset[str], boundary: Policy | None = None
) -> list[Grant]:
    """How policies give actions without end on all resources: Action `*`, or NotAction with Allow.

    All of IAM counts too, since who has it can give itself the rest.
    """
    own = Policies.of(policies)
    if not own.may_give(_all_of_iam()):
        return []  # nor anything without end, which takes IAM in
    wide = _bounded(own, boundary, Statement.open_action, "*", EVERYTHING, narrows)
    return wide + grants(own, "iam:*", narrows, boundary)


def settled(policy: Policy, key: str, value: str) -> Policy:
    """The policy as a request meets it in which a condition key (lower case) has this one value."""
    if key not in policy.condition_keys:
        return policy
    found = (statement.settled(key, value) for statement in policy.statements)
    return Policy(policy.name, tuple(statement for statement in found if statement is not None))


_Speaks = Callable[[Statement], str]
# All resources of an action, the one of an ARN, or where it is None any.
_Whole = Reach | str | None


def _bounded(
    policies: Policies,
    boundary: Policy | None,
    speaks: _Speaks,
    pattern: str,
    whole: _Whole,
    narrows: frozenset[str],
) -> list[Grant]:
    given = _given(policies, speaks, pattern, whole, narrows)
    if not given or boundary is None:
        return given
    within_ = _given(Policies.of((boundary,)), speaks, pattern, whole, narrows)
    if not within_:
        return []
    if all(grant.doubtful for grant in within_):
        return [msgspec.structs.replace(grant, doubtful=True) for grant in given]
    return given


def _given(
    policies: Policies, speaks: _Speaks, pattern: str, whole: _Whole, narrows: frozenset[str]
) -> list[Grant]:
    every, against = policies.speaking_of(pattern.partition(":")[0])
    allows = [(name, s, element) for name, s in every if (element := speaks(s))]
    united = ":?*" in pattern and any(s.other_actions for _, s in every)
    if not allows and not united:
        return []
    denies = [s for s in against if speaks(s)]
    found = _left(allows, denies, whole, narrows)
    if found or not united:
        return found
    parts = [(name, s, "NotAction") for name, s in every]
    return _united(_left(parts, denies, whole, narrows), pattern)


def _left(
    allows: list[tuple[str, Statement, str]],
    denies: list[Statement],
    whole: _Whole,
    narrows: frozenset[str],
) -> list[Grant]:
    """What is left of Allows, each with its policy's name and the element that speaks of the action."""
    return [
        Grant(name, statement, element, resource, outcome is _UNKNOWN)
        for name, statement, element in allows
        if (outcome := statement.narrowing(narrows)) is not _RESTRICTIVE
        for resource in _on(statement, whole)
        if not _is_denied(denies, resource, whole, narrows)
    ]


def _on(statement: Statement, whole: _Whole) -> tuple[str, ...]:
    """The elements of a statement that speak of the resources that are asked about."""
    if isinstance(whole, str):
        element = statement.resource(whole)
        return (element,) if element else ()
    return statement.spoken_of if whole is None else statement.whole(whole)


# No name of an action holds a second colon.
_NO_ACTION = "*:*:*"


def _united(found: list[Grant], pattern: str) -> list[Grant]:
    """Grants that give all actions of a pattern together: what NotAction leaves out, others put in again."""
    named_ = [a.lower() for g in found if not g.statement.other_actions for a in g.statement.actions]
    others = [g for g in found if g.statement.other_actions]
    left_out = [
        [a.lower() for a in g.statement.actions if wildcards.overlaps(a.lower(), pattern)] for g in others
    ]
    whole = bool(others) and all(
        wildcards.covers_together([*named_, _NO_ACTION], [pattern, *several])
        for several in product(*left_out)
    )
    return others if whole else []


def _is_denied(denies: list[Statement], element: str, whole: _Whole, narrows: frozenset[str]) -> bool:
    """Whether a Deny takes a grant on a resource away, or leaves of it only what is narrow enough."""
    taken = "*" if element == "NotResource" else element
    return any(_takes(deny, taken, whole) and deny.leaves_little(narrows) for deny in denies)


def _takes(deny: Statement, element: str, whole: _Whole) -> bool:
    """Whether a Deny speaks of all that an element gives of what is asked about."""
    if isinstance(whole, str) and deny.resource(whole):
        return True
    # Of one resource its own ARN says it, but for an element with a variable that both name.
    if (not isinstance(whole, str) or "${" in element) and deny.resource(element):
        return True
    # All but a few resources denied leaves those few, which are not everything.
    return isinstance(whole, Reach) and deny.leaves_less(whole)


# -- to whom a resource is open --------------------------------------------------------------------


class Exposure(msgspec.Struct, frozen=True):
    """An Allow that speaks of a caller without a condition that narrows it enough.

    `doubtful` says that a condition on it is not understood.
    """

    statement: Statement
    principal: Principal
    doubtful: bool = False


def exposures(
    statements: Iterable[Statement],
    to: Callable[[Principal], bool],
    narrows: frozenset[str] = WHO,
) -> list[Exposure]:
    """The Allows of a resource's policy whose callers satisfy `to`, but for those narrowed or denied."""
    statements = tuple(statements)
    denies = [s for s in statements if not s.allows and s.leaves_little(narrows)]
    found = []
    for statement in statements:
        callers = [caller for caller in statement.callers if to(caller)] if statement.allows else []
        outcome = statement.narrowing(narrows) if callers else _RESTRICTIVE
        if outcome is not _RESTRICTIVE:
            found += [
                Exposure(statement, caller, outcome is _UNKNOWN)
                for caller in callers
                if _is_left([deny for deny in denies if _speaks_of(deny, caller)], statement)
            ]
    return found


def _speaks_of(deny: Statement, caller: Principal) -> bool:
    """Whether a Deny speaks of a caller; one of all but a few accounts speaks of everyone else."""
    if not deny.other_principals:
        return any(
            other in (EVERYONE, caller)
            or (other.is_account_root and caller.kind is Caller.ACCOUNT and other.account == caller.account)
            for other in deny.principals
        )
    # A caller may be one left out by another name, and a service that is left out comes for everyone.
    left_out = {other.kind for other in deny.principals}
    return caller.kind is Caller.PUBLIC and left_out <= {Caller.ACCOUNT, Caller.CANONICAL, Caller.DELETED}


def _is_left(denies: list[Statement], allow: Statement) -> bool:
    """Whether the Denies leave any action on any resource that an Allow gives."""
    actions = ("?*:?*",) if allow.other_actions else allow.actions
    resources = ("*",) if allow.other_resources else allow.resources
    return any(
        not any(deny.action(action) and deny.resource(resource) for deny in denies)
        for action in actions
        for resource in resources
    )
