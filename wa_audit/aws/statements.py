"""The language of IAM policies: principals, statements, and what their elements speak of.

A Resource of an Allow is read as widely as AWS may read it, that of a Deny as narrowly: `*` at the end of a
part of an ARN can reach beyond it, and a policy variable can stand for whatever its key holds.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache

import msgspec

from wa_audit.aws import arns, conditions, wildcards
from wa_audit.aws.actions import Reach
from wa_audit.aws.conditions import Condition, Narrowing
from wa_audit.aws.kept import kept

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


class Principal(msgspec.Struct, frozen=True, order=True, dict=True):
    """One caller that a statement names: `type` is AWS, Service, Federated or CanonicalUser."""

    type: str
    value: str

    @kept
    def kind(self) -> Caller:
        """What sort of caller it is."""
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
# An Enum is slow to give its members.
_PUBLIC, _VACUOUS = Caller.PUBLIC, Narrowing.VACUOUS


def is_public(caller: Principal) -> bool:
    """Whether it is everyone, with or without an AWS account."""
    return caller.kind is _PUBLIC


# -- what elements speak of ------------------------------------------------------------------------


class _Actions:
    """The elements of an Action or NotAction, set out so that one among thousands is found at once.

    The same elements stand in many statements, so what was looked for is kept with them.
    """

    def __init__(self, elements: tuple[str, ...]) -> None:
        self.elements = elements
        self.found: dict[str, str] = {}
        self.left: dict[str, str] = {}
        self.exact: dict[str, int] = {}
        self.in_service: dict[str, list[tuple[int, str]]] = {}
        self.anywhere: list[tuple[int, str]] = []
        self.services: set[str] = set()
        for place, element in enumerate(elements):
            pattern = element.lower()
            service, colon, name = pattern.partition(":")
            if not colon or "*" in service or "?" in service:
                self.anywhere.append((place, pattern))
                continue
            self.services.add(service)
            if "*" in name or "?" in name:
                self.in_service.setdefault(service, []).append((place, pattern))
            else:
                self.exact.setdefault(pattern, place)

    def speaking_of(self, pattern: str) -> str:
        """The first element that takes in all of a pattern, whose case is ignored; empty where none does."""
        known = self.found.get(pattern)
        if known is None:
            place = self._covering(pattern.lower())
            known = self.found[pattern] = "" if place is None else self.elements[place]
        return known

    def leaving(self, pattern: str) -> str:
        """`NotAction` where no element meets a pattern, whose case is ignored; else empty."""
        known = self.left.get(pattern)
        if known is None:
            known = self.left[pattern] = "" if self._meets(pattern.lower()) else "NotAction"
        return known

    def _covering(self, pattern: str) -> int | None:
        """The place of the first element that takes in all of a pattern, in lower case."""
        found = [self.exact[pattern]] if pattern in self.exact else []
        service = self.in_service.get(pattern.partition(":")[0], ())
        for group in (service, self.anywhere):
            place = next((place for place, own in group if wildcards.covers(own, pattern)), None)
            if place is not None:
                found.append(place)
        return min(found, default=None)

    def _meets(self, pattern: str) -> bool:
        """Whether any element stands for an action that the pattern stands for too."""
        if any(wildcards.overlaps(own, pattern) for _, own in self.anywhere):
            return True
        if not wildcards.has_wildcard(pattern):
            of_service = self.in_service.get(pattern.partition(":")[0], ())
            return pattern in self.exact or any(wildcards.covers(own, pattern) for _, own in of_service)
        mine = [own for group in self.in_service.values() for _, own in group]
        return any(wildcards.overlaps(own, pattern) for own in (*self.exact, *mine))


@lru_cache(maxsize=4096)
def _set_out(elements: tuple[str, ...]) -> _Actions:
    return _Actions(elements)


# -- statements ------------------------------------------------------------------------------------


class Statement(msgspec.Struct, frozen=True, kw_only=True, dict=True):
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

    @kept
    def _actions(self) -> _Actions:
        return _set_out(self.actions)

    @property
    def services(self) -> set[str]:
        """The services, in lower case, that its actions name without a wildcard."""
        return self._actions.services

    @property
    def names(self) -> Iterable[str]:
        """Its actions, in lower case, that have no wildcard."""
        return self._actions.exact

    @property
    def services_in_part(self) -> Iterable[str]:
        """The services of which it names a pattern of actions."""
        return self._actions.in_service

    @property
    def is_wide(self) -> bool:
        """Whether it can speak of services that it does not name."""
        return self.other_actions or bool(self._actions.anywhere)

    def action(self, pattern: str) -> str:
        """The element that speaks of every action of this pattern; empty where none does. Case is ignored."""
        return self._actions.leaving(pattern) if self.other_actions else self._actions.speaking_of(pattern)

    def open_action(self) -> str:
        """The element that speaks of actions without end: `*`, or all but those in NotAction."""
        if self.other_actions:
            return "" if self._actions.speaking_of("?*:?*") else "NotAction"
        return self.action("?*:?*")

    def resource(self, pattern: str) -> str:
        """The element that speaks of every resource of this pattern; empty where none does.

        An Allow is taken to speak of what it may speak of, a Deny only of what it surely does.
        """
        if not self.allows and self._has_variables:
            # A variable without a value may void the statement, and with it an Allow of the same element.
            same = not self.other_resources and all(own == pattern for own in self.resources)
            return pattern if same else ""
        if self.other_resources:
            meets = wildcards.arn_overlaps if self.allows else _may_meet
            return "" if any(meets(own, pattern) for own in self.resources) else "NotResource"
        covers = _may_cover if self.allows else _surely_covers
        return next((own for own in self.resources if covers(own, pattern)), "")

    @kept
    def _has_variables(self) -> bool:
        """Whether a policy variable in a resource, left without a value, may void the statement."""
        return any("${" in own and wildcards.without_variables(own) != own for own in self.resources)

    def whole(self, reach: Reach) -> tuple[str, ...]:
        """The elements that speak of all resources of a reach; NotResource counts as one."""
        if self.other_resources:
            return () if any(map(reach.ends_in, self.resources)) else ("NotResource",)
        return tuple(resource for resource in self.resources if reach.is_within(resource))

    def leaves_less(self, reach: Reach) -> bool:
        """Whether it speaks of all of a reach but a part."""
        left = self._has_variables or any(map(reach.is_within, self.resources))
        return self.other_resources and not left

    @property
    def spoken_of(self) -> tuple[str, ...]:
        """The elements that say on what."""
        return ("NotResource",) if self.other_resources else self.resources

    @kept
    def _narrowings(self) -> dict[frozenset[str], Narrowing]:
        return {}

    def narrowing(self, keys: frozenset[str]) -> Narrowing:
        """What its conditions do to what it gives, where the values of these keys narrow it enough."""
        if not self.conditions:
            return _VACUOUS
        known = self._narrowings.get(keys)
        if known is None:
            known = self._narrowings[keys] = conditions.narrowing(self.conditions, keys)
        return known

    @kept
    def _leavings(self) -> dict[frozenset[str], bool]:
        return {}

    def leaves_little(self, keys: frozenset[str]) -> bool:
        """Whether what a Deny leaves is nothing, or narrow enough by the values of these keys."""
        known = self._leavings.get(keys)
        if known is None:
            known = self._leavings[keys] = conditions.leave_little(self.conditions, keys)
        return known

    def settled(self, key: str, value: str) -> Statement | None:
        """The statement as a request with this value of a condition key meets it; None where it cannot."""
        if all(condition.key != key for condition in self.conditions):
            return self
        left = conditions.settled(self.conditions, key, value)
        if left is None:
            return None
        return msgspec.structs.replace(self, conditions=left)


def _may_cover(general: str, specific: str) -> bool:
    """As `wildcards.arn_covers`, in the widest reading: `*` across colons, a variable as anything."""
    wide = wildcards.without_variables(general)
    return wildcards.arn_covers(wide, specific) or wildcards.covers(wide, specific)


def _surely_covers(general: str, specific: str) -> bool:
    """As `wildcards.arn_covers`, whatever a variable in `specific` holds."""
    return wildcards.arn_covers(general, wildcards.without_variables(specific))


def _may_meet(one: str, other: str) -> bool:
    """As `wildcards.arn_overlaps`, in the widest reading."""
    one, other = wildcards.without_variables(one), wildcards.without_variables(other)
    if wildcards.arn_overlaps(one, other):
        return True
    completed = ":".join(wildcards.arn_segments(other))
    return wildcards.overlaps(one, other) or wildcards.overlaps(one, completed)


def parse(document: object) -> tuple[Statement, ...]:
    """The statements of a policy document, as AWS's JSON has it; none for no document.

    Raises:
        ValueError: what is given is not a policy document.
    """
    if document is None:
        return ()
    try:
        return _parse_text(_encode(document))
    except (TypeError, OverflowError, UnicodeEncodeError):
        return _parse(document)  # JSON has no such document


_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=8192)
def _parse_text(text: bytes) -> tuple[Statement, ...]:
    """Several rules read each document, and an account says the same in many."""
    return _parse(msgspec.json.decode(text))


def _parse(document: object) -> tuple[Statement, ...]:
    if not isinstance(document, Mapping):
        raise ValueError(f"a policy document is a mapping, not {type(document).__name__}")
    return tuple(_statement(index, raw) for index, raw in enumerate(_list(document.get("Statement", []))))


def _statement(index: int, raw: object) -> Statement:
    if not isinstance(raw, dict) or raw.get("Effect") not in ("Allow", "Deny"):
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
    return tuple(map(str, _list(raw.get(negated if negative else name, [])))), negative


def _principals(raw: object) -> Iterator[Principal]:
    if isinstance(raw, dict):
        for type_, values in raw.items():
            for value in _list(values):
                yield Principal(str(type_), str(value))
    elif raw is not None:
        for value in _list(raw):
            yield Principal("AWS", str(value))


def _list(value: object) -> list[object]:
    """AWS writes a list of one as the one."""
    return value if isinstance(value, list) else [value]
