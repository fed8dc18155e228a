"""One row a finding with everything joined: what spreadsheets and dashboards read.

The columns are public: they keep their names and their order, and new ones come at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from wa_audit.report.audit import Audit
from wa_audit.report.findings import FindingRow

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
    "pipelines",
    "suppressed_by",
    "suppressed_until",
    "in_baseline",
    "waste_usd_a_month",
    "waste_confidence",
    "waste_assumptions",
    "carbon_saving_percent",
)


# Rows: what is made of a group is there several times, as a table's columns and as bytes.
GROUP = 5_000


def groups(audit: Audit, most: int = 0) -> Iterator[list[dict[str, str]]]:
    """The rows, `GROUP` or as many as `most` says at a time; with none, one empty group."""
    found, size = rows(audit), most or GROUP
    group = list(islice(found, size))
    while True:
        yield group
        if not (group := list(islice(found, size))):
            return


def rows(audit: Audit) -> Iterator[dict[str, str]]:
    """Each finding of the audit, in its order, as text by column; `evidence` is JSON."""
    encode = msgspec.json.Encoder(order="sorted").encode
    for finding in audit.findings:
        rule, resource = audit.rules[finding.rule], audit.resources[finding.resource]
        entry = None if finding.suppression is None else audit.suppressions[finding.suppression]
        yield {
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
            "evidence": encode(finding.evidence).decode(),
            "missing_action": audit.gaps[finding.gap].action if finding.gap is not None else "",
            "best_practices": " ".join(rule.best_practices),
            "fix": rule.fix,
            "audited_at": audit.run.finished,
            "pipelines": "; ".join(resource.pipelines),
            "suppressed_by": entry.owner if entry else "",
            "suppressed_until": entry.expires if entry else "",
            "in_baseline": "true" if finding.known else "false" if audit.baseline else "",
            **money(finding),
        }


def money(finding: FindingRow) -> dict[str, str]:
    """What a failure wastes, an empty text where no amount is known, and what its cure saves."""
    waste, carbon = finding.waste, finding.carbon
    return {
        "waste_usd_a_month": f"{waste.usd:.2f}" if waste and waste.usd is not None else "",
        "waste_confidence": str(waste.confidence) if waste else "",
        "waste_assumptions": "; ".join([*waste.assumptions, waste.reason]).strip("; ") if waste else "",
        "carbon_saving_percent": f"{carbon.percent:g}" if carbon else "",
    }
