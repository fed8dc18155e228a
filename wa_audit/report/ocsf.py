"""findings.ocsf.json: the findings as OCSF Compliance Findings (class 2003), a list for security lakes.

What does not apply is left out: it is no outcome. What could not be evaluated has the status Unknown and says
why. A suppressed failure is still Fail, with the status Suppressed.
https://schema.ocsf.io/1.5.0/classes/compliance_finding
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import msgspec

from wa_audit.model import Severity, Status
from wa_audit.report.audit import Audit
from wa_audit.report.findings import FindingRow
from wa_audit.text import visible

_VERSION = "1.5.0"
_SEVERITIES = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_OUTCOMES = {
    Status.PASS: (1, "Pass"),
    Status.FAIL: (3, "Fail"),
    Status.SUPPRESSED: (3, "Fail"),
    Status.NOT_EVALUATED: (0, "Unknown"),
    Status.ERROR: (0, "Unknown"),
}
_STANDARDS = ["AWS Well-Architected Framework", "AWS Well-Architected Data Analytics Lens"]


def render(audit: Audit) -> Iterator[bytes]:
    """A JSON list, in UTF-8, an event a line."""
    encode = msgspec.json.Encoder(order="sorted").encode
    time = int(datetime.datetime.fromisoformat(audit.run.finished).timestamp() * 1000)
    start = b"[\n"
    for finding in audit.findings:
        if finding.status in _OUTCOMES:
            yield start + encode(_event(audit, finding, time))
            start = b",\n"
    yield b"\n]\n" if start != b"[\n" else b"[]\n"


def _event(audit: Audit, finding: FindingRow, time: int) -> dict[str, Any]:
    rule, resource = audit.rules[finding.rule], audit.resources[finding.resource]
    severity_id, severity = _SEVERITIES[finding.severity]
    outcome_id, outcome = _OUTCOMES[finding.status]
    suppressed = finding.status is Status.SUPPRESSED
    message = visible(f"{resource.name} {finding.message}")
    return {
        "activity_id": 1,
        "activity_name": "Create",
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Compliance Finding",
        "class_uid": 2003,
        "type_name": "Compliance Finding: Create",
        "type_uid": 200301,
        "time": time,
        "severity": severity,
        "severity_id": severity_id,
        "status": "Suppressed" if suppressed else "New",
        "status_id": 3 if suppressed else 1,
        "status_detail": message,
        "message": message,
        "metadata": {
            "version": _VERSION,
            "event_code": finding.rule,
            "product": {
                "name": audit.tool.name,
                "vendor_name": audit.tool.name,
                "version": audit.tool.version,
            },
        },
        "finding_info": {
            "uid": finding.id,
            "title": visible(rule.failure_title if outcome == "Fail" else rule.title),
            "desc": visible(rule.why),
            "created_time": time,
            "types": [str(rule.pillar), rule.theme],
        },
        "compliance": {
            "control": finding.rule,
            "status": outcome,
            "status_id": outcome_id,
            "standards": _STANDARDS if rule.analytics_lens else _STANDARDS[:1],
            "requirements": [*rule.best_practices, *rule.analytics_lens],
        },
        "remediation": {
            "desc": visible(rule.fix),
            "references": [audit.practices[id_].url for id_ in rule.best_practices if id_ in audit.practices],
        },
        "resources": [
            {
                "uid": finding.resource,
                "name": resource.name,
                "type": resource.type,
                "region": resource.region,
                "cloud_partition": audit.run.partition,
                "labels": [f"{name}:{value}" for name, value in sorted(resource.tags.items())],
            }
        ],
        "cloud": {
            "provider": "AWS",
            "region": resource.region,
            "account": {
                "uid": resource.account,
                "type": "AWS Account",
                "type_id": 10,
                "name": resource.account,
            },
        },
        "unmapped": {"pipelines": resource.pipelines},
    }
