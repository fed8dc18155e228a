"""The HTML report: what its bytes say."""

from __future__ import annotations

import base64
import hashlib
import html as entities
import json
import re

import msgspec
import pytest

from tests.report import sample
from tests.report.opened import page
from wa_audit.files import REPORT_TEMPLATES
from wa_audit.report import embedded, pages


def policy(text: str) -> dict[str, str]:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert found
    directives = entities.unescape(found[1]).split("; ")
    return {name: value for name, _, value in (directive.partition(" ") for directive in directives)}


def digest(block: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() + "'"


# -- the bytes -------------------------------------------------------------------------------------


def test_the_same_audit_gives_the_same_bytes() -> None:
    assert page(sample.audit()) == page(sample.audit())


def test_the_policy_admits_the_two_blocks_of_the_page_and_nothing_else() -> None:
    text = page(sample.audit())
    directives = policy(text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert directives == {
        "default-src": "'none'",
        "style-src": digest(style),
        "script-src": digest(script),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }


@pytest.mark.parametrize("hostile", [False, True])
def test_nothing_in_the_page_needs_what_the_policy_forbids(hostile: bool) -> None:
    text = page(sample.audit(hostile=hostile))
    markup = re.sub(r"<(style|script)\b.*?</\1>", "", text, flags=re.DOTALL)
    tags = re.findall(r"<[a-z][^>]*>", markup)
    assert not [tag for tag in tags if re.search(r"\s(style|on\w+)=", re.sub(r'"[^"]*"', '""', tag))]
    loading = [tag for tag in tags if re.search(r'\b(src|href)="(?!#|data:image/svg)', tag)]
    assert not loading
    assert "url(" not in text
    assert "@import" not in text


def test_the_embedded_findings_are_the_audits() -> None:
    audit = sample.audit(hostile=True, findings=100)
    data = embedded.unpack(page(audit).encode())
    statuses = [status["id"] for status in data["statuses"]]
    columns = data["findings"]
    read = [
        {
            "rule": data["rules"][rule]["id"],
            "resource": data["resources"]["arn"][resource],
            "status": statuses[status],
            "severity": data["severities"][severity],
            "message": data["messages"][message],
            "evidence": data["evidence"][evidence] if evidence >= 0 else {},
            "gap": None if gap < 0 else gap,
            "suppression": None if suppression < 0 else suppression,
            "known": bool(known),
            "waste": None if waste < 0 else data["waste"][waste]["lines"],
        }
        for rule, resource, status, severity, message, evidence, gap, suppression, known, waste in zip(
            *(columns[name] for name in _COLUMNS), strict=True
        )
    ]
    assert read == [
        {
            name: value
            for name, value in msgspec.structs.asdict(row).items()
            if name not in ("id", "against", "carbon")
        }
        for row in audit.findings
    ]
    table = data["resources"]
    rows = zip(table["arn"], table["type"], table["tags"], table["region"], strict=True)
    assert {arn: (data["types"][type_], data["tags"][tags], region) for arn, type_, tags, region in rows} == {
        arn: (r.type, r.tags, r.region) for arn, r in audit.resources.items()
    }


_COLUMNS = "rule resource status severity message evidence gap suppression known waste".split()


def test_too_many_findings_are_left_to_the_data_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MOST_FINDINGS", 59)
    data = embedded.unpack(page(sample.audit(findings=60)).encode())
    assert data["findings"] is None
    assert "resources" not in data
    assert sum(sum(rule["counts"]) for rule in data["rules"]) == data["total"] == 60


def test_laid_open_the_data_can_be_read_and_harms_nobody() -> None:
    text = embedded.laid_open(page(sample.audit(hostile=True, findings=100)).encode()).decode()
    assert "acme-clickstream" in embedded.laid_open(page(sample.audit()).encode()).decode()
    assert r"invoice\u202efdp.exe" in text
    assert text.count("<script") == 2
    with pytest.raises(ValueError, match="no data"):
        embedded.unpack(b"<html>")


def test_hostile_text_stands_escaped_and_visible() -> None:
    text = page(sample.audit(hostile=True, findings=100))
    assert text.count("<script") == 2
    assert text.count("</script") == 2
    assert "<img" not in text
    assert "<svg/onload" not in text
    for character in text:
        assert character.isprintable() or character == "\n", hex(ord(character))
    block = re.search(r'id="audit-data">(.*?)</script>', text, re.DOTALL)
    assert block
    assert re.fullmatch("[A-Za-z0-9+/]+=*", block[1])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("orders", "orders"),
        ("naïve 日本語", "naïve 日本語"),
        ("a\u202eb", r"a\u202eb"),
        ("a\nb\x00", r"a\u000ab\u0000"),
        ("\u2028", r"\u2028"),
        ("\u00a0", r"\u00a0"),
        ("\U000e0041", r"\u{e0041}"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert pages.visible(text) == shown


@pytest.mark.parametrize(
    ("score", "grade"),
    [(None, "none"), (0, "poor"), (49.9, "poor"), (50, "medium"), (89.9, "medium"), (90, "good")],
)
def test_a_grade_begins_at_its_floor(score: float | None, grade: str) -> None:
    assert pages.grade(score) == grade


def test_a_score_is_cut_so_that_it_never_looks_better_than_it_is() -> None:
    audit = sample.audit()
    overall = msgspec.structs.replace(audit.overall, score=99.9, coverage=99.9)
    text = page(msgspec.structs.replace(audit, overall=overall))
    assert 'aria-label="Overall score: 99 of 100"' in text
    assert "Coverage 99 %" in text


@pytest.mark.parametrize(
    ("coverage", "reason"),
    [(None, "nothing to judge"), (0.0, "nothing could be read"), (12.5, "coverage is under 50 %")],
)
def test_a_missing_score_is_not_scored_and_says_why(coverage: float | None, reason: str) -> None:
    audit = sample.audit()
    overall = msgspec.structs.replace(audit.overall, score=None, coverage=coverage)
    text = page(msgspec.structs.replace(audit, overall=overall))
    assert 'aria-label="Overall score: not scored"' in text
    assert f'<span class="because">{reason}</span>' in text


def test_an_empty_account_says_what_was_looked_at() -> None:
    text = page(sample.audit(findings=0))
    assert "Nothing to judge" in text
    assert "eu-west-1, us-east-1 of account" in text
    assert "18 rules found nothing to judge" in text
    assert "<h3>Operational excellence</h3>" in text
    assert "built-in method" not in text
    assert "Overall score: not scored" in text


def test_an_incomplete_audit_says_so() -> None:
    assert "Audit incomplete" in page(sample.audit(complete=False))
    assert "Audit incomplete" not in page(sample.audit())


def test_the_permissions_to_grant_are_those_that_were_refused() -> None:
    audit = sample.audit()
    found = re.search(r'<pre id="grant".*?<code>(.*?)</code>', page(audit), re.DOTALL)
    assert found
    (statement,) = json.loads(entities.unescape(found[1]))["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == sorted({gap.action for gap in audit.gaps if gap.reason == "access_denied"})
    assert "glue:GetTables" not in statement["Action"]


def test_without_a_refusal_there_is_nothing_to_grant() -> None:
    text = page(sample.audit(denied=False))
    assert 'id="grant"' not in text
    assert "every reading that the rules asked for was answered" in text


def test_the_first_fixes_are_those_that_gain_most() -> None:
    audit = sample.audit()
    text = page(audit)
    text = text[text.index('id="steps"') :]
    shown = re.findall(r'href="#\?rule=([a-z0-9-]+)', text)
    assert shown == [step.rule for step in audit.fix_first if step.gain > 0][:5]


def test_what_is_left_out_of_the_sources_is_comments_and_indentation_alone() -> None:
    files = [*sorted(REPORT_TEMPLATES.glob("*.css")), *sorted((REPORT_TEMPLATES / "script").glob("*.js"))]
    for file in files:
        text = file.read_text(encoding="utf-8")
        # A text over several lines would lose its indentation.
        assert all(line.count("`") % 2 == 0 for line in text.replace('"`"', "").splitlines()), file.name
        lean = pages.lean(text)
        assert not re.search(r"^\s*(//|/\*)", lean, re.MULTILINE), file.name
        kept = re.sub(r"\s", "", re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
        assert re.sub(r"/\*.*?\*/", "", kept) == re.sub(r"/\*.*?\*/", "", re.sub(r"\s", "", lean)), file.name
