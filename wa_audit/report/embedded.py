"""What the HTML report's script draws: the findings and all that they refer to, in columns, and packed.

A row of a table is a number; what many rows share stands in a table of its own. Packed, it is zlib's stream
in base64, which the page's script inflates.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from wa_audit.model import Severity, Status
from wa_audit.report import flat, money
from wa_audit.report.audit import Audit, PillarScore, ResourceFacts
from wa_audit.report.findings import outcomes
from wa_audit.score import WEIGHTS

# Below a grade's floor the next one begins; the last is for whatever is left.
GRADES = ((90, "good", "Good"), (50, "medium", "Needs work"), (0, "poor", "Poor"))
# More findings than these are no page's work: then the rules' counts are drawn, and audit.json is named.
MOST_FINDINGS = 100_000

STATUS_WORDS = {
    Status.FAIL: "Failing",
    Status.NOT_EVALUATED: "Not evaluated",
    Status.ERROR: "Check broke",
    Status.PASS: "Passing",
    Status.SUPPRESSED: "Suppressed",
    Status.NOT_APPLICABLE: "Not applicable",
}
# What a reader came for, and what nobody should overlook.
SHOWN_AT_FIRST = (Status.FAIL, Status.NOT_EVALUATED, Status.ERROR)

_BLOCK = re.compile(rb'(<script type="application/octet-stream" id="audit-data">)([^<]*)')
_encoder = msgspec.json.Encoder(order="sorted")


def offered(audit: Audit) -> list[Status]:
    """The statuses to filter by: those that this audit has, and the two that every reader looks for."""
    return [s for s in STATUS_WORDS if audit.overall.counts.get(s) or s in (Status.FAIL, Status.PASS)]


def cut(share: float | None) -> int | None:
    """A share as a whole number, cut and not rounded: 89.6 is not yet good, and 99.9 is not everything."""
    return None if share is None else int(share)


# -- packing ---------------------------------------------------------------------------------------


def pack(data: Any) -> str:
    """What a page's script draws, `data` for one, as JSON, deflated, in base64."""
    return base64.b64encode(zlib.compress(_encoder.encode(data), 9)).decode("ascii")


def unpack(page: bytes) -> dict[str, Any]:
    """What `pack` put into a report; raises ValueError where there is nothing of the kind."""
    found = _BLOCK.search(page)
    if found is None:
        raise ValueError("no data of a report")
    unpacked: dict[str, Any] = msgspec.json.decode(zlib.decompress(base64.b64decode(found[2])))
    return unpacked


def laid_open(page: bytes) -> bytes:
    """A report with its data as JSON that can be read, a member a line: for comparing two, not for a browser.

    Builds of zlib differ in the bytes that they pack the same data into; laid open, they are the same.
    """
    text = "\n".join(
        f"{json.dumps(name)}: {_lines(value)}" for name, value in sorted(unpack(page).items())
    ).encode()
    return _BLOCK.sub(lambda found: found[1] + b"\n" + text.replace(b"<", b"\\u003c") + b"\n", page)


def _lines(value: Any) -> str:
    """Tables with a column, and lists with a member, a line."""
    if isinstance(value, dict):
        return (
            "{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(value.items())) + "}"
        )
    if isinstance(value, list):
        return "[\n" + ",\n".join(f" {json.dumps(v)}" for v in value) + "]"
    return json.dumps(value)


# -- the tables ------------------------------------------------------------------------------------


class _Table:
    """Distinct values, numbered as they come: ten thousand findings share a few hundred messages."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, key: Any, row: Any) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self.rows)
            self.rows.append(row)
        return self._numbers[key]


def _columns(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Rows turned into columns by name; with no rows, empty ones."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return dict(zip(names, columns, strict=True))


def data(audit: Audit) -> dict[str, Any]:
    """Everything that the script draws.

    `findings` and `resources` are columns; `findings` is null where there are more than `MOST_FINDINGS`.
    A column whose name is that of a table holds the table's row numbers, -1 for none.
    """
    judged = {outcome.rule for outcome in outcomes(audit.findings)}
    rules = {id_: number for number, id_ in enumerate(id_ for id_ in audit.rules if id_ in judged)}
    whole = len(audit.findings) <= MOST_FINDINGS
    statuses = list(Status)
    return {
        "account": audit.run.account,
        "audited": audit.run.finished,
        "columns": flat.COLUMNS,
        "total": len(audit.findings),
        "baseline": audit.baseline is not None,
        "grades": GRADES,
        "statuses": [{"id": status, "words": STATUS_WORDS[status]} for status in statuses],
        "shown_at_first": [status for status in SHOWN_AT_FIRST if status in offered(audit)],
        "severities": list(Severity),
        "weights": [WEIGHTS[severity] for severity in Severity],
        "pillars": [_pillar(pillar) for pillar in audit.pillars],
        "rules": [_rule(audit, id_, statuses) for id_ in rules],
        "steps": [
            (rules[s.rule], s.gain, s.failures) for s in audit.fix_first if s.gain > 0 and s.rule in rules
        ],
        "practices": audit.practices,
        "suppressions": [(s.reason, s.owner, s.expires) for s in audit.suppressions],
        "gaps": [(gap.operation, gap.action, gap.region) for gap in audit.gaps],
        **(_findings(audit, rules, statuses) if whole else {"findings": None}),
    }


def _findings(audit: Audit, rules: dict[str, int], statuses: list[Status]) -> dict[str, Any]:
    severities = list(Severity)
    numbers = {arn: number for number, arn in enumerate(audit.resources)}
    messages, evidences, wastes = _Table(), _Table(), _Table()
    rows = []
    for finding in audit.findings:
        evidence = _encoder.encode(finding.evidence)
        rows.append(
            (
                rules[finding.rule],
                numbers[finding.resource],
                statuses.index(finding.status),
                severities.index(finding.severity),
                messages.number(finding.message, finding.message),
                evidences.number(evidence, msgspec.Raw(evidence)) if finding.evidence else -1,
                -1 if finding.gap is None else finding.gap,
                -1 if finding.suppression is None else finding.suppression,
                int(finding.known),
                wastes.number(lines, {"lines": lines, "columns": flat.money(finding)})
                if (lines := money.lines(finding.waste, finding.carbon))
                else -1,
            )
        )
    names = "rule resource status severity message evidence gap suppression known waste".split()
    return {
        "findings": _columns(names, rows),
        "messages": messages.rows,
        "evidence": evidences.rows,
        "waste": wastes.rows,
        "against": _against(audit),
        **_resources(audit.resources),
    }


def _against(audit: Audit) -> dict[str, list[int]]:
    """By finding: those on the same resource whose best practices pull the other way. By number."""
    pulling = {finding.id: number for number, finding in enumerate(audit.findings) if finding.against}
    return {
        str(number): [pulling[other] for other in audit.findings[number].against if other in pulling]
        for number in pulling.values()
    }


def _resources(resources: dict[str, ResourceFacts]) -> dict[str, Any]:
    types, tags, pipelines = _Table(), _Table(), _Table()
    rows = [
        (
            arn,
            types.number(r.type, r.type),
            r.name,
            r.account,
            r.region,
            tags.number(tuple(r.tags.items()), r.tags),
            pipelines.number(tuple(r.pipelines), r.pipelines),
        )
        for arn, r in resources.items()
    ]
    return {
        "resources": _columns("arn type name account region tags pipelines".split(), rows),
        "types": types.rows,
        "tags": tags.rows,
        "pipelines": pipelines.rows,
    }


def _pillar(pillar: PillarScore) -> dict[str, Any]:
    return {
        "id": pillar.pillar,
        "title": pillar.title,
        "score": cut(pillar.score),
        "coverage": cut(pillar.coverage),
        "themes": [
            {"id": t.theme, "title": t.title, "score": cut(t.score), "coverage": cut(t.coverage)}
            for t in pillar.themes
        ],
    }


def _rule(audit: Audit, id_: str, statuses: list[Status]) -> dict[str, Any]:
    rule = audit.rules[id_]
    return msgspec.structs.asdict(rule) | {
        "id": id_,
        "score": cut(rule.score),
        "coverage": cut(rule.coverage),
        "counts": [rule.counts.get(status, 0) for status in statuses],
    }
