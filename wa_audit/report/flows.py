"""Pipelines in the audit: what each is made of, how it scores, and where it is weakest.

Derived by the same `score` as the account's: of the findings of the members, of what they share with other
pipelines, and of what serves them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from wa_audit.layers import Layer
from wa_audit.model import Gap, Pillar, Severity, Status
from wa_audit.pipelines import Flow, Pipeline, State
from wa_audit.rulebook import Rulebook
from wa_audit.score import WEIGHTS, Judged, standing


class PipelinePillar(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline's score in one pillar; null where nothing was judged or too little could be read."""

    pillar: Pillar
    score: float | None
    coverage: float | None
    high_risk: int
    medium_risk: int
    failing: int


class Stage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that stands in a pipeline's flow. `id` is an ARN, or a URI for what has none.

    state:      `found`, `outside` the audited account and regions, `dangling` where it certainly is not
                there, or `unread` where nobody could look.
    shared:     whether other pipelines use it too.
    downstream: how many others of the pipeline receive nothing more when it stops.
    failing:    its failing findings; `worst` is the gravest among them.
    """

    id: str
    name: str
    type: str
    layer: Layer
    state: State
    region: str = ""
    shared: bool = False
    downstream: int = 0
    failing: int = 0
    worst: Severity | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Data, or the news of it, moves from `source` to `target`, as the field `field` of `via` proves.

    Where one stage both starts and feeds another, there is a link for each.
    """

    source: str
    target: str
    relation: str
    via: str
    field: str


class PipelineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline.

    named_by: `tag`, `stack`, `workflow` or `root`: where the name comes from.
    triggers: how it is set off: `stream`, `event`, `schedule`, `on demand`.
    entries:  the stages that nothing within it leads to.
    weakest:  the resource of the gravest failures, by the weights of the score; empty where nothing fails.
    blast:    the stage that most others depend on.
    support:  resources that serve it alone: mappings, dead-letter queues, roles, alarms.
    loops:    stages from which data comes back to them.
    unread:   indices into the audit's gaps: what could not be read and might have shown more of it.
    """

    name: str
    named_by: str
    score: float | None
    coverage: float | None
    high_risk: int
    medium_risk: int
    counts: dict[str, int]
    pillars: list[PipelinePillar]
    triggers: list[str]
    entries: list[str]
    weakest: str
    blast: str
    stages: list[Stage]
    links: list[Link]
    support: list[str]
    loops: list[list[str]]
    unread: list[int]

    @property
    def names(self) -> dict[str, str]:
        """What its stages are called, by id."""
        return {stage.id: stage.name for stage in self.stages}

    @property
    def blast_reach(self) -> int:
        """How many other stages receive nothing more when `blast` stops."""
        return next(stage.downstream for stage in self.stages if stage.id == self.blast)


def worst_first(pipelines: Iterable[PipelineFacts]) -> list[PipelineFacts]:
    """By score; what has none comes last."""
    return sorted(pipelines, key=lambda p: (101 if p.score is None else p.score, p.name))


def facts(
    flow: Flow, rulebook: Rulebook, of: Mapping[str, Sequence[Judged]], number: Callable[[Gap], int]
) -> list[PipelineFacts]:
    """Every pipeline of a flow. `of` holds the findings by ARN, and `number` gives a gap's place among the
    audit's."""
    return [_facts(flow, pipeline, rulebook, of, number) for pipeline in flow.pipelines]


def _facts(
    flow: Flow,
    pipeline: Pipeline,
    rulebook: Rulebook,
    of: Mapping[str, Sequence[Judged]],
    number: Callable[[Gap], int],
) -> PipelineFacts:
    own = sorted(pipeline.reach)
    card = standing((finding for id_ in own for finding in of.get(id_, ())), rulebook)
    shared = set(pipeline.shared)
    return PipelineFacts(
        name=pipeline.name,
        named_by=pipeline.named_by,
        score=card.overall.score,
        coverage=card.overall.coverage,
        high_risk=card.overall.high_risk,
        medium_risk=card.overall.medium_risk,
        counts=card.overall.counts,
        pillars=[
            PipelinePillar(
                pillar=pillar,
                score=s.score,
                coverage=s.coverage,
                high_risk=s.high_risk,
                medium_risk=s.medium_risk,
                failing=s.counts[Status.FAIL],
            )
            for pillar, s in card.pillars.items()
        ],
        triggers=pipeline.triggers,
        entries=pipeline.entries,
        weakest=_weakest(own, of),
        blast=min(pipeline.members, key=lambda id_: (-pipeline.downstream[id_], id_)),
        stages=[
            _stage(flow, id_, of.get(id_, []), pipeline.downstream[id_], shared=id_ in shared)
            for id_ in sorted({*pipeline.members, *pipeline.shared})
        ],
        links=[
            Link(
                source=edge.source,
                target=edge.target,
                relation=edge.relation.kind,
                via=edge.relation.via,
                field=edge.relation.field,
            )
            for edge in pipeline.edges
        ],
        support=pipeline.support,
        loops=pipeline.loops,
        unread=sorted({number(gap) for gap in pipeline.unread}),
    )


def _stage(flow: Flow, id_: str, findings: Sequence[Judged], downstream: int, *, shared: bool) -> Stage:
    node = flow.nodes[id_]
    failing = [finding.severity for finding in findings if finding.status is Status.FAIL]
    return Stage(
        id=id_,
        name=node.name,
        type=node.type,
        layer=node.layer,
        state=node.state,
        region=node.region,
        shared=shared,
        downstream=downstream,
        failing=len(failing),
        worst=min(failing, key=lambda severity: severity.rank, default=None),
    )


def _weakest(ids: Iterable[str], of: Mapping[str, Sequence[Judged]]) -> str:
    weights = {
        id_: sum(WEIGHTS[finding.severity] for finding in of[id_] if finding.status is Status.FAIL)
        for id_ in ids
        if id_ in of
    }
    failing = {id_: weight for id_, weight in weights.items() if weight}
    return min(failing, key=lambda id_: (-failing[id_], id_), default="")
