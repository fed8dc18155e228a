"""summary.md: the scorecard as GitHub-flavoured Markdown, for a pull request or a step summary.

What comes from the account is escaped: it makes no markup, no link, and mentions nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wa_audit.model import Status
from wa_audit.report import spend
from wa_audit.report.audit import Audit, OverallScore, PillarScore
from wa_audit.report.flows import PipelineFacts, worst_first
from wa_audit.report.money import usd
from wa_audit.text import count, markdown, share

_STEPS, _PIPELINES, _GAPS = 10, 20, 20


def render(audit: Audit) -> Iterator[bytes]:
    """The summary, in UTF-8."""
    for line in _lines(audit):
        yield line.encode() + b"\n"


def _lines(audit: Audit) -> Iterator[str]:
    run, overall = audit.run, audit.overall
    yield f"# Well-Architected audit of {markdown(run.account)}"
    yield ""
    failing = count(overall.counts.get(Status.FAIL, 0), "failing finding")
    where = ", ".join(run.regions)
    yield f"**{_score(overall)}**, coverage {share(overall.coverage)}, {failing}, in {where}"
    if audit.money and audit.money.total.usd is not None:
        yield f"\nWasted a month: about {usd(audit.money.total.usd)}."
    if audit.spend:
        yield f"\nSpent: {markdown(spend.sentence(audit.spend))}."
    if run.only:
        yield f"\n> Only {', '.join(map(markdown, run.only))} was judged."
    if not run.complete:
        yield "\n> The collection was stopped before its end."
    yield ""
    yield "| Pillar | Score | Coverage | High risk | Medium risk |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for pillar in audit.pillars:
        cells = (pillar.title, _score(pillar), share(pillar.coverage), pillar.high_risk, pillar.medium_risk)
        yield "| " + " | ".join(map(str, cells)) + " |"
    yield from _pipelines(audit)
    yield from _steps(audit)
    yield from _unread(audit)


def _score(score: OverallScore | PillarScore | PipelineFacts) -> str:
    return "not scored" if score.score is None else f"{score.score:.1f} of 100"


def _pipelines(audit: Audit) -> Iterator[str]:
    if not audit.pipelines:
        return
    worst = worst_first(audit.pipelines)
    yield ""
    yield "## Pipelines"
    yield ""
    yield "| Pipeline | Score | Coverage | Set off by | Weakest link |"
    yield "| --- | ---: | ---: | --- | --- |"
    for found in worst[:_PIPELINES]:
        weakest = audit.resources.get(found.weakest)
        name = f"<code>{markdown(weakest.name)}</code>" if weakest else "–"
        how = ", ".join(found.triggers) or "–"
        cells = f"<code>{markdown(found.name)}</code>", _score(found), share(found.coverage), how, name
        yield "| " + " | ".join(cells) + " |"
    if len(worst) > _PIPELINES:
        yield f"\n… and {count(len(worst) - _PIPELINES, 'more pipeline')}."


def _steps(audit: Audit) -> Iterator[str]:
    steps = [step for step in audit.fix_first if step.gain > 0][:_STEPS]
    if not steps:
        return
    yield ""
    yield "## What to fix first"
    yield ""
    yield "| Points | Severity | What | Rule |"
    yield "| ---: | --- | --- | --- |"
    for step in steps:
        rule = audit.rules[step.rule]
        what = f"{markdown(rule.failure_title)} ({count(step.failures, 'resource')})"
        yield f"| +{step.gain:.1f} | {rule.severity} | {what} | <code>{step.rule}</code> |"


def _unread(audit: Audit) -> Iterator[str]:
    lost: Counter[tuple[str, str, str]] = Counter()
    for gap in audit.gaps:
        lost[gap.operation, gap.action, gap.reason] += gap.findings
    found = [(key, findings) for key, findings in lost.most_common(_GAPS) if findings]
    if not found:
        return
    yield ""
    yield "## What could not be read"
    yield ""
    yield "| Operation | IAM action | Why | Findings |"
    yield "| --- | --- | --- | ---: |"
    for (operation, action, reason), findings in found:
        names = markdown(operation) or "–", markdown(action) or "–"
        yield f"| {names[0]} | {names[1]} | {reason.replace('_', ' ')} | {findings} |"
