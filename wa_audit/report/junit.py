"""findings.xml: the findings as JUnit's XML, which every CI shows: a suite a rule, a case a resource.

A failure is a failed case; what could not be evaluated, was suppressed or does not apply is a skipped one,
with its reason; a check that broke is an error. Failures that are in the baseline are skipped too: they break
no build.
https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from wa_audit.model import Status
from wa_audit.report.audit import Audit, FindingRow
from wa_audit.text import visible

_SKIPPED = (Status.NOT_EVALUATED, Status.NOT_APPLICABLE, Status.SUPPRESSED)


def render(audit: Audit) -> Iterator[bytes]:
    """The XML, in UTF-8; control bytes, which XML cannot hold, are written out."""
    yield b'<?xml version="1.0" encoding="utf-8"?>\n'
    yield f"<testsuites name={_text(f'wa-audit {audit.run.account}')}>\n".encode()
    for rule, found in itertools.groupby(audit.findings, key=lambda finding: finding.rule):
        yield _suite(audit, rule, list(found)).encode()
    yield b"</testsuites>\n"


def _suite(audit: Audit, rule: str, findings: list[FindingRow]) -> str:
    failures = sum(1 for f in findings if _fails(f))
    errors = sum(1 for f in findings if f.status is Status.ERROR)
    skipped = sum(1 for f in findings if f.status in _SKIPPED or (f.status is Status.FAIL and f.known))
    figures = f'tests="{len(findings)}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    cases = "".join(_case(audit, finding) for finding in findings)
    when = audit.run.finished.removesuffix("Z")
    return f" <testsuite name={_text(rule)} {figures} timestamp={_text(when)}>\n{cases} </testsuite>\n"


def _case(audit: Audit, finding: FindingRow) -> str:
    rule, resource = audit.rules[finding.rule], audit.resources[finding.resource]
    name = _text(f"{resource.name} ({finding.resource})")
    start = f"  <testcase classname={_text(f'{rule.pillar}.{rule.theme}')} name={name}"
    message = _text(f"{resource.name} {finding.message}")
    if _fails(finding):
        kind = _text(str(finding.severity))
        return f"{start}><failure type={kind} message={message}>{_body(rule.fix)}</failure></testcase>\n"
    if finding.status is Status.ERROR:
        return f"{start}><error message={message}/></testcase>\n"
    if finding.status in _SKIPPED or finding.status is Status.FAIL:
        return f"{start}><skipped message={message}/></testcase>\n"
    return f"{start}/>\n"


def _fails(finding: FindingRow) -> bool:
    return finding.status is Status.FAIL and not finding.known


def _text(text: str) -> str:
    return quoteattr(visible(text))


def _body(text: str) -> str:
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
