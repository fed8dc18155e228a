"""Best practices that pull apart: their rules name each other, their findings refer to each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.rules.cases import ACCOUNT, REGION, resource
from wa_audit import rulebook, wiring
from wa_audit.inventory import Inventory, Run
from wa_audit.model import ConfigurationError, Status
from wa_audit.report import audit as audits
from wa_audit.report import embedded, html
from wa_audit.report import rules as listing

BOOK = rulebook.load()
PULLING = ("kinesis-retention-minimum", "kinesis-retention-excess")
EVERYTHING = wiring.Judging.of_everything()


def audit(book: rulebook.Rulebook, **streams: tuple[int, dict[str, str]]) -> audits.Audit:
    run = Run(account=ACCOUNT, regions=(REGION,), finished="2026-11-01T12:00:00Z")
    made = [
        resource(
            "AWS::Kinesis::Stream", {"name": name, "tags": tags, "data": {"RetentionPeriodHours": hours}}, run
        )
        for name, (hours, tags) in streams.items()
    ]
    return wiring.assess(Inventory(run, made), book, EVERYTHING)


def test_what_one_says_of_another_holds_of_both() -> None:
    for rule in BOOK.rules:
        for other in rule.against:
            assert rule.id in BOOK[other].against
    assert BOOK[PULLING[0]].against == (PULLING[1],)
    assert BOOK[PULLING[1]].against == (PULLING[0],)
    assert len(BOOK["cross-region-copy-needed"].against) == 3


def test_each_that_pulls_lets_a_criticality_tag_decide() -> None:
    assert all(
        "criticality_tag" in BOOK[other].params
        for rule in BOOK.rules
        for other in rule.against
        if other
        not in (
            # which asks for versions at all, whatever is to become of them
            "s3-bucket-versioning",
        )
    )


def test_the_tag_decides() -> None:
    found = audit(
        BOOK.select(rules=PULLING),
        orders=(8760, {"criticality": "high"}),
        clicks=(24, {"criticality": "low"}),
        plain=(24, {}),
        hoard=(8760, {}),
    )
    verdicts = {(found.resources[f.resource].name, f.rule): f.status for f in found.findings}
    minimum, excess = PULLING
    assert verdicts == {
        ("orders", minimum): Status.PASS,
        ("orders", excess): Status.NOT_APPLICABLE,
        ("clicks", minimum): Status.NOT_APPLICABLE,
        ("clicks", excess): Status.PASS,
        ("plain", minimum): Status.FAIL,
        ("plain", excess): Status.PASS,
        ("hoard", minimum): Status.PASS,
        ("hoard", excess): Status.FAIL,
    }


def test_findings_refer_to_each_other_on_one_resource() -> None:
    found = audit(BOOK.select(rules=PULLING), plain=(24, {}), hoard=(8760, {}))
    by_id = {finding.id: finding for finding in found.findings}
    assert len(by_id) == 4
    for finding in found.findings:
        (other,) = finding.against
        assert by_id[other].against == (finding.id,)
        assert by_id[other].resource == finding.resource
        assert by_id[other].rule != finding.rule
    raw = b"".join(audits.render(found))
    assert json.loads(raw)["findings"][0]["against"]


def test_a_rule_alone_refers_to_nothing() -> None:
    found = audit(BOOK.select(rules=PULLING[:1]), plain=(24, {}))
    assert [finding.against for finding in found.findings] == [()]


def test_the_page_knows_the_pairs() -> None:
    found = audit(BOOK.select(rules=PULLING), plain=(24, {}), hoard=(8760, {}))
    data = embedded.unpack(b"".join(html.render(found)))
    rules, resources = data["findings"]["rule"], data["findings"]["resource"]
    for number, others in data["against"].items():
        one, other = int(number), others[0]
        assert resources[one] == resources[other]
        assert rules[one] != rules[other]
        assert data["against"][str(other)] == [one]
    assert len(data["against"]) == 4


def test_it_is_explained() -> None:
    assert "Pulls against\n  kinesis-retention-excess" in listing.explain(BOOK[PULLING[0]])
    assert listing.words(BOOK[PULLING[0]])["against"] == [PULLING[1]]


def test_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reliability").mkdir()
    (tmp_path / "reliability" / "queues.py").write_text(
        "from wa_audit.rule import Resource, Verdict, check, passed\n\n\n"
        '@check("AWS::SQS::Queue")\ndef own(queue: Resource) -> Verdict:\n    """It is."""\n'
        '    return passed("is")\n'
    )
    rules = (
        "reliability:\n  own:\n    severity: low\n    title: T\n    failure_title: F\n    why: W\n"
        "    fix: X\n    best_practices: [REL09-BP01]\n    against: [{other}]\n"
    )
    (tmp_path / "rules.yaml").write_text(rules.format(other="kinesis-retention-exces"))
    with pytest.raises(
        ConfigurationError, match=r"rules.yaml, line 9: against: unknown rule .*did you mean 'kine"
    ):
        rulebook.load(folders=[tmp_path])
    (tmp_path / "rules.yaml").write_text(rules.format(other="kinesis-retention-excess"))
    book = rulebook.load(folders=[tmp_path])
    assert "own" in book["kinesis-retention-excess"].against
