"""What a scheduled run tells AWS beside the objects that it writes: metrics, notices, its next invocation.

These calls have nothing to do with the session that reads an account, whose guard refuses every write. Each
is made by a client of its own that can call this one operation and nothing else.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore import exceptions

from wa_audit import __version__
from wa_audit.model import OutputError, Severity, Status
from wa_audit.text import visible

if TYPE_CHECKING:
    from wa_audit.report.audit import Audit, PillarScore
    from wa_audit.report.diff import Diff, Row
    from wa_audit.report.organization import Organization
    from wa_audit.score import Score

WRITES = frozenset({"sns:Publish", "events:PutEvents", "lambda:InvokeFunction"})

# SNS takes 256 KiB and EventBridge 256 KB an entry; a notice names the first of what got worse.
_MOST_NAMED = 20


def invoke(function: str, event: dict[str, Any]) -> None:
    """Has Lambda call a function once more, without waiting for it."""
    payload = json.dumps(event, sort_keys=True).encode()
    _call("lambda", "Invoke", FunctionName=function, InvocationType="Event", Payload=payload)


def tell_topic(topic: str, change: Diff, worse: Sequence[Row], report: str) -> None:
    """Sends a notice to an SNS topic."""
    lines = [
        f"Account {change.account} got worse: {_counted(worse)} new or worse.",
        f"Score {_figure(change.old.score)} before, {_figure(change.new.score)} now; "
        f"coverage {_figure(change.old.coverage)} % before, {_figure(change.new.coverage)} % now.",
        "",
        *(f"{row.severity}: {row.rule}: {visible(row.resource)}" for row in worse[:_MOST_NAMED]),
        *([f"and {len(worse) - _MOST_NAMED} more"] if len(worse) > _MOST_NAMED else []),
        "",
        f"Report: {report}",
    ]
    subject = f"wa-audit: account {change.account} got worse ({len(worse)} findings)"
    _call("sns", "Publish", TopicArn=topic, Subject=subject, Message="\n".join(lines))


def tell_bus(bus: str, change: Diff, worse: Sequence[Row], report: str) -> None:
    """Puts an event on an event bus, whose detail rules can match on."""
    detail = {
        "account": change.account,
        "score": {"before": change.old.score, "after": change.new.score},
        "coverage": {"before": change.old.coverage, "after": change.new.coverage},
        "worse": len(worse),
        "severities": dict(sorted(Counter(str(row.severity) for row in worse).items())),
        "findings": [
            {"rule": row.rule, "resource": row.resource, "severity": str(row.severity)}
            for row in worse[:_MOST_NAMED]
        ],
        "report": report,
    }
    entry = {
        "Source": "wa-audit",
        "DetailType": "Audit got worse",
        "Detail": json.dumps(detail, sort_keys=True),
        "EventBusName": bus,
    }
    answer = _call("events", "PutEvents", Entries=[entry])
    if answer.get("FailedEntryCount"):
        code = answer["Entries"][0].get("ErrorCode", "")
        raise OutputError(f"events:PutEvents to {bus} failed: {code}")


def metrics(audit: Audit, namespace: str) -> Iterator[str]:
    """Lines for the log that CloudWatch makes metrics of: score, coverage and open findings of the account,
    of each pillar and of each severity. A score that is not known is no datum.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    account = {"Account": audit.run.account}
    failing = [finding for finding in audit.findings if finding.status is Status.FAIL]
    severities = Counter(finding.severity for finding in failing)
    whole = {
        "Score": audit.overall.score,
        "Coverage": audit.overall.coverage,
        "OpenFindings": len(failing),
        "Complete": int(audit.run.complete),
    }
    when = audit.run.finished
    yield _datum(when, namespace, account, whole)
    for found in audit.pillars:
        yield _datum(when, namespace, {**account, "Pillar": str(found.pillar)}, _standing(found))
    for severity in Severity:
        values = {"OpenFindings": severities[severity]}
        yield _datum(when, namespace, {**account, "Severity": str(severity)}, values)


def organization_metrics(whole: Organization, namespace: str) -> Iterator[str]:
    """The same of an organization, with how many accounts were audited, and how many were not."""
    when = datetime.datetime.strptime(whole.run, "%Y%m%dT%H%M%S%z").isoformat()
    everything = {
        **_standing(whole.overall),
        "AccountsAudited": whole.audited,
        "AccountsNotAudited": whole.planned - whole.audited,
    }
    yield _datum(when, namespace, {"Scope": "organization"}, everything)
    for pillar, found in sorted(whole.pillars.items()):
        yield _datum(when, namespace, {"Scope": "organization", "Pillar": str(pillar)}, _standing(found))


def _standing(found: Score | PillarScore) -> dict[str, Any]:
    return {
        "Score": found.score,
        "Coverage": found.coverage,
        "OpenFindings": found.counts.get(Status.FAIL, 0),
    }


def got_worse(whole: Organization) -> bool:
    """Whether the score fell since the run before, or more accounts were not audited."""
    if not whole.trend:
        return False
    before, now = whole.trend[-1], whole.overall.score
    fell = before.score is not None and now is not None and now < before.score
    return fell or whole.planned - whole.audited > before.planned - before.audited


def tell_of_organization(topic: str, whole: Organization, report: str) -> None:
    """Sends a notice of an organization that got worse."""
    before = whole.trend[-1]
    lines = [
        f"The organization got worse between run {before.run} and run {whole.run}.",
        f"Score {_figure(before.score)} before, {_figure(whole.overall.score)} now; "
        f"coverage {_figure(before.coverage)} % before, {_figure(whole.overall.coverage)} % now.",
        f"Accounts audited: {before.audited} of {before.planned} before, "
        f"{whole.audited} of {whole.planned} now.",
        "",
        *(f"not audited: {each.account}: {each.reason}" for each in whole.not_audited[:_MOST_NAMED]),
        *(
            [f"and {len(whole.not_audited) - _MOST_NAMED} more"]
            if len(whole.not_audited) > _MOST_NAMED
            else []
        ),
        "",
        f"Report: {report}",
    ]
    _call(
        "sns",
        "Publish",
        TopicArn=topic,
        Subject="wa-audit: the organization got worse",
        Message="\n".join(lines),
    )


_UNITS = {
    "Score": "None",
    "Coverage": "Percent",
    "OpenFindings": "Count",
    "Complete": "Count",
    "AccountsAudited": "Count",
    "AccountsNotAudited": "Count",
}


def _datum(when: str, namespace: str, dimensions: dict[str, str], values: dict[str, Any]) -> str:
    known = {name: value for name, value in values.items() if value is not None}
    finished = datetime.datetime.fromisoformat(when)
    about = {
        "Timestamp": int(finished.timestamp() * 1000),
        "CloudWatchMetrics": [
            {
                "Namespace": namespace,
                "Dimensions": [sorted(dimensions)],
                "Metrics": [{"Name": name, "Unit": _UNITS[name]} for name in sorted(known)],
            }
        ],
    }
    return json.dumps({"_aws": about, **dimensions, **known}, sort_keys=True)


def _counted(rows: Sequence[Row]) -> str:
    numbers = Counter(row.severity for row in rows)
    return ", ".join(f"{numbers[severity]} {severity}" for severity in Severity if numbers[severity])


def _figure(value: float | None) -> str:
    return "not known" if value is None else f"{value:g}"


def _call(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
    """Makes one call. Raises OutputError, with the action where it was denied."""
    from wa_audit.collect.errors import reason
    from wa_audit.model import Reason

    method = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
    action = "lambda:InvokeFunction" if operation == "Invoke" else f"{service}:{operation}"
    try:
        answer: dict[str, Any] = getattr(_client(service, operation), method)(**parameters)
    except exceptions.ClientError as error:
        told = error.response.get("Error", {})
        denied = f"; it needs {action}" if reason(error) is Reason.ACCESS_DENIED else ""
        raise OutputError(f"{action} failed: {told.get('Code')}: {told.get('Message')}{denied}") from None
    except exceptions.BotoCoreError as error:
        raise OutputError(f"{action} failed: {str(error).splitlines()[0]}") from None
    return answer


@cache
def _client(service: str, operation: str) -> Any:
    """A client of one operation. It is kept, as Lambda keeps the process: it takes a third of a second."""
    import boto3
    from botocore.config import Config

    from wa_audit.collect.guard import Guard

    session = boto3.session.Session()
    config = Config(
        user_agent_extra=f"wa-audit/{__version__}",
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=10,
        read_timeout=60,
    )
    client = session.client(service, config=config)
    guard = Guard()
    guard.allowed = frozenset({f"{service}:{operation}"})
    guard.install(client.meta.events)
    return client
