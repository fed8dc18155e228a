"""The Condition block of a policy statement: what it says, and whether it narrows a grant.

A condition narrows only by what it compares, how, and with which value. `StringLike aws:SourceArn *` holds
for every request that names a source, `StringEqualsIfExists aws:PrincipalOrgID o-1` for every anonymous one,
and `Bool aws:SecureTransport true` for everybody who speaks TLS.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import lru_cache

import msgspec

from wa_audit.aws import arns, wildcards


class Narrowing(Enum):
    """What a condition does to the grant that it stands in."""

    RESTRICTIVE = "restrictive"
    VACUOUS = "vacuous"
    UNKNOWN = "unknown"


class Condition(msgspec.Struct, frozen=True):
    """One comparison. `operator` and `key` are lower case; the values are alternatives, as text.

    `quantifier` is "forallvalues", "foranyvalue" or empty.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: str = ""
    if_exists: bool = False

    @property
    def tolerates_absence(self) -> bool:
        """Whether it holds for a request that lacks the key."""
        if self.operator == "null":
            return any(value.lower() == "true" for value in self.values)
        if self.quantifier:
            return self.quantifier == "forallvalues"
        return self.if_exists or self.operator in _OPPOSITES

    @property
    def compares_patterns(self) -> bool:
        """Whether wildcards in its values are wildcards. ArnEquals behaves as ArnLike does."""
        return self.operator in ("stringlike", "arnlike", "arnequals")


def _keys(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Who asks. A value of these picks out callers, an account, an organization or a network.
WHO = _keys(
    """
    aws:principalaccount aws:principalarn aws:principalisawsservice aws:principalorgid
    aws:principalorgpaths aws:principalservicename aws:principalservicenameslist aws:sourceaccount
    aws:sourcearn aws:sourceip aws:sourceorgid aws:sourceorgpaths aws:sourceowner aws:sourcevpc
    aws:sourcevpcarn aws:sourcevpce aws:userid aws:vpceaccount aws:vpceorgid aws:vpceorgpaths
    kms:calleraccount lambda:sourcefunctionarn s3:dataaccesspointaccount s3:dataaccesspointarn
    """
)

# What is asked for. A value of these picks out resources.
WHAT = _keys(
    """
    aws:resourceaccount aws:resourceorgid aws:resourceorgpaths aws:resourcetag/ dynamodb:leadingkeys
    ec2:resourcetag/ iam:resourcetag/ kms:encryptioncontext: kms:requestalias kms:resourcealiases
    kms:viaservice s3:accesspointtag/ s3:buckettag/ s3:dataaccesspointaccount s3:dataaccesspointarn
    s3:existingobjecttag/ s3:resourceaccount secretsmanager:resourcetag/ secretsmanager:secretid
    """
)

# Who owns what is asked for: with these, everything in an account is still everything.
OWNER = _keys("aws:resourceaccount aws:resourceorgid aws:resourceorgpaths s3:resourceaccount")

# To which service a role may be handed.
PASSED_TO = frozenset({"iam:passedtoservice"})

# Keys that say neither who nor what: the way, the moment, or what any caller can set for itself.
_NEITHER = _keys(
    """
    aws:calledvia aws:calledviafirst aws:calledvialast aws:currenttime aws:epochtime
    aws:multifactorauthage aws:multifactorauthpresent aws:principaltag/ aws:principaltype
    aws:referer aws:requestedregion aws:requesttag/ aws:securetransport aws:tagkeys
    aws:tokenissuetime aws:useragent aws:username aws:viaawsservice aws:vpcsourceip
    glue:evaluatedbylakeformationtags iam:passedtoservice lambda:functionurlauthtype
    lambda:invokedviafunctionurl s3:authtype s3:delimiter s3:max-keys s3:prefix s3:signatureage
    s3:signatureversion s3:tlsversion s3:versionid s3:x-amz- sns:protocol sts:externalid
    sts:rolesessionname sts:sourceidentity sts:transitivetagkeys
    """
)
_KNOWN = WHO | WHAT | _NEITHER
_FAMILIES = tuple(key for key in _KNOWN if key.endswith(("/", ":", "-")))

# Keys that every request of their kind carries, so that IfExists takes nothing from them.
_ALWAYS_PRESENT = frozenset(
    {"aws:resourceaccount", "dynamodb:leadingkeys", "iam:passedtoservice", "s3:resourceaccount"}
)

_ARNS = _keys(
    """
    aws:principalarn aws:sourcearn aws:sourcevpcarn lambda:sourcefunctionarn s3:dataaccesspointarn
    """
)
_PATHS = _keys(
    """
    aws:principalorgpaths aws:resourceorgpaths aws:sourceorgpaths aws:vpceorgpaths
    """
)
_SERVICES = _keys(
    """
    kms:viaservice iam:passedtoservice aws:principalservicename aws:principalservicenameslist
    """
)
# Identifiers that AWS gives out at random: a part of one picks out nothing.
_IDENTIFIERS = _keys(
    """
    aws:principalaccount aws:principalorgid aws:sourceaccount aws:sourceorgid aws:sourceowner
    aws:sourcevpc aws:sourcevpce aws:vpceaccount aws:vpceorgid aws:resourceaccount aws:resourceorgid
    kms:calleraccount s3:dataaccesspointaccount s3:resourceaccount
    """
)
# The one value that narrows.
_ONLY = {"aws:principalisawsservice": "true", "lambda:functionurlauthtype": "aws_iam"}

_OPPOSITES = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
}
_TEXT = frozenset({*_OPPOSITES.values(), "bool"})


def parse(block: object) -> Iterator[Condition]:
    """The comparisons of a Condition block, all of which must hold."""
    for operator, comparisons in block.items() if isinstance(block, dict) else ():
        quantifier, _, name = operator.lower().rpartition(":")
        for key, values in comparisons.items() if isinstance(comparisons, dict) else ():
            yield Condition(
                operator=name.removesuffix("ifexists"),
                key=key.lower(),
                values=tuple(_text(value) for value in (values if isinstance(values, list) else [values])),
                quantifier=quantifier,
                if_exists=name.endswith("ifexists"),
            )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def narrowing(conditions: Iterable[Condition], keys: frozenset[str]) -> Narrowing:
    """What conditions that must all hold do to a grant, where `keys` are those whose values narrow it.

    One that restricts suffices; failing that, one that is not understood leaves the whole unknown.
    """
    conditions = tuple(conditions)
    present = {c.key for c in conditions if not c.tolerates_absence}
    found = {_narrowing(c, keys, c.key in present) for c in conditions}
    for outcome in (Narrowing.RESTRICTIVE, Narrowing.UNKNOWN):
        if outcome in found:
            return outcome
    return Narrowing.VACUOUS


def _narrowing(condition: Condition, keys: frozenset[str], present: bool) -> Narrowing:
    key = _family(condition.key)
    if key not in keys and key not in _KNOWN:
        anything = condition.compares_patterns and any(wildcards.covers(v, "?*") for v in condition.values)
        return Narrowing.VACUOUS if anything else Narrowing.UNKNOWN
    if key not in keys or condition.operator == "null" or condition.operator in _OPPOSITES:
        # "Anyone but" is nearly anyone.
        return Narrowing.VACUOUS
    if condition.operator not in _TEXT:
        return Narrowing.UNKNOWN
    if condition.tolerates_absence and not (present or key in _ALWAYS_PRESENT):
        return Narrowing.VACUOUS
    if key == "aws:sourceip" and _are_wide(condition.values):
        return Narrowing.VACUOUS
    if any(_is_open(key, value, condition.compares_patterns) for value in condition.values):
        return Narrowing.VACUOUS
    return Narrowing.RESTRICTIVE


@lru_cache(maxsize=4096)
def _family(key: str) -> str:
    """The key, or for one of an open family such as `aws:ResourceTag/team` the family."""
    return next((family for family in _FAMILIES if key.startswith(family)), key)


def _is_open(key: str, value: str, pattern: bool) -> bool:
    """Whether the value lets in whom, or what, the key should keep out."""
    if key in _ONLY:
        return value.lower() != _ONLY[key]
    if _is_itself(key, value):
        return True
    if key in WHO and "${" in value:
        # Callers fill it with what is their own, so that it lets in as many as a wildcard.
        open_, count = _OF_CALLER.subn("*", value)
        value, pattern = (open_, True) if count else (value, pattern)
    if not pattern or not wildcards.has_wildcard(value):
        return False
    if key in _ARNS:
        return _is_open_arn(value)
    if key in _IDENTIFIERS:
        return True
    if key in _PATHS:
        return wildcards.has_wildcard(value.partition("/")[0])
    if key == "aws:userid":
        return wildcards.has_wildcard(value.partition(":")[0])
    if key in _SERVICES:
        return wildcards.covers(value, "?*.amazonaws.com")
    if key.endswith(":sub"):
        return _is_open_subject(value)
    return wildcards.covers(value, "?*")


def _is_open_arn(value: str) -> bool:
    """Whether an ARN pattern binds neither an account nor, in S3, whose ARNs name none, a bucket.

    Anybody can make a bucket whose name begins like another's.
    """
    arn = arns.parse(value + ":*" * max(0, 5 - value.count(":")))
    if arn.service == "s3" and not arn.resource.startswith("accesspoint"):
        return wildcards.has_wildcard(arn.resource.partition("/")[0]) and (
            not arn.account or wildcards.has_wildcard(arn.account)
        )
    if arn.account:
        return wildcards.has_wildcard(arn.account)
    return not wildcards.literal_start(arn.resource)


def _is_open_subject(value: str) -> bool:
    """Whether a federated subject is left open; GitHub's `repo:OWNER/NAME:…` is, without its owner."""
    start = wildcards.literal_start(value)
    return not start or (start.startswith("repo:") and "/" not in start)


# A policy variable whose value is the caller's, whoever that is.
_OF_CALLER = re.compile(
    r"\$\{(?:aws:(?:principal|request|source|user|vpce)|[\w.-]+:(?:sub|aud|amr)\b)[^}]*\}", re.I
)


def _is_itself(key: str, value: str) -> bool:
    """Whether a value is a policy variable of the very key that it is compared with."""
    name = value[2:-1].partition(",")[0].strip().lower() if value.startswith("${") else ""
    return bool(name) and name.startswith(key)


def _are_wide(values: Iterable[str]) -> bool:
    """Whether address ranges are together as good as the internet.

    One wider than /8, or /32 in IPv6, is, as S3 sees it, and so is half of all IPv4 addresses in pieces.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    found: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    for value in values:
        try:
            found.append(ipaddress.ip_network(value, strict=False))
        except ValueError:
            continue
    four = list(ipaddress.collapse_addresses(n for n in found if isinstance(n, ipaddress.IPv4Network)))
    six = ipaddress.collapse_addresses(n for n in found if isinstance(n, ipaddress.IPv6Network))
    return (
        any(network.prefixlen < 8 for network in four)
        or any(network.prefixlen < 32 for network in six)
        or sum(network.num_addresses for network in four) >= 2**31
    )


def settled(conditions: Iterable[Condition], key: str, value: str) -> tuple[Condition, ...] | None:
    """The conditions that are left for a request in which a key has this one value; None where one fails."""
    left = []
    for condition in conditions:
        holds = _holds(condition, value) if condition.key == key else None
        if holds is False:
            return None
        if holds is None:
            left.append(condition)
    return tuple(left)


def _holds(condition: Condition, value: str) -> bool | None:
    """Whether a condition holds for a value of its key; None where its operator does not tell."""
    if condition.operator == "null":
        return not condition.tolerates_absence
    operator = _OPPOSITES.get(condition.operator, condition.operator)
    values = condition.values
    if any("${" in other for other in values):
        return None
    if operator == "stringlike":
        found = any(wildcards.matches(other, value) for other in values)
    elif operator == "stringequals":
        found = value in values
    elif operator in ("stringequalsignorecase", "bool"):
        found = value.lower() in [other.lower() for other in values]
    elif operator in ("arnlike", "arnequals"):
        found = any(other == "*" or wildcards.arn_covers(other, value) for other in values)
    else:
        return None
    return found is not (condition.operator in _OPPOSITES)


def complement(condition: Condition) -> Condition | None:
    """The condition that holds exactly where this one does not; None where no operator says that.

    A Deny with `StringNotEquals aws:PrincipalOrgID o-1` leaves what an Allow with StringEquals would give.
    """
    operator = _OPPOSITES.get(condition.operator)
    if operator is not None:
        quantifier = {"forallvalues": "foranyvalue", "foranyvalue": "forallvalues"}.get(
            condition.quantifier, ""
        )
        return Condition(operator, condition.key, condition.values, quantifier)
    if condition.operator == "bool" and len(condition.values) == 1 and not condition.quantifier:
        flipped = {"true": "false", "false": "true"}.get(condition.values[0].lower())
        if flipped:
            return msgspec.structs.replace(condition, values=(flipped,), if_exists=not condition.if_exists)
    if condition.operator == "null" and len(condition.values) == 1:
        flipped = {"true": "false", "false": "true"}.get(condition.values[0].lower())
        if flipped:
            return msgspec.structs.replace(condition, values=(flipped,))
    return None


def leave_little(conditions: Iterable[Condition], keys: frozenset[str]) -> bool:
    """Whether a Deny with these conditions leaves nothing, or what is narrow enough by the values of `keys`.

    A Deny applies where all its conditions hold; it leaves what fails any of them, so that each must leave
    little.
    """
    left = [complement(condition) for condition in conditions]
    return all(other is not None and narrowing([other], keys) is Narrowing.RESTRICTIVE for other in left)
