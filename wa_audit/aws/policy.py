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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product

from wa_audit.aws import arns, conditions, wildcards
from wa_audit.aws.actions import EVERYTHING, Reach, data_actions, reach
from wa_audit.aws.conditions import OWNER, PASSED_TO, WHAT, WHO, Condition, Narrowing
from wa_audit.aws.statements import EVERYONE, Caller, Principal, Statement, is_public, named, parse

__all__ = [
    "EVERYONE",
    "OWNER",
    "PASSED_TO",
    "WHAT",
    "WHO",
    "Caller",
    "Condition",
    "Exposure",
    "Grant",
    "Narrowing",
    "Policy",
    "Principal",
    "Statement",
    "by_name",
    "data_actions",
    "data_grants",
    "exposures",
    "full_grants",
    "grants",
    "is_public",
    "named",
    "parse",
    "settled",
]


# -- what an identity may do -----------------------------------------------------------------------


@dataclass(frozen=True)
class Policy:
    """One policy of an identity, by its name."""

    name: str
    statements: tuple[Statement, ...]

    def speaking_of(self, service: str) -> list[Statement]:
        """Those of its statements that can speak of a service's actions, in order; `*` is any service."""
        named_, wide = self._services
        return named_.get(service, wide)

    def may_give(self, service: str) -> bool:
        """Whether any Allow of it can speak of a service's actions."""
        named_, wide = self._giving
        return wide or service in named_

    @cached_property
    def condition_keys(self) -> frozenset[str]:
        """The keys of all its conditions, in lower case."""
        return frozenset(condition.key for s in self.statements for condition in s.conditions)

    @cached_property
    def _giving(self) -> tuple[frozenset[str], bool]:
        """The services that its Allows name, and whether any can speak of any other."""
        allows = [statement for statement in self.statements if statement.allows]
        return frozenset[str]().union(*(s.services for s in allows)), any(s.is_wide for s in allows)

    @cached_property
    def _services(self) -> tuple[dict[str, list[Statement]], list[Statement]]:
        """By service, the statements that can speak of it; and those that can speak of any other."""
        named_: dict[str, list[Statement]] = {}
        wide: list[Statement] = []
        for statement in self.statements:
            if statement.is_wide:
                for of_service in (*named_.values(), wide):
                    of_service.append(statement)
                continue
            for service in statement.services:
                named_.setdefault(service, wide.copy()).append(statement)
        return named_, wide


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


@dataclass(frozen=True, slots=True)
class Grant:
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
    return _bounded(policies, boundary, lambda s: s.action(pattern), pattern, whole, narrows)


def data_grants(
    policies: Iterable[Policy], narrows: frozenset[str], boundary: Policy | None = None
) -> list[Grant]:
    """How policies give an action that writes, deletes or decrypts data, or reads a secret, on all resources.

    The first of these that is certain is the last: there are many, and one is enough.
    """
    policies, found = tuple(policies), []
    for service, actions in data_actions().items():
        if any(policy.may_give(service) for policy in policies):
            for action in actions:
                found += grants(policies, action, narrows, boundary)
                if not all(grant.doubtful for grant in found):
                    return found
    return found


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
    policies = tuple(policies)
    wide = _bounded(policies, boundary, Statement.open_action, "*", EVERYTHING, narrows)
    return wide + grants(policies, "iam:*", narrows, boundary)


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
    policies: Iterable[Policy],
    boundary: Policy | None,
    speaks: _Speaks,
    pattern: str,
    whole: _Whole,
    narrows: frozenset[str],
) -> list[Grant]:
    given = _given(tuple(policies), speaks, pattern, whole, narrows)
    if not given or boundary is None:
        return given
    within = _given((boundary,), speaks, pattern, whole, narrows)
    if not within:
        return []
    if all(grant.doubtful for grant in within):
        return [replace(grant, doubtful=True) for grant in given]
    return given


def _given(
    policies: tuple[Policy, ...], speaks: _Speaks, pattern: str, whole: _Whole, narrows: frozenset[str]
) -> list[Grant]:
    service = pattern.partition(":")[0]
    if not any(policy.may_give(service) for policy in policies):
        return []
    every = [(policy.name, statement) for policy in policies for statement in policy.speaking_of(service)]
    denies = [s for _, s in every if not s.allows and speaks(s)]
    allows = [(name, s, element) for name, s in every if s.allows and (element := speaks(s))]
    found = _left(allows, denies, whole, narrows)
    if found or ":?*" not in pattern or not any(s.allows and s.other_actions for _, s in every):
        return found
    parts = [(name, s, "NotAction") for name, s in every if s.allows]
    return _united(_left(parts, denies, whole, narrows), pattern)


def _left(
    allows: list[tuple[str, Statement, str]],
    denies: list[Statement],
    whole: _Whole,
    narrows: frozenset[str],
) -> list[Grant]:
    """What is left of Allows, each with its policy's name and the element that speaks of the action."""
    return [
        Grant(name, statement, element, resource, outcome is Narrowing.UNKNOWN)
        for name, statement, element in allows
        if (outcome := statement.narrowing(narrows)) is not Narrowing.RESTRICTIVE
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
    return any(_takes(deny, taken, whole) and _leaves_little(deny, narrows) for deny in denies)


def _takes(deny: Statement, element: str, whole: _Whole) -> bool:
    """Whether a Deny speaks of all that an element gives of what is asked about."""
    if isinstance(whole, str) and deny.resource(whole):
        return True
    # Of one resource its own ARN says it, but for an element with a variable that both name.
    if (not isinstance(whole, str) or "${" in element) and deny.resource(element):
        return True
    # All but a few resources denied leaves those few, which are not everything.
    return isinstance(whole, Reach) and deny.leaves_less(whole)


def _leaves_little(deny: Statement, narrows: frozenset[str]) -> bool:
    """Whether what a Deny leaves is nothing, or narrow enough.

    A Deny applies where all its conditions hold; it leaves what fails any of them, so that each must leave
    little.
    """
    left = [conditions.complement(condition) for condition in deny.conditions]
    return all(
        other is not None and conditions.narrowing([other], narrows) is Narrowing.RESTRICTIVE
        for other in left
    )


# -- to whom a resource is open --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exposure:
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
    denies = [s for s in statements if not s.allows and _leaves_little(s, narrows)]
    found = []
    for statement in statements:
        callers = [caller for caller in statement.callers if to(caller)] if statement.allows else []
        outcome = statement.narrowing(narrows) if callers else Narrowing.RESTRICTIVE
        if outcome is not Narrowing.RESTRICTIVE:
            found += [
                Exposure(statement, caller, outcome is Narrowing.UNKNOWN)
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
