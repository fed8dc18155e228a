"""report.html: the audit as one self-contained page that opens without a network.

Scores, the first fixes and what could not be read stand in the page itself; the findings are embedded as
JSON and drawn by the page's script as they are needed, so that ten thousand of them stay light. Whatever
comes from an account is hostile text: `pages` makes it harmless, and in the script `visible` and
`textContent` do.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup

from wa_audit.model import Pillar, Reason, Severity
from wa_audit.report import asked, drawing, embedded, firsts, money, pages, sparkline, spend
from wa_audit.report.audit import Audit, RuleText, Step
from wa_audit.report.drawing import Box
from wa_audit.report.embedded import SHOWN_AT_FIRST, STATUS_WORDS
from wa_audit.report.findings import costly, outcomes
from wa_audit.report.flows import PipelineFacts, worst_first
from wa_audit.report.gaps import Unread
from wa_audit.report.sparkline import Past

FIRST_FIXES = 5

REASON_WORDS = {
    Reason.ACCESS_DENIED: (
        "Access denied",
        "AWS refused these calls. Grant the actions below and audit again.",
    ),
    Reason.THROTTLED: ("Throttled", "AWS kept asking to slow down. Audit again at a quieter time."),
    Reason.EXPIRED_CREDENTIALS: ("Credentials expired", "The session ended before the audit did."),
    Reason.NOT_IMPLEMENTED: ("Not implemented", "The endpoint that was audited does not know these calls."),
    Reason.UNREACHABLE: ("Unreachable", "No answer came from these endpoints."),
    Reason.MALFORMED: ("Malformed answer", "The answers lacked what they must hold."),
    Reason.FAILED: ("Failed", "AWS answered these calls with an error."),
    Reason.INTERRUPTED: ("Interrupted", "The audit was stopped before it came to these calls."),
    Reason.NOT_COLLECTED: (
        "Not collected",
        "The collection was made for fewer rules. Collect again with these selected.",
    ),
    Reason.OUT_OF_SCOPE: (
        "Out of scope",
        "These verdicts depend on resources outside the audited account and regions.",
    ),
}

# In the order in which they stand in the page.
_SCRIPTS = "text inflate unpack digest data state search rules list take_away first tools page".split()


def render(audit: Audit) -> Iterator[bytes]:
    """The report as HTML, in UTF-8. The same audit gives the same bytes."""
    style, script = pages.source("report.css"), pages.script(_SCRIPTS)
    page = pages.environment().get_template("report.html")
    context = {
        "audit": audit,
        "style": style,
        "script": script,
        "policy": pages.content_security_policy(style, script),
        "data": embedded.pack(embedded.data(audit)),
        "firsts": firsts.of(audit),
        "gain": firsts.gain,
        "earlier": sparkline.of(_past(audit)),
        "fixes": _fixes(audit),
        **_pipelines(audit),
        **_money(audit),
        **_spend(audit),
        "gap_groups": _gap_groups(audit.gaps),
        "grant": _grant(audit.gaps),
        "asked": asked.by_pillar(audit.questions),
        "services": _services(audit),
        "regions": sorted({resource.region for resource in audit.resources.values()}),
        "silent_rules": _silent_rules(audit),
        "status_words": STATUS_WORDS,
        "offered": embedded.offered(audit),
        "shown_at_first": SHOWN_AT_FIRST,
        "severities": list(Severity),
    }
    for piece in page.generate(context):
        yield piece.encode("utf-8")


def _past(audit: Audit) -> list[Past]:
    """The runs before this one, and this one."""
    before = [Past(run.finished, run.score, run.rulebook) for run in audit.earlier]
    return [*before, Past(audit.run.finished, audit.overall.score, audit.rulebook.digest)]


# -- what stands in the page itself ----------------------------------------------------------------


class Fix(NamedTuple):
    step: Step
    rule: RuleText
    pillar: str


def _fixes(audit: Audit) -> list[Fix]:
    """The steps that gain most; a rule of weight 0 gains nothing and is no first step."""
    steps = [step for step in audit.fix_first if step.gain > 0][:FIRST_FIXES]
    return [Fix(step, audit.rules[step.rule], audit.rules[step.rule].pillar.label) for step in steps]


DEAREST = 10  # rows of a table of what is wasted


def _money(audit: Audit) -> dict[str, Any]:
    """What is wasted a month, by rule, pillar and pipeline, the most first, with links to the failures."""
    found = audit.money
    if found is None:
        return {"money": None}
    titles = {str(pillar.pillar): pillar.title for pillar in audit.pillars}
    failing = {id_: rule.failure_title or rule.title for id_, rule in audit.rules.items()}
    tables = [
        (heading, [(words.get(n, n), urlencode({key: n, "status": "fail"}), each) for n, each in rows])
        for heading, key, words, sums in (
            ("Rule", "rule", failing, found.rules),
            ("Pillar", "pillar", titles, found.pillars),
            ("Pipeline", "pipeline", {}, found.pipelines),
        )
        if (rows := money.dearest(sums)[:DEAREST])
    ]
    return {
        "money": found,
        "money_tables": tables,
        "money_notes": money.footnotes(found),
        "carbon": _carbon(audit),
    }


def _spend(audit: Audit) -> dict[str, Any]:
    """What was billed, by service, the dearest of the last month first."""
    found = audit.spend
    if found is None:
        return {"spend": None}
    rest = found.services[DEAREST:]
    return {
        "spend": found,
        "spend_rows": found.services[:DEAREST],
        "spend_rest": (len(rest), math.fsum(each.trend.last for each in rest)),
        "spend_notes": spend.footnotes(found),
    }


def _carbon(audit: Audit) -> list[tuple[str, str, int, float]]:
    """By pipeline, the most first: a link, how many failures there are whose cure saves carbon, and the most
    that one saves of what its resource emits or draws, in percent. They are of different things: no sum."""
    saving: dict[str, list[float]] = defaultdict(list)
    for finding in costly(audit.findings):
        if finding.carbon is not None:
            for name in audit.resources[finding.resource].pipelines:
                saving[name].append(finding.carbon.percent)
    rows = [
        (name, urlencode({"pipeline": name, "status": "fail"}), len(each), max(each))
        for name, each in saving.items()
    ]
    return sorted(rows, key=lambda row: (-row[2], -row[3], row[0]))[:DEAREST]


DRAWN = 40  # pipelines; the page stays light where an account has hundreds


def _pipelines(audit: Audit) -> dict[str, Any]:
    """The worst pipelines, each with its number and drawing, and the pillars' names for narrow columns."""
    worst = worst_first(audit.pipelines)[:DRAWN]
    return {"drawn": [(n, p, _drawing(p)) for n, p in enumerate(worst, start=1)], "short": pages.SHORT}


def _drawing(pipeline: PipelineFacts) -> Markup:
    made = drawing.svg(drawing.draw(pipeline), title=f"Data flow of {pipeline.name}", link=_link)
    return Markup(made)  # noqa: S704 - it escapes whatever comes from the account


def _link(box: Box) -> str:
    """To the findings of a stage, or of the type where several stand in one box."""
    if not box.failing:
        return ""
    first = box.stages[0]
    asked = {"q": first.id} if len(box.stages) == 1 else {"type": first.type}
    return f"#?{urlencode(asked | {'status': 'fail'})}"


class GapRow(NamedTuple):
    """One operation that could not be read, in every region where it could not; `numbers` index the gaps."""

    operation: str
    action: str
    sentence: str
    regions: list[str]
    findings: int
    numbers: list[int]


class GapGroup(NamedTuple):
    reason: Reason
    title: str
    advice: str
    findings: int
    rows: list[GapRow]


def _gap_groups(gaps: Iterable[Unread]) -> list[GapGroup]:
    """What could not be read, by reason and operation, what cost most findings first."""
    reasons: dict[Reason, dict[tuple[str, str], list[tuple[int, Unread]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for number, gap in enumerate(gaps):
        reasons[gap.reason][gap.operation, gap.action].append((number, gap))
    groups = [
        GapGroup(
            reason,
            *REASON_WORDS[reason],
            findings=sum(gap.findings for found in operations.values() for _, gap in found),
            rows=sorted(map(_gap_row, operations.values()), key=lambda row: (-row.findings, row.operation)),
        )
        for reason, operations in reasons.items()
    ]
    return sorted(groups, key=lambda group: (-group.findings, group.title))


def _gap_row(found: list[tuple[int, Unread]]) -> GapRow:
    first = found[0][1]
    return GapRow(
        operation=first.operation,
        action=first.action,
        sentence=first.sentence,
        regions=sorted({gap.region for _, gap in found if gap.region}),
        findings=sum(gap.findings for _, gap in found),
        numbers=[number for number, gap in found if gap.findings],
    )


def _grant(gaps: Iterable[Unread]) -> str:
    """A policy of one statement that allows what was refused; empty where nothing was."""
    actions = sorted({gap.action for gap in gaps if gap.reason is Reason.ACCESS_DENIED and gap.action})
    if not actions:
        return ""
    statement = {"Sid": "WaAuditMissingReads", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


class Service(NamedTuple):
    """The resource types whose names begin with `prefix`, each with what is left of its name."""

    prefix: str
    title: str
    types: list[tuple[str, str]]


def _services(audit: Audit) -> list[Service]:
    """The services that findings speak of, by title."""
    types: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for type_ in sorted({resource.type for resource in audit.resources.values()}):
        prefix, _, name = type_.rpartition("::")
        types[prefix].append((type_, name))
    services = [Service(p, p.rpartition("::")[2] or "Account", names) for p, names in types.items()]
    return sorted(services, key=lambda service: (service.title.lower(), service.prefix))


def _silent_rules(audit: Audit) -> list[tuple[Pillar, list[tuple[str, RuleText]]]]:
    """The rules that no resource of this account came before, by pillar."""
    heard = {outcome.rule for outcome in outcomes(audit.findings)}
    silent = [(id_, rule) for id_, rule in audit.rules.items() if id_ not in heard]
    grouped = [(pillar, [(id_, rule) for id_, rule in silent if rule.pillar is pillar]) for pillar in Pillar]
    return [(pillar, rules) for pillar, rules in grouped if rules]
