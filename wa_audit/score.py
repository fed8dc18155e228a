"""Findings → scorecard. Pure and short: this module is the whole derivation.

    rule     passed ÷ (passed + failed), over the resources that the rule applies to, so that a fleet of
             buckets does not drown one unencrypted stream
    pillar   mean of its rules, each weighted by its severity (`WEIGHTS`)
    overall  mean of the pillars, each weighted by rules.yaml's `scoring: pillar_weights`

`not_evaluated` and `error` leave the score and lower its coverage, which is derived in the same way from
judged ÷ (judged + could not be judged). Where coverage is below rules.yaml's `scoring: least_coverage`, the
score is None: a number nobody could check is not given.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from wa_audit.model import Pillar, Severity, Status
from wa_audit.rulebook import Rulebook

WEIGHTS: Mapping[Severity, int] = {
    Severity.CRITICAL: 10,
    Severity.HIGH: 5,
    Severity.MEDIUM: 3,
    Severity.LOW: 1,
    Severity.INFO: 0,
}

# The Well-Architected Tool speaks of high- and medium-risk issues.
HIGH_RISK = (Severity.CRITICAL, Severity.HIGH)


class Judged(Protocol):
    """What is scored of a finding, in whatever form it is held."""

    @property
    def rule(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def severity(self) -> Severity: ...


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Shares from 0 to 100, to one decimal; None where there is nothing to judge or too little was read.

    `counts` counts findings by status; the two risk counts are rules with a failure of that severity.
    """

    score: float | None
    coverage: float | None
    high_risk: int
    medium_risk: int
    counts: dict[str, int]


class Gain(msgspec.Struct, frozen=True):
    """The points that the overall score gains when every failure of `rule` is put right."""

    rule: str
    gain: float


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """`themes` is keyed by `pillar/theme`; `gains` is sorted: what to put right first."""

    overall: Score
    pillars: dict[Pillar, Score]
    themes: dict[str, Score]
    rules: dict[str, Score]
    gains: list[Gain]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a part of an account comes to: the scorecard without its details."""

    overall: Score
    pillars: dict[Pillar, Score]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's findings, counted by status, and the severities of those that failed."""

    pillar: Pillar
    theme: str
    severity: Severity
    counts: Counter[Status]
    failures: set[Severity]

    @property
    def judged(self) -> int:
        return self.counts[Status.PASS] + self.counts[Status.FAIL]

    @property
    def undecided(self) -> int:
        return self.counts[Status.NOT_EVALUATED] + self.counts[Status.ERROR]


def score(findings: Iterable[Judged], rulebook: Rulebook) -> Scorecard:
    """The scorecard of one run's findings."""
    tallies = _tallies(findings, rulebook)
    floor = rulebook.least_coverage
    whole = pooled(tallies, rulebook.pillar_weights, floor)
    themes = {(t.pillar, t.theme) for t in tallies.values()}
    return Scorecard(
        overall=whole.overall,
        pillars=whole.pillars,
        themes={
            f"{pillar}/{theme}": _weigh(
                [t for t in tallies.values() if (t.pillar, t.theme) == (pillar, theme)], floor
            )
            for pillar, theme in sorted(themes)
        },
        rules={rule: _weigh([tally], floor) for rule, tally in tallies.items()},
        gains=_gains(tallies, rulebook, whole.pillars),
    )


def standing(findings: Iterable[Judged], rulebook: Rulebook) -> Standing:
    """The scores of some of a run's findings, a pipeline's for one."""
    return pooled(_tallies(findings, rulebook), rulebook.pillar_weights, rulebook.least_coverage)


def _tallies(findings: Iterable[Judged], rulebook: Rulebook) -> dict[str, Tally]:
    counts: dict[str, Counter[Status]] = defaultdict(Counter)
    failures: dict[str, set[Severity]] = defaultdict(set)
    for finding in findings:
        counts[finding.rule][finding.status] += 1
        if finding.status is Status.FAIL:
            failures[finding.rule].add(finding.severity)
    return {
        rule.id: Tally(
            pillar=rule.pillar,
            theme=rule.theme,
            severity=rule.severity,
            counts=counts.get(rule.id, _NONE),
            failures=failures.get(rule.id, set()),
        )
        for rule in rulebook.rules
    }


def pooled(tallies: Mapping[str, Tally], weights: Mapping[Pillar, float], floor: float) -> Standing:
    """The scores of tallies by rule, which may be of many accounts: `weights` are the pillars', and `floor`
    is the coverage, 0 to 100, under which no score is given."""
    pillars = {
        pillar: _weigh([t for t in tallies.values() if t.pillar is pillar], floor) for pillar in Pillar
    }
    overall = _weigh(list(tallies.values()), floor)
    means = [(weights[p], s.score) for p, s in pillars.items() if s.score is not None]
    coverage = _mean([(weights[p], s.coverage) for p, s in pillars.items() if s.coverage is not None])
    trusted = coverage is not None and coverage >= floor
    found = msgspec.structs.replace(overall, score=_mean(means) if trusted else None, coverage=coverage)
    return Standing(overall=found, pillars=pillars)


_NONE: Counter[Status] = Counter()


def _weigh(tallies: list[Tally], floor: float) -> Score:
    """Severity-weighted means over rules; a lone rule of weight 0 still has a score of its own."""
    alone = len(tallies) == 1
    tallies = [t for t in tallies if t.counts]  # of a pipeline's rules most have nothing to say
    passes, read = [], []
    counts = dict.fromkeys(Status, 0)
    for tally in tallies:
        weight = 1 if alone else WEIGHTS[tally.severity]
        judged, undecided = tally.judged, tally.undecided
        if judged:
            passes.append((weight, 100 * tally.counts[Status.PASS] / judged))
        if judged + undecided:
            read.append((weight, 100 * judged / (judged + undecided)))
        for status, number in tally.counts.items():
            counts[status] += number
    coverage = _mean(read)
    trusted = coverage is not None and coverage >= floor
    return Score(
        score=_mean(passes) if trusted else None,
        coverage=coverage,
        high_risk=sum(1 for t in tallies if t.failures & set(HIGH_RISK)),
        medium_risk=sum(1 for t in tallies if Severity.MEDIUM in t.failures),
        counts={str(status): number for status, number in counts.items()},
    )


def _gains(tallies: Mapping[str, Tally], rulebook: Rulebook, pillars: Mapping[Pillar, Score]) -> list[Gain]:
    """A rule's share of its pillar × the pillar's share of the whole × what the rule lacks of 100.

    The gravest failures come first, and among those of one severity the largest gain.
    """
    counted = sum(rulebook.pillar_weights[p] for p, s in pillars.items() if s.score is not None)
    weights: Counter[Pillar] = Counter()
    for tally in tallies.values():
        if tally.judged:
            weights[tally.pillar] += WEIGHTS[tally.severity]
    gains = []
    for rule, tally in tallies.items():
        failures = tally.counts[Status.FAIL]
        if failures and counted and weights[tally.pillar] and pillars[tally.pillar].score is not None:
            share = WEIGHTS[tally.severity] / weights[tally.pillar]
            share *= rulebook.pillar_weights[tally.pillar] / counted
            gains.append(Gain(rule, round(100 * share * failures / tally.judged, 2)))
    return sorted(gains, key=lambda g: (min(s.rank for s in tallies[g.rule].failures), -g.gain, g.rule))


def _mean(weighted: Sequence[tuple[float, float]]) -> float | None:
    """The weighted mean to one decimal. 100 is kept for what is wholly so: 99.97 is 99.9."""
    weight = sum(w for w, _ in weighted)
    if not weight:
        return None
    mean = sum(w * value for w, value in weighted) / weight
    return 100.0 if mean >= 100 else min(round(mean, 1), 99.9)
