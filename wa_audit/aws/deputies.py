"""Whether an AWS service that a policy lets in may come on anybody's behalf: the confused deputy.

A service acts for all its customers. Only a condition on whom it acts for keeps it from being sent by another
one: on the source's account, ARN or organization, in a key policy on the encryption context, and for Alexa
skills on their token.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html#cross-service-confused-deputy-prevention
https://docs.aws.amazon.com/kms/latest/developerguide/least-privilege.html
https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wa_audit.aws import arns, policy, wildcards

# What names a service names no customer of it.
_NAMES_SERVICE = frozenset(
    {"aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist"}
)
_CONTEXT = "kms:encryptioncontext:"
_BINDS = (policy.WHO - _NAMES_SERVICE) | {_CONTEXT, "lambda:eventsourcetoken"}
_SERVICE = policy.Caller.SERVICE
_ANY_SERVICE = policy.Principal("Service", "any AWS service")
# Their values are ARNs, of which not all name an account.
_BY_ARN = frozenset({"aws:sourcearn", _CONTEXT})
_BINDS_WITHOUT_ARN = _BINDS - _BY_ARN


def lets_in(statements: Iterable[policy.Statement]) -> bool:
    """Whether a policy, told apart, allows anything to an AWS service."""
    return any(s.allows and any(map(_is_service, s.callers)) for s in statements)


def unbound(statements: Iterable[policy.Statement]) -> list[policy.Exposure]:
    """The Allows of a service that hold on anybody's behalf, of a policy that was told apart."""
    return policy.exposures(statements, _is_service, _BINDS)


def half_bound(
    statements: Iterable[policy.Statement], unbound: Iterable[policy.Exposure]
) -> list[policy.Exposure]:
    """The Allows of a service that are bound by nothing but ARNs without an account, such as a bucket's.

    Who owns a bucket's name can change: where it was deleted, anybody may take it. `unbound` are those of the
    same policy that nothing binds.
    """
    open_ = {(exposure.statement.index, exposure.principal) for exposure in unbound}
    return [
        exposure
        for exposure in policy.exposures(statements, _is_service, _BINDS_WITHOUT_ARN)
        if (exposure.statement.index, exposure.principal) not in open_
        and not any(map(_names_account, exposure.statement.conditions))
    ]


def told_apart(statements: Iterable[policy.Statement]) -> list[policy.Statement]:
    """The statements of a policy, with AWS's services for everyone where a condition lets in nobody else."""
    return [
        msgspec.structs.replace(statement, principals=(_ANY_SERVICE,), other_principals=False)
        if statement.allows
        and any(map(policy.is_public, statement.callers))
        and statement.narrowing(_NAMES_SERVICE) is policy.Narrowing.RESTRICTIVE
        else statement
        for statement in statements
    ]


def _is_service(caller: policy.Principal) -> bool:
    return caller.kind is _SERVICE


def _names_account(condition: policy.Condition) -> bool:
    """Whether each value of a condition is an ARN with an account, or what is no ARN at all."""
    if not condition.key.startswith(tuple(_BY_ARN)) or condition.tolerates_absence:
        return False
    accounts = [arns.parse(value).account for value in condition.values if value.startswith("arn:")]
    return all(account and not wildcards.has_wildcard(account) for account in accounts)
