"""Findings sent to Security Hub: the one write that this program can make, and only where it is asked for.

securityhub:BatchImportFindings takes up to 100 findings a call, of the account that calls; the hub of each
region takes its own. It can be repeated: a finding that is there already is updated.
https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from botocore import exceptions

from wa_audit.collect import errors
from wa_audit.collect.session import AwsSession
from wa_audit.model import ConfigurationError, Reason

BATCH = 100
_NOT_SUBSCRIBED = "InvalidAccessException"  # the hub is not switched on in this region


class Failure(NamedTuple):
    """A finding that Security Hub did not take, by its id; `code` and `words` are AWS's."""

    id: str
    region: str
    code: str
    words: str


class Sent(NamedTuple):
    """How many findings each region's hub took, and those that it did not."""

    taken: dict[str, int]
    failures: list[Failure]


def send(session: AwsSession, account: str, findings: Mapping[str, Sequence[Mapping[str, Any]]]) -> Sent:
    """Sends findings, by region, to the hubs of an account.

    Raises:
        ConfigurationError: the credentials are not of this account, of which alone the hub takes findings.
        CredentialsError: there are no usable ones.
    """
    if not findings:
        return Sent({}, [])
    caller = session.identity(next(iter(findings))).account
    if caller != account:
        raise ConfigurationError(
            f"--send: the audit is of account {account}, and the credentials are of {caller}; "
            "Security Hub takes findings from their own account alone"
        )
    session.guard.allow_writes()
    taken: dict[str, int] = {}
    failures: list[Failure] = []
    for region, own in findings.items():
        taken[region] = 0
        left = iter(own)
        while batch := list(islice(left, BATCH)):
            count, failed, shut = _send_batch(session.client("securityhub", region), region, batch)
            taken[region] += count
            failures += failed
            if shut:
                failures += [failed[0]._replace(id=finding["Id"]) for finding in left]
    return Sent(taken, failures)


def _send_batch(
    client: Any, region: str, batch: Sequence[Mapping[str, Any]]
) -> tuple[int, list[Failure], bool]:
    """How many of a batch were taken, those that were not, and whether the hub will take no other either."""

    def none_of(code: str, words: str) -> list[Failure]:
        return [Failure(finding["Id"], region, code, words) for finding in batch]

    try:
        answer = client.batch_import_findings(Findings=batch)
    except exceptions.ClientError as error:
        code = errors.code(error)
        shut = errors.reason(error) in (Reason.ACCESS_DENIED, Reason.EXPIRED_CREDENTIALS)
        words = str(error.response.get("Error", {}).get("Message", ""))
        return 0, none_of(code, words), shut or code == _NOT_SUBSCRIBED
    except exceptions.BotoCoreError as error:
        return 0, none_of(type(error).__name__, str(error)), False
    failed = [
        Failure(str(f.get("Id", "")), region, str(f.get("ErrorCode", "")), str(f.get("ErrorMessage", "")))
        for f in answer.get("FailedFindings") or ()
    ]
    taken = answer.get("SuccessCount")
    if not isinstance(taken, int) or taken + len(failed) != len(batch):
        # A body that was cut off comes back as an empty answer.
        return 0, none_of("Malformed", "the answer does not account for every finding"), False
    return taken, failed, False
