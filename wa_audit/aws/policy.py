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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from wa_audit.aws import arns, conditions, wildcards
from wa_audit.aws.actions import DATA_ACTIONS, EVERYTHING, Reach, reach
from wa_audit.aws.conditions import OWNER, PASSED_TO, WHAT, WHO, Condition, Narrowing

__all__ = [
    "DATA_ACTIONS",
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
    "exposures",
    "full_grants",
    "grants",
    "is_public",
    "named",
    "parse",
    "spoken_of",
]


# -- principals ------------------------------------------------------------------------------------


class Caller(Enum):
    """What sort of caller a principal is."""

    PUBLIC = "public"
    ACCOUNT = "account"
    SERVICE = "service"
    FEDERATED = "federated"
    CANONICAL = "canonical user"
    DELETED = "deleted identity"
    OTHER = "other"


# AWS shows an identity's unique id where the identity that a policy named has been deleted.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
_UNIQUE_ID = re.compile(r"(AROA|AIDA|AGPA|AIPA)[A-Z0-9]{10,}")


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """One caller that a statement names: `type` is AWS, Service, Federated or CanonicalUser."""

    type: str
    value: str

    @property
    def kind(self) -> Caller:
        if self.value == "*":
            return Caller.PUBLIC
        match self.type:
            case "Service":
                return Caller.SERVICE
            case "Federated":
                return Caller.FEDERATED
            case "CanonicalUser":
                return Caller.CANONICAL
        if _UNIQUE_ID.fullmatch(self.value):
            return Caller.DELETED
        if wildcards.has_wildcard(self.value) and wildcards.has_wildcard(
            arns.parse(self.value).account or "*"
        ):
            return Caller.PUBLIC
        return Caller.ACCOUNT if self.account else Caller.OTHER

    @property
    def account(self) -> str:
        """The account's twelve digits; empty where the principal is of none."""
        account = (
            self.value if self.type == "AWS" and self.value.isdigit() else arns.parse(self.value).account
        )
        return account if account.isdigit() else ""

    @property
    def is_account_root(self) -> bool:
        """Whether it stands for a whole account, which hands the decision to that account's IAM."""
        return self.kind is Caller.ACCOUNT and (
            self.value.isdigit() or arns.parse(self.value).resource == "root"
        )


EVERYONE = Principal("AWS", "*")


def is_public(caller: Principal) -> bool:
    """Whether it is everyone, with or without an AWS account."""
    return caller.kind is Caller.PUBLIC


# -- statements ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a policy.

    `actions`, `resources` and `principals` are what the statement names, or where `other_actions`,
    `other_resources` or `other_principals` is set (NotAction, NotResource, NotPrincipal) what it leaves out.
    All is as the document spells it. Where a document has no place for a resource, `resources` is `*`.
    """

    index: int
    sid: str = ""
    allows: bool
    actions: tuple[str, ...]
    other_actions: bool = False
    resources: tuple[str, ...] = ("*",)
    other_resources: bool = False
    principals: tuple[Principal, ...] = ()
    other_principals: bool = False
    conditions: tuple[Condition, ...] = ()

    @property
    def label(self) -> str:
        """How a person finds it: its Sid, or its position counted from 1."""
        return self.sid or f"#{self.index + 1}"

    @property
    def callers(self) -> tuple[Principal, ...]:
        """Whom it speaks of; everyone but a few is everyone."""
        return (EVERYONE,) if self.other_principals else self.principals

    def action(self, pattern: str) -> str:
        """The element that speaks of every action of this pattern; empty where none does. Case is ignored."""
        return _speaking(self.actions, self.other_actions, pattern.lower())

    def open_action(self) -> str:
        """The element that speaks of actions without end: `*`, or all but those in NotAction."""
        if self.other_actions:
            nothing = any(wildcards.covers(action.lower(), "?*:?*") for action in self.actions)
            return "" if nothing else "NotAction"
        return self.action("?*:?*")

    def resource(self, pattern: str) -> str:
        """The element that speaks of every resource of this pattern; empty where none does."""
        if self.other_resources:
            left_out = any(wildcards.arn_overlaps(resource, pattern) for resource in self.resources)
            return "" if left_out else "NotResource"
        return next((resource for resource in self.resources if wildcards.arn_covers(resource, pattern)), "")

    def whole(self, reach: Reach) -> tuple[str, ...]:
        """The elements that speak of all resources of a reach; NotResource counts as one."""
        return _whole(self.resources, self.other_resources, reach)

    @property
    def spoken_of(self) -> tuple[str, ...]:
        """The elements that say on what."""
        return ("NotResource",) if self.other_resources else self.resources

    def narrowing(self, keys: frozenset[str]) -> Narrowing:
        return conditions.narrowing(self.conditions, keys)


@lru_cache(maxsize=65536)
def _speaking(actions: tuple[str, ...], other_actions: bool, pattern: str) -> str:
    """See `Statement.action`. Roles of an account allow much the same, and are asked of the same actions."""
    if other_actions:
        left_out = any(wildcards.overlaps(action.lower(), pattern) for action in actions)
        return "" if left_out else "NotAction"
    return next((action for action in actions if wildcards.covers(action.lower(), pattern)), "")


@lru_cache(maxsize=65536)
def _whole(resources: tuple[str, ...], other_resources: bool, reach: Reach) -> tuple[str, ...]:
    """See `Statement.whole`."""
    whole = tuple(resource for resource in resources if reach.is_within(resource))
    if other_resources:
        return () if whole else ("NotResource",)
    return whole


@lru_cache(maxsize=4096)
def _whole_pattern(action: str) -> str:
    """In lower case. An action's name is never empty, so that `s3:?*` and `s3:*` are the same actions."""
    return re.sub(r":\*+$", ":?*", action).lower()


def parse(document: object) -> tuple[Statement, ...]:
    """The statements of a policy document, as AWS's JSON has it; none for no document.

    Raises:
        ValueError: what is given is not a policy document.
    """
    if document is None:
        return ()
    if not isinstance(document, Mapping):
        raise ValueError(f"a policy document is a mapping, not {type(document).__name__}")
    return tuple(_statement(index, raw) for index, raw in enumerate(_list(document.get("Statement", []))))


def _statement(index: int, raw: object) -> Statement:
    if not isinstance(raw, Mapping) or raw.get("Effect") not in ("Allow", "Deny"):
        raise ValueError(f"statement {index + 1} of a policy document neither allows nor denies")
    actions, other_actions = _either(raw, "Action", "NotAction")
    resources, other_resources = _either(raw, "Resource", "NotResource")
    other_principals = "NotPrincipal" in raw
    return Statement(
        index=index,
        sid=str(raw.get("Sid") or ""),
        allows=raw["Effect"] == "Allow",
        actions=actions,
        other_actions=other_actions,
        resources=resources if "Resource" in raw or other_resources else ("*",),
        other_resources=other_resources,
        principals=tuple(_principals(raw.get("NotPrincipal" if other_principals else "Principal"))),
        other_principals=other_principals,
        conditions=tuple(conditions.parse(raw.get("Condition"))),
    )


def named(document: object) -> dict[str, list[str]]:
    """What a policy allows where its statements name both sides: by the ARN of each resource without wildcard
    (the bucket for its objects, the table for its indexes), the actions, each once and in order.

    NotAction and NotResource name nothing, and what a Deny takes away again is not looked at.
    """
    found: dict[str, list[str]] = {}
    for statement in parse(document):
        if not statement.allows or statement.other_actions or statement.other_resources:
            continue
        for resource in statement.resources:
            arn = arns.whole(resource.removesuffix("/*"))
            if arn.startswith("arn:") and not wildcards.has_wildcard(arn):
                own = found.setdefault(arn, [])
                own += [action for action in statement.actions if action not in own]
    return found


def _either(raw: Mapping[str, object], name: str, negated: str) -> tuple[tuple[str, ...], bool]:
    negative = negated in raw
    return tuple(str(item) for item in _list(raw.get(negated if negative else name, []))), negative


def _principals(raw: object) -> Iterator[Principal]:
    if isinstance(raw, Mapping):
        for type_, values in raw.items():
            for value in _list(values):
                yield Principal(str(type_), str(value))
    elif raw is not None:
        for value in _list(raw):
            yield Principal("AWS", str(value))


def _list(value: object) -> list[object]:
    """AWS writes a list of one as the one."""
    return value if isinstance(value, list) else [value]


# -- what an identity may do -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of an identity, by its name."""

    name: str
    statements: tuple[Statement, ...]


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
) -> list[Grant]:
    """How policies give every action of a pattern (`s3:*`, `kms:Decrypt`) on all resources that it takes.

    Where `everywhere` is false, a grant on any resource will do.

    `narrows` names the condition keys whose values narrow the grant enough. A boundary takes away what it
    does not give as widely itself. The union of several statements is not looked for: `s3:Get*` and
    `s3:Put*` together are not `s3:*`.
    """
    pattern = _whole_pattern(action)
    return _bounded(
        policies,
        boundary,
        lambda s: _speaking(s.actions, s.other_actions, pattern),
        reach(action) if everywhere else None,
        narrows,
    )


def spoken_of(policies: Iterable[Policy], wanted: tuple[str, ...]) -> list[str]:
    """Those of these actions that any Allow of the policies speaks of: of no other there can be a grant."""
    found: set[str] = set()
    for policy in policies:
        for statement in policy.statements:
            if statement.allows:
                found |= _among(statement.actions, statement.other_actions, wanted)
    return [action for action in wanted if action in found] if found else []


@lru_cache(maxsize=4096)
def _among(actions: tuple[str, ...], other_actions: bool, wanted: tuple[str, ...]) -> frozenset[str]:
    return frozenset(a for a in wanted if _speaking(actions, other_actions, _whole_pattern(a)))


def full_grants(
    policies: Iterable[Policy], narrows: frozenset[str], boundary: Policy | None = None
) -> list[Grant]:
    """How policies give actions without end on all resources: Action `*`, or NotAction with Allow.

    All of IAM counts too, since who has it can give itself the rest.
    """
    policies = tuple(policies)
    wide = _bounded(policies, boundary, Statement.open_action, EVERYTHING, narrows)
    return wide + grants(policies, "iam:*", narrows, boundary)


_Speaks = Callable[[Statement], str]


def _bounded(
    policies: Iterable[Policy],
    boundary: Policy | None,
    speaks: _Speaks,
    whole: Reach | None,
    narrows: frozenset[str],
) -> list[Grant]:
    given = list(_given(tuple(policies), speaks, whole, narrows))
    if not given or boundary is None:
        return given
    within = list(_given((boundary,), speaks, whole, narrows))
    if not within:
        return []
    if all(grant.doubtful for grant in within):
        return [Grant(g.policy, g.statement, g.action, g.resource, doubtful=True) for g in given]
    return given


def _given(
    policies: tuple[Policy, ...], speaks: _Speaks, whole: Reach | None, narrows: frozenset[str]
) -> Iterator[Grant]:
    allowing = [
        (policy.name, statement, action)
        for policy in policies
        for statement in policy.statements
        if statement.allows and (action := speaks(statement))
    ]
    if not allowing:
        return  # as for nearly every action that is asked about
    denies = [s for policy in policies for s in policy.statements if not s.allows and speaks(s)]
    for name, statement, action in allowing:
        resources = statement.whole(whole) if whole else statement.spoken_of
        outcome = statement.narrowing(narrows) if resources else Narrowing.RESTRICTIVE
        for resource in resources:
            taken = "*" if resource == "NotResource" else resource
            covering = [deny for deny in denies if deny.resource(taken)]
            if outcome is Narrowing.RESTRICTIVE or _is_denied(covering, narrows):
                continue
            yield Grant(name, statement, action, resource, outcome is Narrowing.UNKNOWN)


def _is_denied(covering: Iterable[Statement], narrows: frozenset[str]) -> bool:
    """Whether a Deny that covers a grant takes it away, or leaves of it only what is narrow enough.

    A Deny applies where all its conditions hold; it leaves what fails any of them, so that each must leave
    little.
    """
    for deny in covering:
        left = [conditions.complement(condition) for condition in deny.conditions]
        if all(
            other is not None and conditions.narrowing([other], narrows) is Narrowing.RESTRICTIVE
            for other in left
        ):
            return True
    return False


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
    denies = [statement for statement in statements if not statement.allows]
    found = []
    for statement in statements:
        callers = [caller for caller in statement.callers if to(caller)] if statement.allows else []
        outcome = statement.narrowing(narrows) if callers else Narrowing.RESTRICTIVE
        if outcome is Narrowing.RESTRICTIVE:
            continue
        for caller in callers:
            covering = [deny for deny in denies if _takes_in(deny, statement, caller)]
            if not _is_denied(covering, narrows):
                found.append(Exposure(statement, caller, outcome is Narrowing.UNKNOWN))
    return found


def _takes_in(deny: Statement, allow: Statement, caller: Principal) -> bool:
    """Whether a Deny speaks of all that an Allow gives to a caller."""
    if deny.other_principals or not (EVERYONE in deny.principals or caller in deny.principals):
        return False
    actions = ("?*:?*",) if allow.other_actions else allow.actions
    resources = ("*",) if allow.other_resources else allow.resources
    return all(map(deny.action, actions)) and all(map(deny.resource, resources))
