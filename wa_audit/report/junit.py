"""findings.xml: the findings as JUnit's XML, which every CI shows: a suite a rule, a case a resource.

A failure is a failed case; what could not be evaluated, was suppressed or does not apply is a skipped one,
with its reason; a check that broke is an error. Failures that are in the baseline are skipped too: they break
no build.
https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from wa_audit.model import Status
from wa_audit.report.audit import Audit
from wa_audit.report.findings import FindingRow
from wa_audit.text import visible

# What becomes of a finding in JUnit's words; a pass has none.
_OUTCOMES = {
    Status.FAIL: "failure",
    Status.ERROR: "error",
    Status.NOT_EVALUATED: "skipped",
    Status.NOT_APPLICABLE: "skipped",
    Status.SUPPRESSED: "skipped",
}


def render(audit: Audit) -> Iterator[bytes]:
    """The XML, in UTF-8; control bytes, which XML cannot hold, are written out."""
    yield b'<?xml version="1.0" encoding="utf-8"?>\n'
    yield f"<testsuites name={_text(f'wa-audit {audit.run.account}')}>\n".encode()
    for rule, found in itertools.groupby(audit.findings, key=lambda finding: finding.rule):
        yield _suite(audit, rule, list(found)).encode()
    yield b"</testsuites>\n"


def _suite(audit: Audit, rule: str, findings: list[FindingRow]) -> str:
    counts = Counter(map(_outcome, findings))
    figures = (
        f'tests="{len(findings)}" failures="{counts["failure"]}" errors="{counts["error"]}" '
        f'skipped="{counts["skipped"]}"'
    )
    cases = "".join(_case(audit, finding) for finding in findings)
    when = audit.run.finished.removesuffix("Z")
    return f" <testsuite name={_text(rule)} {figures} timestamp={_text(when)}>\n{cases} </testsuite>\n"


def _case(audit: Audit, finding: FindingRow) -> str:
    rule, resource = audit.rules[finding.rule], audit.resources[finding.resource]
    name = _text(f"{resource.name} ({finding.resource})")
    start = f"  <testcase classname={_text(f'{rule.pillar}.{rule.theme}')} name={name}"
    outcome = _outcome(finding)
    if not outcome:
        return f"{start}/>\n"
    message = f"message={_text(f'{resource.name} {finding.message}')}"
    if outcome == "failure":
        kind, fix = _text(str(finding.severity)), escape(visible(rule.fix))
        return f"{start}><failure type={kind} {message}>{fix}</failure></testcase>\n"
    return f"{start}><{outcome} {message}/></testcase>\n"


def _outcome(finding: FindingRow) -> str:
    return "skipped" if finding.known else _OUTCOMES.get(finding.status, "")


def _text(text: str) -> str:
    return quoteattr(visible(text))
