"""What went wrong with a call, in the words of `Reason`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botocore import exceptions

from wa_audit.model import Reason

_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "NotAuthorized",
    "UnauthorizedException",
    "ForbiddenException",
    "UnauthorizedOperation",
    "Forbidden",
    "403",
    "AllAccessDisabled",
    "KMSAccessDeniedException",
    "OptInRequired",
    "SubscriptionRequiredException",
)
_EXPIRED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "InvalidToken",
    "AuthFailure",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
)
_THROTTLED = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "PriorRequestNotComplete",
    "SlowDown",
    "EC2ThrottledException",
    "TransactionInProgressException",
)
_NOT_IMPLEMENTED = (
    "NotImplemented",
    "NotYetImplemented",
    "NotImplementedException",
    "UnknownOperationException",
    "InvalidAction",
    "501",
)
# How moto answers where it knows the service and not the path.
_NO_SUCH_PATH = ("404: Not yet implemented",)
_UNREACHABLE = (
    exceptions.ConnectionError,
    exceptions.ConnectionClosedError,
    exceptions.HTTPClientError,
    exceptions.EndpointConnectionError,
)
_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.SSOError,
)


class Malformed(Exception):
    """AWS answered, and the answer lacks what it must have."""


class Unfinished(Exception):
    """AWS has begun what was asked for, and did not end it in the time that it was given."""


def code(error: BaseException) -> str:
    """The API's error code, or the exception's name."""
    if isinstance(error, exceptions.ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def means(error: BaseException, codes: Iterable[str]) -> bool:
    """Whether an error is one of `codes`; of `Code: words`, whether its message holds the words as well."""
    for wanted in codes:
        name, _, words = wanted.partition(": ")
        if code(error) == name and words in str(error):
            return True
    return False


def is_throttle(error_code: str) -> bool:
    return error_code in _THROTTLED


def was_throttled(response: Any) -> bool:
    """Whether AWS throttled a call, by what botocore has of its answer: the HTTP response and what was in it.

    An operation's own answer may have a member called `Error`, which is a text.
    """
    error = response[1].get("Error") if response else None
    return isinstance(error, dict) and is_throttle(str(error.get("Code", "")))


def reason(error: BaseException) -> Reason:
    """Which kind of failure this is."""
    if isinstance(error, exceptions.ClientError):
        return _client_error(error)
    if isinstance(error, _NO_CREDENTIALS):
        return Reason.EXPIRED_CREDENTIALS
    if isinstance(error, _UNREACHABLE):
        return Reason.UNREACHABLE
    # moto's word, in process, for an operation that it lacks: a refusal as honest as HTTP's 501.
    if isinstance(error, NotImplementedError):
        return Reason.NOT_IMPLEMENTED
    if isinstance(error, Unfinished):
        return Reason.FAILED
    # Whatever else breaks while an answer is read is an answer that cannot be read.
    return Reason.MALFORMED


def _client_error(error: exceptions.ClientError) -> Reason:
    found = code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    for codes, meaning in (
        (_DENIED, Reason.ACCESS_DENIED),
        (_EXPIRED, Reason.EXPIRED_CREDENTIALS),
        (_THROTTLED, Reason.THROTTLED),
        (_NOT_IMPLEMENTED, Reason.NOT_IMPLEMENTED),
    ):
        if found in codes:
            return meaning
    if status == 501 or means(error, _NO_SUCH_PATH):
        return Reason.NOT_IMPLEMENTED
    if status == 403:
        return Reason.ACCESS_DENIED
    return Reason.FAILED
