"""annotations.txt: workflow commands, which GitHub shows beside a run when they stand in a step's output.

GitHub keeps ten errors, ten warnings and ten notices of a step: so the gravest come first, and the first
notice counts them all. What the baseline knows is left out.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from wa_audit.model import Severity, Status
from wa_audit.report.audit import Audit
from wa_audit.report.findings import FindingRow
from wa_audit.text import count, share, visible

_MOST = 10
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}


def render(audit: Audit) -> Iterator[bytes]:
    """A command a line, in UTF-8."""
    failing = [f for f in audit.findings if f.status is Status.FAIL and not f.known]
    by_level: dict[str, list[str]] = defaultdict(list)
    by_level["notice"].append(_command("notice", "wa-audit", _summary(audit, len(failing))))
    for finding in sorted(failing, key=lambda f: f.severity.rank):
        by_level[_LEVELS[finding.severity]].append(_annotation(audit, finding))
    for level in ("error", "warning", "notice"):
        for line in by_level[level][:_MOST]:
            yield f"{line}\n".encode()


def _summary(audit: Audit, failing: int) -> str:
    overall = audit.overall
    score = "no score" if overall.score is None else f"score {overall.score} of 100"
    new = " that are not in the baseline" if audit.baseline else ""
    unread = overall.counts.get(Status.NOT_EVALUATED, 0)
    more = f", {count(unread, 'finding')} could not be evaluated" if unread else ""
    return f"{score}, coverage {share(overall.coverage)}, {count(failing, 'failure')}{new}{more}"


def _annotation(audit: Audit, finding: FindingRow) -> str:
    rule, resource = audit.rules[finding.rule], audit.resources[finding.resource]
    title = f"{str(finding.severity).capitalize()}: {rule.failure_title or rule.title}"
    where = f" ({resource.region})" if resource.region else ""
    message = f"{resource.name}{where} {finding.message}. {rule.fix} [{finding.rule}]"
    return _command(_LEVELS[finding.severity], title, message)


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
