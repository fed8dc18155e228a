"""audit.json: the public result of a run, in structs of its own, versioned, with a published JSON Schema.

Rule texts and resources stand in it once; findings refer to them. Every other format is made from this
document and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from wa_audit import __version__
from wa_audit.aws import framework, prices
from wa_audit.inventory import ACCOUNT_TYPE, Inventory
from wa_audit.memory import Shared
from wa_audit.model import ConfigurationError, Finding, Pillar, Reason, Severity, Status
from wa_audit.pipelines import Flow
from wa_audit.questions import Question
from wa_audit.report import asked, documents
from wa_audit.report import spend as spending
from wa_audit.report.findings import FindingRow, Findings, Outcome, with_known
from wa_audit.report.flows import PipelineFacts
from wa_audit.report.flows import facts as flow_facts
from wa_audit.report.gaps import Gaps, Unread
from wa_audit.report.money import Money, Wastes, saving_of, totals
from wa_audit.report.spend import Spend
from wa_audit.rulebook import Rule, Rulebook
from wa_audit.score import Score, Scorecard, score
from wa_audit.suppressions import Entry, State, Suppressions

FORMAT = "wa-audit"
VERSION = "1.2"


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: str


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was audited, when, by whom, and at what price. Times are UTC, ISO 8601.

    `complete` is false where the collection was stopped before its end; `only` says what the judging was
    narrowed to, `tag team=data`, and is empty where the whole account was judged.
    """

    account: str
    partition: str
    regions: list[str]
    identity: str
    started: str
    finished: str
    calls: int
    throttles: int
    gone: int
    resources: int
    complete: bool
    only: list[str] = []


class RulebookFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`digest` changes whenever a rule's words, thresholds or code do."""

    digest: str
    rules: int
    least_coverage: float


class ThemeScore(msgspec.Struct, frozen=True, kw_only=True):
    theme: str
    title: str
    score: float | None
    coverage: float | None
    counts: dict[str, int]


class PillarScore(msgspec.Struct, frozen=True, kw_only=True):
    """`score` is null where nothing was judged or coverage is below the rulebook's `least_coverage`.

    `high_risk` and `medium_risk` count rules with a failure of that risk, in the Well-Architected Tool's
    words.
    """

    pillar: Pillar
    title: str
    score: float | None
    coverage: float | None
    high_risk: int
    medium_risk: int
    counts: dict[str, int]
    themes: list[ThemeScore]


class OverallScore(msgspec.Struct, frozen=True, kw_only=True):
    score: float | None
    coverage: float | None
    high_risk: int
    medium_risk: int
    counts: dict[str, int]


class Practice(msgspec.Struct, frozen=True, kw_only=True):
    """A best practice of the framework or of the Data Analytics Lens."""

    title: str
    url: str


class RuleText(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's words. `best_practices` and `analytics_lens` are keys of the audit's `practices`.

    `against` names the rules whose best practices pull the other way.
    """

    pillar: Pillar
    theme: str
    severity: Severity
    title: str
    failure_title: str
    why: str
    fix: str
    judgement: str
    best_practices: list[str]
    analytics_lens: list[str]
    params: dict[str, Any]
    source: str
    score: float | None
    coverage: float | None
    counts: dict[str, int]
    against: list[str] = []


class ResourceFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    type: str
    name: str
    account: str
    region: str
    tags: dict[str, str]
    pipelines: list[str] = []


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A rule to put right, and the points that the overall score gains by it."""

    rule: str
    gain: float
    failures: int


class SuppressionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that accepts failures, and what became of it.

    `active`, `expired` on the day of the run, `unused` where nothing that it speaks of fails any more, or
    `not_judged` where that cannot be told. `findings` counts the failures that it covers.
    """

    rule: str
    resource: str
    account: str
    region: str
    tag: dict[str, str]
    reason: str
    owner: str
    expires: str
    state: State
    findings: int


# Of the runs before this one: a year of weeks, or a month and more of days.
MOST_EARLIER = 60


class BaselineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A run beside its baseline: failures that are in it, that are new, and that are no more."""

    made: str
    known: int
    new: int
    no_longer: int


class EarlierRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the same account that the history holds, judged as widely: when it finished, what it scored,
    0 to 100, null where nothing could be, and how many findings failed."""

    run: str
    finished: str
    score: float | None
    coverage: float | None
    failing: int
    rulebook: str


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The whole result of one run.

    `unassigned` are the ARNs of resources that could stand in a data flow and belong to no pipeline; `spend`
    is null where Cost Explorer was not asked.
    """

    format: str
    version: str
    tool: Tool
    run: RunFacts
    rulebook: RulebookFacts
    overall: OverallScore
    pillars: list[PillarScore]
    fix_first: list[Step]
    rules: dict[str, RuleText]
    practices: dict[str, Practice]
    gaps: list[Unread]
    resources: dict[str, ResourceFacts]
    findings: Sequence[FindingRow]
    suppressions: list[SuppressionFacts] = []
    baseline: BaselineFacts | None = None
    pipelines: list[PipelineFacts] = []
    unassigned: list[str] = []
    questions: list[asked.QuestionFacts] = []
    money: Money | None = None
    spend: Spend | None = None
    earlier: list[EarlierRun] = []


def build(
    inventory: Inventory,
    rulebook: Rulebook,
    findings: Iterable[Finding],
    *,
    only: Iterable[str] = (),
    suppressions: Suppressions | None = None,
    flow: Flow | None = None,
    questions: Iterable[Question] = (),
    price_table: prices.Table | None = None,
) -> Audit:
    """The audit of one inventory, scored. Pure: the same input gives the same document.

    Each finding is made a row as it comes, and need not be held elsewhere.

    `only` says what the judging was narrowed to; `suppressions` have been applied to the findings;
    `flow` holds the pipelines; `questions` are left to people; `price_table` is the one by which the findings
    were estimated, without one the bundled one.
    """
    gaps = Gaps()
    rows = Findings()
    resources: dict[str, ResourceFacts] = {}
    shared = Shared()
    pipelines = flow.by_member() if flow else {}
    said, rule = Shared(deep=False), ""
    wastes = Wastes()
    for finding in findings:
        if finding.rule != rule:
            said, rule = Shared(deep=False), finding.rule  # hardly two rules say the same
        _add(rows, finding, gaps, said, wastes)
        if finding.arn not in resources:
            names = sorted(pipeline.name for pipeline in pipelines.get(finding.arn, ()))
            resources[finding.arn] = _resource(finding, inventory, names, shared)
    for gap in inventory.gaps:
        if gap.reason is not Reason.NOT_COLLECTED:
            gaps.index(gap, cost=0)
    scorecard = score(rows.outcomes, rulebook)
    flows = _flows(flow, rulebook, rows, gaps) if flow else []
    of_account = {resource.arn for resource in inventory.known(ACCOUNT_TYPE)}
    spent = spending.facts(inventory, partial(gaps.index, cost=0))
    run = inventory.run
    judged = [rule.id for rule in rulebook.rules]
    return Audit(
        format=FORMAT,
        version=VERSION,
        tool=Tool(name="wa-audit", version=__version__),
        run=RunFacts(
            account=run.account,
            partition=run.partition,
            regions=list(run.regions),
            identity=run.identity,
            started=run.started,
            finished=run.finished,
            calls=run.calls,
            throttles=run.throttles,
            gone=run.gone,
            resources=len(inventory),
            complete=run.complete,
            only=list(only),
        ),
        rulebook=RulebookFacts(
            digest=rulebook.digest, rules=len(rulebook.rules), least_coverage=rulebook.least_coverage
        ),
        overall=OverallScore(**_figures(scorecard.overall)),
        pillars=[_pillar(pillar, scorecard) for pillar in Pillar],
        fix_first=[
            Step(rule=step.rule, gain=step.gain, failures=scorecard.rules[step.rule].counts[Status.FAIL])
            for step in scorecard.gains
        ],
        rules={rule.id: _rule(rule, scorecard) for rule in rulebook.rules},
        practices=_practices(rulebook.rules),
        gaps=gaps.table(),
        resources=dict(sorted(resources.items())),
        findings=_referring(rows, {rule.id: rule.against for rule in rulebook.rules if rule.against}),
        suppressions=[] if suppressions is None else list(map(_suppression, suppressions.outcomes(judged))),
        pipelines=flows,
        unassigned=flow.unassigned if flow else [],
        questions=asked.facts(questions),
        money=totals(rows.costly(), of_account, rulebook, flow, price_table or prices.bundled()),
        spend=spent,
    )


def with_earlier(audit: Audit, earlier: Iterable[EarlierRun]) -> Audit:
    """The audit beside the runs before it, of which the last `MOST_EARLIER` are kept, oldest first."""
    before = [run for run in earlier if run.finished < audit.run.finished]
    before.sort(key=lambda run: (run.finished, run.run))
    return msgspec.structs.replace(audit, earlier=before[-MOST_EARLIER:])


def with_baseline(audit: Audit, made: str, known: Collection[str]) -> Audit:
    """The audit with the failures marked that stand in a baseline, made at a time, of these ids."""
    failing = [(number, f.id) for number, f in enumerate(audit.findings) if f.status is Status.FAIL]
    old = frozenset(number for number, id_ in failing if id_ in known)
    facts = BaselineFacts(
        made=made, known=len(old), new=len(failing) - len(old), no_longer=len(known) - len(old)
    )
    return msgspec.structs.replace(audit, findings=with_known(audit.findings, old), baseline=facts)


def _suppression(outcome: tuple[Entry, State, int]) -> SuppressionFacts:
    entry, state, findings = outcome
    facts = msgspec.structs.asdict(entry) | {"expires": entry.expires.isoformat()}
    return SuppressionFacts(**facts, state=state, findings=findings)


def _flows(flow: Flow, rulebook: Rulebook, rows: Findings, gaps: Gaps) -> list[PipelineFacts]:
    within = {id_ for pipeline in flow.pipelines for id_ in pipeline.reach}
    of: dict[str, list[Outcome]] = defaultdict(list)
    for resource, outcome in zip(rows.resources, rows.outcomes, strict=True):
        if resource in within:
            of[resource].append(outcome)
    return flow_facts(flow, rulebook, of, lambda gap: gaps.index(gap, cost=0))


def _add(rows: Findings, finding: Finding, gaps: Gaps, shared: Shared, wastes: Wastes) -> None:
    rows.add(
        finding.id,
        finding.rule,
        finding.arn,
        finding.status,
        finding.severity,
        shared.text(finding.message),
        shared.value(_said(finding.evidence)),
        gap=None if finding.gap is None else gaps.index(finding.gap),
        suppression=finding.suppression,
        waste=None if finding.waste is None else wastes.of(finding.waste),
        carbon=saving_of(finding),
    )


def _referring(rows: Findings, against: Mapping[str, Collection[str]]) -> Findings:
    """The findings, of which those on one resource refer to each other where their rules pull apart."""
    # By rule, the number of each resource's finding.
    numbers: dict[str, dict[str, int]] = {rule: {} for rule in against}
    for number, (outcome, resource) in enumerate(zip(rows.outcomes, rows.resources, strict=True)):
        if outcome.rule in against:
            numbers[outcome.rule][resource] = number
    others = {rule: [numbers[other] for other in against[rule] if other in against] for rule in against}
    referring: dict[int, tuple[int, ...]] = {}
    for number, (outcome, resource) in enumerate(zip(rows.outcomes, rows.resources, strict=True)):
        if outcome.rule in against:
            found = tuple(other[resource] for other in others[outcome.rule] if resource in other)
            if found:
                referring[number] = found
    return rows.referring(referring)


def _said(evidence: dict[str, Any]) -> dict[str, Any]:
    """Without what is not configured; mostly that is nothing, and the finding's own will do."""
    if None not in evidence.values():
        return evidence
    return {name: value for name, value in evidence.items() if value is not None}


def _resource(finding: Finding, inventory: Inventory, pipelines: list[str], shared: Shared) -> ResourceFacts:
    return ResourceFacts(
        type=finding.type,
        name=finding.name,
        account=finding.account,
        region=finding.region,
        tags=shared.value(dict(sorted(inventory.known_tags(finding.arn).items()))),
        pipelines=shared.value(pipelines),
    )


def _figures(score: Score) -> dict[str, Any]:
    return msgspec.structs.asdict(score)


def _pillar(pillar: Pillar, scorecard: Scorecard) -> PillarScore:
    themes = [
        ThemeScore(
            theme=name.partition("/")[2],
            title=theme_title(name.partition("/")[2]),
            score=score.score,
            coverage=score.coverage,
            counts=score.counts,
        )
        for name, score in scorecard.themes.items()
        if name.partition("/")[0] == pillar
    ]
    return PillarScore(
        pillar=pillar, title=pillar.label, themes=themes, **_figures(scorecard.pillars[pillar])
    )


def theme_title(theme: str) -> str:
    """`dead_letter_queues` as a person reads it."""
    words = theme.replace("_", " ").capitalize()
    return words.replace("Iam", "IAM")


def _rule(rule: Rule, scorecard: Scorecard) -> RuleText:
    score = scorecard.rules[rule.id]
    return RuleText(
        pillar=rule.pillar,
        theme=rule.theme,
        severity=rule.severity,
        title=rule.title,
        failure_title=rule.failure_title,
        why=rule.why,
        fix=rule.fix,
        judgement=rule.judgement,
        best_practices=list(rule.best_practices),
        analytics_lens=list(rule.analytics_lens),
        params=dict(rule.params),
        source=rule.source,
        score=score.score,
        coverage=score.coverage,
        counts=score.counts,
        against=list(rule.against),
    )


def _practices(rules: Iterable[Rule]) -> dict[str, Practice]:
    known = {**framework.best_practices(), **framework.analytics_lens()}
    ids = sorted({id_ for rule in rules for id_ in (*rule.best_practices, *rule.analytics_lens)})
    return {id_: Practice(title=known[id_].title, url=known[id_].url) for id_ in ids}


# -- the file --------------------------------------------------------------------------------------

_encoder = msgspec.json.Encoder(order="sorted")

_Element = TypeVar("_Element")


def render(audit: Audit) -> Iterator[bytes]:
    """The audit as JSON: a line for every finding, so that a diff of two runs reads well.

    Findings, pipelines and resources, of which there may be many, are made into text some at a time.
    """
    head = msgspec.structs.replace(audit, findings=[], pipelines=[], resources={})
    rest = msgspec.json.format(_encoder.encode(head), indent=1)
    for emptied, elements in (
        (b'\n "findings": []', _a_line_each(_groups(audit.findings, 1000))),
        (b'\n "pipelines": []', _indented(_groups(audit.pipelines, 100))),
        (b'\n "resources": {}', _indented(_tables(audit.resources, 1000))),
    ):
        before, empty, rest = rest.partition(emptied)
        yield before
        yield from _filled(empty, elements)
    yield rest + b"\n"


def _filled(empty: bytes, elements: Iterable[bytes]) -> Iterator[bytes]:
    """What stands there as `"findings": []`, with its elements between the brackets."""
    opened = False
    for element in elements:
        yield b",\n" + element if opened else empty[:-1] + b"\n" + element
        opened = True
    yield b"\n " + empty[-1:] if opened else empty


def _groups(elements: Iterable[_Element], most: int) -> Iterator[list[_Element]]:
    rest = iter(elements)
    while group := list(islice(rest, most)):
        yield group


def _tables(resources: Mapping[str, ResourceFacts], most: int) -> Iterator[dict[str, ResourceFacts]]:
    for arns in _groups(sorted(resources), most):
        yield {arn: resources[arn] for arn in arns}


def _a_line_each(groups: Iterable[Collection[Any]]) -> Iterator[bytes]:
    for group in groups:
        yield b"  " + b",\n  ".join(map(_encoder.encode, group))


def _indented(groups: Iterable[Collection[Any]]) -> Iterator[bytes]:
    """What stands in lists or tables, as it does between the brackets of one that holds it all."""
    for group in groups:
        text = msgspec.json.format(_encoder.encode(group), indent=1)
        yield text[1:-2].replace(b"\n", b"\n ")[1:]


_KIND = documents.Kind(FORMAT, VERSION, "an audit; 'wa-audit scan' writes audit.json")
_LINES = documents.Lines("findings", FindingRow, shared=("rule", "resource", "message", "evidence"))


def read(path: Path) -> Audit:
    """Reads an audit.json.

    Raises:
        ConfigurationError: the file is not there, cut off, not an audit, or of a newer version.
    """
    audit = documents.read(path, Audit, _KIND, _LINES)
    lost = [gap for pipeline in audit.pipelines for gap in pipeline.unread if not 0 <= gap < len(audit.gaps)]
    if lost:
        raise ConfigurationError(f"{path}: a pipeline names a gap that is not in the file")
    if wrong := audit.spend and spending.wrong(audit.spend, len(audit.gaps)):
        raise ConfigurationError(f"{path}: spend {wrong}")
    for finding in audit.findings:
        gap_exists = finding.gap is None or 0 <= finding.gap < len(audit.gaps)
        entry_exists = finding.suppression is None or 0 <= finding.suppression < len(audit.suppressions)
        there = finding.rule in audit.rules and finding.resource in audit.resources
        if not (there and gap_exists and entry_exists):
            raise ConfigurationError(
                f"{path}: finding {finding.id} names a rule, resource, gap or entry that is not in the file"
            )
    return audit


def schema() -> bytes:
    """The JSON Schema of audit.json."""
    return documents.schema(Audit, f"wa-audit audit.json, version {VERSION}")
