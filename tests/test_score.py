"""The derivation of a score, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wa_audit import rulebook
from wa_audit.model import Finding, Pillar, Severity, Status
from wa_audit.rulebook import Rule, Rulebook
from wa_audit.score import WEIGHTS, Scorecard, score

_ANY = rulebook.load()["sqs-queue-encrypted"]


def _rule(id_: str, severity: str = "medium", pillar: Pillar = Pillar.SECURITY) -> Rule:
    return replace(_ANY, id=id_, severity=Severity(severity), pillar=pillar, theme="theme")


def _book(*rules: Rule, floor: float = 50.0) -> Rulebook:
    return replace(rulebook.load(), rules=rules, least_coverage=floor)


def _findings(rule: Rule, **counts: int) -> list[Finding]:
    return [
        Finding(
            rule=rule.id,
            arn=f"arn:{status}:{number}",
            type="T",
            name="n",
            account="1",
            status=Status(status.removesuffix("_")),
            severity=rule.severity,
            message="",
        )
        for status, count in counts.items()
        for number in range(count)
    ]


def _card(book: Rulebook, *findings: list[Finding]) -> Scorecard:
    return score([finding for group in findings for finding in group], book)


def test_a_fleet_does_not_drown_one_stream() -> None:
    buckets, stream = _rule("buckets"), _rule("stream")
    card = _card(_book(buckets, stream), _findings(buckets, pass_=99), _findings(stream, fail=1))
    assert card.pillars[Pillar.SECURITY].score == 50.0


def test_severity_weighs() -> None:
    grave, mild = _rule("grave", "critical"), _rule("mild", "low")
    card = _card(_book(grave, mild), _findings(grave, fail=1), _findings(mild, pass_=1))
    expected = 100 * WEIGHTS[Severity.LOW] / (WEIGHTS[Severity.LOW] + WEIGHTS[Severity.CRITICAL])
    assert card.pillars[Pillar.SECURITY].score == round(expected, 1)


def test_what_could_not_be_read_lowers_coverage_and_not_the_score() -> None:
    rule = _rule("rule")
    whole = _card(_book(rule), _findings(rule, pass_=3, fail=1))
    partly = _card(_book(rule), _findings(rule, pass_=3, fail=1, not_evaluated=2, error=1))
    assert whole.overall.score == partly.overall.score == 75.0
    assert whole.overall.coverage == 100.0
    assert partly.overall.coverage == pytest.approx(57.1)


def test_nothing_read_is_no_score() -> None:
    rule = _rule("rule")
    card = _card(_book(rule), _findings(rule, not_evaluated=5))
    assert card.overall.score is None
    assert card.overall.coverage == 0.0


def test_too_little_read_is_no_score() -> None:
    rule = _rule("rule")
    findings = _findings(rule, pass_=4, not_evaluated=6)
    assert _card(_book(rule, floor=50), findings).overall.score is None
    assert _card(_book(rule, floor=40), findings).overall.score == 100.0


def test_nothing_there_is_no_score_and_no_coverage() -> None:
    card = _card(_book(_rule("rule")))
    assert card.overall.score is None
    assert card.overall.coverage is None


def test_not_applicable_counts_for_nothing() -> None:
    rule = _rule("rule")
    card = _card(_book(rule), _findings(rule, pass_=1, not_applicable=9))
    assert card.overall.score == 100.0
    assert card.overall.coverage == 100.0


def test_a_pillar_without_a_score_is_left_out_of_the_mean() -> None:
    secure, reliable = _rule("secure"), _rule("reliable", pillar=Pillar.RELIABILITY)
    card = _card(_book(secure, reliable), _findings(secure, pass_=1), _findings(reliable, not_evaluated=1))
    assert card.pillars[Pillar.RELIABILITY].score is None
    assert card.overall.score == 100.0


def test_pillars_weigh_as_the_rulebook_says() -> None:
    secure, reliable = _rule("secure"), _rule("reliable", pillar=Pillar.RELIABILITY)
    weights = {**dict.fromkeys(Pillar, 1.0), Pillar.SECURITY: 3.0}
    book = replace(_book(secure, reliable), pillar_weights=weights)
    assert _card(book, _findings(secure, fail=1), _findings(reliable, pass_=1)).overall.score == 25.0


def test_a_hundred_is_wholly_so() -> None:
    rule = _rule("rule")
    assert _card(_book(rule), _findings(rule, pass_=9999, fail=1)).overall.score == 99.9


def test_risks_count_rules_and_not_resources() -> None:
    grave, fair = _rule("grave", "high"), _rule("fair", "medium")
    card = _card(_book(grave, fair), _findings(grave, fail=7), _findings(fair, fail=2))
    assert (card.overall.high_risk, card.overall.medium_risk) == (1, 1)


def test_gains_are_what_putting_right_gains() -> None:
    grave, fair = _rule("grave", "critical"), _rule("fair", "medium")
    half = _card(_book(grave, fair), _findings(grave, fail=1, pass_=1), _findings(fair, fail=1))
    assert [gain.rule for gain in half.gains] == ["grave", "fair"]
    mended = _card(_book(grave, fair), _findings(grave, pass_=2), _findings(fair, fail=1))
    assert half.overall.score is not None
    assert mended.overall.score is not None
    assert mended.overall.score - half.overall.score == pytest.approx(half.gains[0].gain, abs=0.1)


def test_the_gains_of_all_rules_add_up_to_a_hundred() -> None:
    rules = [_rule("a", "critical"), _rule("b", "low"), _rule("c", "high", Pillar.RELIABILITY)]
    card = _card(_book(*rules), *(_findings(rule, fail=1, pass_=2) for rule in rules))
    assert card.overall.score is not None
    assert card.overall.score + sum(gain.gain for gain in card.gains) == pytest.approx(100, abs=0.2)


def test_coverage_is_the_mean_of_the_pillars_as_the_score_is() -> None:
    secure, reliable = _rule("secure"), _rule("reliable", pillar=Pillar.RELIABILITY)
    weights = {**dict.fromkeys(Pillar, 1.0), Pillar.SECURITY: 3.0}
    book = replace(_book(secure, reliable), pillar_weights=weights)
    card = _card(book, _findings(secure, pass_=1), _findings(reliable, not_evaluated=1))
    assert card.overall.coverage == 75.0
