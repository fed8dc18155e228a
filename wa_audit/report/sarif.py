"""findings.sarif: the failures as SARIF 2.1.0, which GitHub code scanning and many a viewer read.

A failure is a result of kind `fail`; what could not be evaluated is one of kind `open`, and what stood in the
way a notification of the run. A suppressed failure bears its reason. A resource is a logical location by its
ARN; a physical one, which code scanning asks for, is a path made of account, region, type and name.
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from wa_audit.model import Severity, Status
from wa_audit.report.audit import Audit, RuleText
from wa_audit.report.findings import FindingRow
from wa_audit.text import visible

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# What GitHub sorts by: over 9 is critical, over 7 high, over 4 medium.
# https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
_SECURITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.5",
}
_SHOWN = (Status.FAIL, Status.SUPPRESSED, Status.NOT_EVALUATED, Status.ERROR)


def render(audit: Audit) -> Iterator[bytes]:
    """The log, in UTF-8; its results are written as they are made."""
    encode = msgspec.json.Encoder(order="sorted").encode
    numbers = {rule: number for number, rule in enumerate(audit.rules)}
    driver = {
        "name": audit.tool.name,
        "version": audit.tool.version,
        "semanticVersion": audit.tool.version,
        "rules": [_rule(audit, name, text) for name, text in audit.rules.items()],
    }
    yield b'{"version":"2.1.0","$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{"tool":'
    yield encode({"driver": driver})
    yield b',"invocations":' + encode([_invocation(audit)]) + b',"results":[\n'
    between = b""
    for finding in audit.findings:
        if finding.status in _SHOWN:
            yield between + encode(_result(audit, finding, numbers[finding.rule]))
            between = b",\n"
    yield b"\n]}]}\n"


def _rule(audit: Audit, name: str, text: RuleText) -> dict[str, Any]:
    practices = [audit.practices[id_] for id_ in text.best_practices if id_ in audit.practices]
    properties: dict[str, Any] = {"tags": [str(text.pillar), text.theme, *text.best_practices]}
    if text.pillar == "security":
        properties["tags"].insert(0, "security")
        properties["security-severity"] = _SECURITY[text.severity]
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": visible(text.failure_title)},
        "fullDescription": {"text": visible(text.why)},
        "help": {"text": visible(text.fix)},
        "defaultConfiguration": {"level": _LEVELS[text.severity]},
        "properties": properties,
        **({"helpUri": practices[0].url} if practices else {}),
    }


def _invocation(audit: Audit) -> dict[str, Any]:
    return {
        "executionSuccessful": audit.run.complete,
        "startTimeUtc": audit.run.started,
        "endTimeUtc": audit.run.finished,
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": visible(gap.sentence)}} for gap in audit.gaps
        ],
    }


def _result(audit: Audit, finding: FindingRow, number: int) -> dict[str, Any]:
    resource = audit.resources[finding.resource]
    # Only what fails has a level: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html#_Toc34317648
    failing = finding.status in (Status.FAIL, Status.SUPPRESSED)
    place = "/".join(
        quote(part, safe="")
        for part in ("aws", resource.account, resource.region or "global", resource.type, resource.name)
        if part
    )
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "kind": "fail" if failing else "open",
        "level": _LEVELS[finding.severity] if failing else "none",
        "message": {"text": visible(f"{resource.name} {finding.message}")},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": place}, "region": {"startLine": 1}},
                "logicalLocations": [
                    {"fullyQualifiedName": finding.resource, "name": resource.name, "kind": "resource"}
                ],
            }
        ],
        "partialFingerprints": {"wa-audit/v1": finding.id},
    }
    if finding.suppression is not None:
        entry = audit.suppressions[finding.suppression]
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": visible(f"{entry.reason} ({entry.owner})"),
            }
        ]
    if audit.baseline is not None:
        result["baselineState"] = "unchanged" if finding.known else "new"
    return result
