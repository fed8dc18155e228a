"""findings.csv: one row a finding with everything joined, for spreadsheets and dashboards.

Cells that a spreadsheet would take for a formula are led by an apostrophe
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import msgspec
import pandas as pd

from wa_audit.report.audit import Audit
from wa_audit.text import visible

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def frame(audit: Audit) -> pd.DataFrame:
    """The flat table: a row for every finding, in the audit's order."""
    rows = []
    for finding in audit.findings:
        rule = audit.rules[finding.rule]
        resource = audit.resources[finding.resource]
        rows.append(
            {
                "finding_id": finding.id,
                "account": resource.account,
                "region": resource.region,
                "pillar": str(rule.pillar),
                "theme": rule.theme,
                "rule": finding.rule,
                "rule_title": rule.title,
                "severity": str(finding.severity),
                "status": str(finding.status),
                "resource_type": resource.type,
                "resource_name": resource.name,
                "resource_arn": finding.resource,
                "message": finding.message,
                "evidence": msgspec.json.encode(finding.evidence, order="sorted").decode(),
                "missing_action": audit.gaps[finding.gap].action if finding.gap is not None else "",
                "best_practices": " ".join(rule.best_practices),
                "fix": rule.fix,
                "audited_at": audit.run.finished,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS, dtype="string")


COLUMNS = (
    "finding_id",
    "account",
    "region",
    "pillar",
    "theme",
    "rule",
    "rule_title",
    "severity",
    "status",
    "resource_type",
    "resource_name",
    "resource_arn",
    "message",
    "evidence",
    "missing_action",
    "best_practices",
    "fix",
    "audited_at",
)


def render(audit: Audit) -> Iterator[bytes]:
    """The flat table as CSV, in UTF-8."""
    buffer = io.StringIO()
    frame(audit).map(_harmless).to_csv(buffer, index=False, lineterminator="\n")
    yield buffer.getvalue().encode("utf-8")


def _harmless(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    return f"'{visible(cell)}" if cell.startswith(_FORMULA) else visible(cell)
