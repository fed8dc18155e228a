"""The HTML report in a browser: what it shows, and what it does when it is used."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.report import sample
from tests.report.opened import Opened, page
from wa_audit.model import Status
from wa_audit.report import audit as audits
from wa_audit.report import csv as csv_report
from wa_audit.report import embedded, jsonl
from wa_audit.report.audit import Practice

GOLDEN = Path(__file__).parents[1] / "golden" / "audit.json"


@pytest.mark.browser
def test_the_first_view_shows_what_fails_and_what_could_not_be_read(show: Any) -> None:
    audit = sample.audit()
    report = show(audit)
    counts = audit.overall.counts
    first = counts["fail"] + counts["not_evaluated"]
    assert report.shown().startswith(f"{first} of {len(audit.findings)} findings shown")
    failing = {f.rule for f in audit.findings if f.status in (Status.FAIL, Status.NOT_EVALUATED)}
    assert len(report.rules()) == len(failing)


@pytest.mark.browser
def test_search_and_filters_change_what_is_shown(show: Any) -> None:
    audit = sample.audit()
    report = show(audit)
    report.search("orders-inbound")
    assert 0 < len(report.rules()) < 18
    assert report.tab.locator(".resources li").count() > 0
    assert all("orders-inbound" in row for row in report.tab.locator(".resources li").all_inner_texts())
    report.search("no such thing")
    assert report.rules() == []
    assert "No finding matches" in report.tab.locator("#list").inner_text()
    report.tab.click("#reset")
    report.pill("pass")
    report.pill("not_applicable")
    assert report.shown().startswith(f"All {len(audit.findings)} findings shown")
    report.tab.select_option("#pillar", "security")
    assert report.tab.locator("#list h3").all_inner_texts() == ["Security"]
    report.tab.select_option("#type", "AWS::S3::Bucket")
    report.pill("critical")
    assert len(report.rules()) == 1
    report.tab.select_option("#region", "us-east-1")
    report.tab.locator("#list h5 button").click()
    assert all("us-east-1" in row for row in report.tab.locator(".resources li").all_inner_texts())


@pytest.mark.browser
def test_a_service_is_all_its_types(show: Any) -> None:
    report = show(sample.audit(), "#?type=AWS::Glue&status=all")
    assert len(report.rules()) == 2
    report.tab.select_option("#type", "AWS::Glue::Job")
    assert len(report.rules()) == 1


@pytest.mark.browser
@pytest.mark.parametrize("words", ["sqs-dead-letter-queue", "REL05-BP04", "team=orders", "maxReceiveCount"])
def test_search_finds_by_rule_practice_tag_and_evidence(show: Any, words: str) -> None:
    report = show(sample.audit(findings=200))
    before = report.shown()
    report.search(words)
    assert report.rules()
    assert report.shown() != before


@pytest.mark.browser
def test_the_hash_brings_back_what_was_shown(show: Any) -> None:
    report = show(sample.audit())
    assert report.hash() == ""
    report.tab.select_option("#pillar", "reliability")
    report.pill("pass")
    report.pill("high")
    report.search("queue")
    before = (report.shown(), report.rules(), report.hash())
    assert "pillar=reliability" in before[2]
    report.tab.reload()
    report.drawn()
    assert (report.shown(), report.rules(), report.hash()) == before
    assert report.tab.input_value("#q") == "queue"
    assert report.tab.locator("input[value=pass]").is_checked()
    report.tab.click("#reset")
    assert report.hash() == ""


@pytest.mark.browser
def test_links_lead_into_the_findings_and_back(show: Any) -> None:
    audit = sample.audit()
    report = show(audit)
    everything = report.shown()
    report.tab.locator("#steps a").first.click()
    step = audit.fix_first[0]
    assert report.rules() == [audit.rules[step.rule].failure_title]
    assert report.tab.locator("#list h5 button").get_attribute("aria-expanded") == "true"
    assert report.tab.locator(".resources li").count() == step.failures
    report.tab.go_back()
    assert report.shown() == everything
    link = report.tab.locator(".gaps td a").first
    cost = link.inner_text()
    link.click()
    assert report.shown().startswith(f"{cost} of ")
    assert report.tab.locator(".chip").count() == 1
    report.tab.locator(".chip").click()
    assert report.tab.locator(".chip").count() == 0


@pytest.mark.browser
def test_an_anchor_leaves_the_filters_alone(show: Any) -> None:
    report = show(sample.audit(), "#?pillar=security")
    report.tab.locator(".trust a").click()
    assert report.tab.evaluate("document.activeElement.id") == "unread"
    assert report.hash() == "#?pillar=security"
    assert report.tab.locator("#list h3").all_inner_texts() == ["Security"]


@pytest.mark.browser
@pytest.mark.parametrize(
    "fragment", ["#?pillar=%3Cimg%3E&gap=x&type=__proto__", "#findings", "#?status=,,", "#?%E0%A4%A"]
)
def test_a_strange_hash_does_no_harm(show: Any, fragment: str) -> None:
    report = show(sample.audit(), fragment)
    assert "findings shown" in report.shown()


@pytest.mark.browser
def test_the_keyboard_reaches_and_works_everything(show: Any) -> None:
    report = show(sample.audit())
    press = report.tab.keyboard.press
    press("Tab")
    assert report.tab.evaluate("document.activeElement.className") == "skip"
    press("Enter")
    assert report.tab.evaluate("document.activeElement.id") == "findings"
    press("/")
    assert report.tab.evaluate("document.activeElement.id") == "q"
    press("/")
    assert report.tab.input_value("#q") == "/"
    press("Backspace")
    report.tab.wait_for_timeout(200)
    button = report.tab.locator("#list h5 button").first
    body = report.tab.locator("#" + button.get_attribute("aria-controls"))
    button.focus()
    press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert body.is_visible()
    press("Space")
    assert button.get_attribute("aria-expanded") == "false"
    assert not body.is_visible()


@pytest.mark.browser
def test_an_opened_rule_tells_all_that_it_knows(show: Any) -> None:
    report = show(sample.audit(), "#?rule=sqs-dead-letter-queue&status=all")
    body = report.tab.locator(".rule-body").inner_text()
    for words in (
        "Why",
        "Fix",
        "How it is judged",
        "REL05-BP04",
        "most_receives: 10",
        "orders-inbound",
        "arn:aws:sqs",
    ):
        assert words in body
    assert report.tab.locator(".evidence").count() > 0
    assert (
        report.tab.locator(".refs a").first.get_attribute("href").startswith("https://docs.aws.amazon.com/")
    )


@pytest.mark.browser
def test_a_practice_whose_address_is_no_web_address_is_no_link(show: Any) -> None:
    audit = sample.audit()
    practices = dict.fromkeys(audit.practices, Practice(title="Title", url="javascript:window.hacked=8"))
    report = show(
        msgspec.structs.replace(audit, practices=practices), "#?rule=sqs-dead-letter-queue&status=all"
    )
    assert "REL05-BP04 Title" in report.tab.locator(".refs").inner_text()
    assert report.tab.locator(".refs a").count() == 0


@pytest.mark.browser
def test_colours_follow_the_system_and_the_button(show: Any) -> None:
    report = show(sample.audit(), color_scheme="dark")

    def ground() -> str:
        return str(report.tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark = ground()
    report.tab.click("#scheme")
    light = ground()
    assert light != dark
    report.tab.click("#scheme")
    assert ground() == dark
    report.tab.emulate_media(color_scheme="light")
    assert ground() == dark


@pytest.mark.browser
def test_the_policy_to_grant_is_copied_or_selected(show: Any) -> None:
    report = show(sample.audit())
    report.tab.evaluate("void (navigator.clipboard.writeText = async (text) => { window.copied = text; })")
    report.tab.click("#copy")
    report.tab.wait_for_function("() => document.getElementById('copied').innerText === 'Copied'")
    assert json.loads(report.tab.evaluate("window.copied"))["Version"] == "2012-10-17"
    report.tab.evaluate("void (navigator.clipboard.writeText = async () => { throw new Error('no'); })")
    report.tab.click("#copy")
    report.tab.wait_for_function("() => document.getElementById('copied').innerText.startsWith('Selected')")
    assert json.loads(report.tab.evaluate("getSelection().toString()"))["Statement"]


@pytest.mark.browser
def test_a_hundred_hostile_names_execute_nothing(show: Any) -> None:
    audit = sample.audit(rules=5, findings=500, hostile=True)
    assert len(audit.resources) >= 100
    report = show(audit, "#?status=all")
    for button in report.tab.locator("#list h5 button").all():
        button.click()
    while report.tab.locator(".more:visible").count():
        report.tab.locator(".more:visible").first.click()
    assert report.tab.locator(".resources li").count() == len(audit.findings)
    assert report.tab.evaluate("window.hacked === undefined")
    assert report.tab.locator("#list img, #list script, #list [onload], #list [onmouseover]").count() == 0
    text = report.tab.locator("body").inner_text()
    assert "<script>window.hacked=1</script>" in text
    assert r"invoice\u202efdp.exe" in text
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u200b\x00\x1b\ufeff\u2028]", text)


@pytest.mark.browser
def test_ten_thousand_findings_stay_light(show: Any) -> None:
    report = show(sample.audit(rules=150, findings=10_000))
    assert "of 10,000 findings shown" in report.shown()
    assert report.nodes() < 5000
    report.tab.locator("#list h5 button").first.click()
    assert report.tab.locator(".resources li").count() == 20
    assert report.nodes() < 5000


@pytest.mark.browser
def test_paper_shows_the_findings_opened(show: Any) -> None:
    report = show(sample.audit())
    assert report.tab.locator(".resources li").count() == 0
    report.tab.emulate_media(media="print")
    report.tab.locator(".resources li").first.wait_for()
    assert report.tab.locator(".resources li").count() == int(report.shown().split()[0])
    assert not report.tab.locator("#filters").is_visible()
    report.tab.emulate_media(media="screen")
    report.tab.wait_for_function("() => document.querySelectorAll('.resources li').length === 0")
    assert report.tab.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(show: Any, width: int) -> None:
    report = show(sample.audit(hostile=True, findings=200), viewport={"width": width, "height": 800})
    report.tab.locator("#list h5 button").first.click()
    assert report.tab.evaluate("document.documentElement.scrollWidth") <= width


AUDITS = {
    "usual": sample.audit,
    "hostile": lambda: sample.audit(hostile=True, complete=False),
    "empty": lambda: sample.audit(findings=0),
    "unread": lambda: sample.audit(statuses=(Status.NOT_EVALUATED, Status.ERROR)),
}


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", AUDITS)
def test_accessible(show: Any, name: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    report = show(AUDITS[name](), color_scheme=scheme)
    for button in report.tab.locator("#list h5 button").all()[:3]:
        button.click()
    for details in report.tab.locator("details summary").all():
        details.click()
    results = Axe().run(report.tab)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.browser
def test_accessible_on_a_small_screen(show: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    report = show(
        sample.audit(), "#?status=all&rule=sqs-dead-letter-queue", viewport={"width": 360, "height": 740}
    )
    results = Axe().run(report.tab)
    assert results.violations_count == 0, results.generate_report()


# -- groups, order, links, files -------------------------------------------------------------------


GROUPS = {
    "resource": lambda f, rule, resource: resource.name,
    "service": lambda f, rule, resource: resource.type.split("::")[1],
    "region": lambda f, rule, resource: resource.region or "global",
    "severity": lambda f, rule, resource: f.severity.capitalize(),
    "status": lambda f, rule, resource: embedded.STATUS_WORDS[f.status],
}


@pytest.mark.browser
@pytest.mark.parametrize("by", GROUPS)
def test_findings_are_grouped_by(show: Any, by: str) -> None:
    audit = sample.audit(findings=120)
    report = show(audit, f"#?status=all&group={by}")
    key = GROUPS[by]
    named = {key(f, audit.rules[f.rule], audit.resources[f.resource]) for f in audit.findings}
    more = report.tab.locator("#list > .more:visible")
    while more.count():
        more.click()
    assert set(report.rules("h3")) == named
    report.tab.locator("#list h3 button").first.click()
    inner = report.tab.locator("#list .rule-body").first
    assert inner.locator(".rule, .resources li").count() > 0
    before = (report.hash(), inner.inner_text())
    report.tab.reload()
    report.drawn()
    assert (report.hash(), report.tab.locator("#list .rule-body").first.inner_text()) == before


@pytest.mark.browser
def test_groups_by_pipeline_and_best_practice_hold_what_belongs_to_several(show: Any) -> None:
    audit = audits.read(GOLDEN)
    report = show(audit, "#?status=fail&group=pipeline&sort=name")
    failing = [audit.resources[f.resource] for f in audit.findings if f.status is Status.FAIL]
    names = {name for resource in failing for name in resource.pipelines or ["In no pipeline"]}
    assert set(report.rules("h3")) == names
    report.tab.select_option("#group", "practice")
    shown = [text.split()[0] for text in report.rules("h3")]
    assert shown == sorted(shown)
    assert {text[:2] for text in shown} >= {"BP", "CO"}


@pytest.mark.browser
def test_rules_are_sorted_as_asked(show: Any) -> None:
    report = show(sample.audit(findings=300), "#?status=all&pillar=security&sort=name")
    for theme in report.tab.locator(".theme").all():
        titles = theme.locator("h5").all_inner_texts()
        assert titles == sorted(titles)
    assert "sort=name" in report.hash()


@pytest.mark.browser
def test_the_steps_are_ordered_by_points_and_by_effort(show: Any) -> None:
    audit = sample.audit(findings=200)
    report = show(audit)

    def titles() -> list[str]:
        return [str(text) for text in report.tab.locator("#steps h3").all_inner_texts()]

    steps = [step for step in audit.fix_first if step.gain > 0]
    report.tab.select_option("#order", "effort")
    report.tab.wait_for_function("() => location.hash.includes('order=effort')")
    easiest = sorted(steps, key=lambda s: (s.failures, -s.gain))
    assert titles() == [audit.rules[s.rule].failure_title for s in easiest[:5]]
    report.tab.locator("#more-steps button").click()
    assert len(titles()) == len(steps)


@pytest.mark.browser
def test_a_copied_link_leads_to_its_finding_alone(show: Any) -> None:
    audit = sample.audit(findings=200)
    report = show(audit, "#?status=all&rule=sqs-dead-letter-queue")
    report.tab.evaluate("void (navigator.clipboard.writeText = async (text) => { window.copied = text; })")
    row = report.tab.locator(".resources li").nth(2)
    arn = row.locator(".arn").inner_text()
    row.locator(".acts button").click()
    report.tab.wait_for_function("() => window.copied")
    link = str(report.tab.evaluate("window.copied"))
    other = show(audit, "#" + link.partition("#")[2])
    assert other.tab.locator(".resources li").count() == 1
    assert other.tab.locator(".resources .arn").inner_text() == arn
    assert other.tab.evaluate("document.activeElement.tagName") == "LI"
    assert other.shown().startswith("1 of 200 ")


@pytest.mark.browser
def test_where_the_clipboard_is_shut_the_address_becomes_the_link(show: Any) -> None:
    report = show(sample.audit(), "#?status=all&rule=sqs-dead-letter-queue")
    report.tab.evaluate("void (navigator.clipboard.writeText = async () => { throw new Error('no'); })")
    report.tab.locator(".acts button").first.click()
    report.tab.wait_for_function("() => location.hash.startsWith('#?finding=')")
    assert "address bar" in report.tab.locator("#said").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
def test_what_is_shown_is_taken_away_as_the_formats_have_it(show: Any, hostile: bool, tmp_path: Path) -> None:
    audit = sample.audit(findings=200, hostile=hostile)
    report = show(audit, "#?status=all")
    made = b"".join(csv_report.render(audit)).decode()
    assert _rows(_download(report, "csv", tmp_path)) == _rows(made)
    lines = b"".join(jsonl.render(audit)).decode().splitlines()
    taken = json.loads(_download(report, "json", tmp_path))
    assert taken == [json.loads(line) for line in lines]
    report.pill("critical")
    failing = [f.id for f in audit.findings if f.severity == "critical"]
    assert [row[0] for row in _rows(_download(report, "csv", tmp_path))[1:]] == failing


def _download(report: Opened, form: str, folder: Path) -> str:
    with report.tab.expect_download() as download:
        report.tab.click(f"#download-{form}")
    assert download.value.suggested_filename == f"findings.{form}"
    download.value.save_as(folder / "taken")
    return (folder / "taken").read_bytes().decode()


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


# -- size and damage -------------------------------------------------------------------------------


def test_the_demos_report_fits_into_400_kilobytes() -> None:
    assert len(page(audits.read(GOLDEN)).encode()) <= 400_000


@pytest.mark.browser
def test_beyond_what_a_page_can_draw_rules_are_counted_and_the_data_file_named(
    show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "MOST_FINDINGS", 100)
    report = show(sample.audit(findings=101), "#?pillar=security&group=resource")
    assert report.shown().endswith("101 findings in all")
    assert report.tab.locator("#list h3").all_inner_texts() == ["Security"]
    assert not report.tab.locator("#group").is_visible()
    assert not report.tab.locator("#download-csv").is_visible()
    report.tab.locator("#list h5 button").first.click()
    assert "audit.json" in report.tab.locator(".rule-body").first.inner_text()
    report.search("encrypt")
    assert 0 < len(report.rules()) < 18


@pytest.mark.browser
def test_a_file_that_was_cut_off_says_so(browser: Any, tmp_path: Path) -> None:
    text = page(sample.audit())
    packed = re.search(r'id="audit-data">([^<]*)', text)
    assert packed
    for number, left in enumerate((packed[1][:400], "", packed[1][:200] + packed[1][204:])):
        path = tmp_path / f"{number}.html"
        path.write_text(text.replace(packed[1], left), encoding="utf-8")
        report = Opened(browser, path, wait=False)
        assert "damaged" in report.tab.locator("#list").inner_text()
        assert report.said == []
        report.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("level", [0, 1, 9], ids=["stored", "fast", "best"])
@pytest.mark.parametrize(
    "text", ["", "a", "ab" * 70_000, "".join(chr(33 + n * n % 90) for n in range(90_000)), "päß日本🎈" * 999]
)
def test_the_page_inflates_whatever_zlib_deflates(browser: Any, level: int, text: str) -> None:
    script = Path(embedded.__file__).parents[2] / "report_templates" / "script" / "inflate.js"
    packed = base64.b64encode(zlib.compress(text.encode(), level)).decode()
    tab = browser.new_page()
    tab.add_script_tag(content=script.read_text(encoding="utf-8"))
    inflated = tab.evaluate(
        "packed => new TextDecoder().decode(inflate(Uint8Array.from(atob(packed), c => c.charCodeAt(0))))",
        packed,
    )
    tab.close()
    assert inflated == text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("by", ["resource", "pipeline"])
def test_groups_and_drawings_are_accessible(show: Any, by: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    report = show(audits.read(GOLDEN), f"#?status=all&group={by}", color_scheme=scheme)
    report.tab.locator("#list h3 button").nth(1).click()
    report.tab.locator("#list .rule-body button").first.click()
    for details in report.tab.locator("details.pipeline summary").all()[1:3]:
        details.click()
    results = Axe().run(report.tab)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.browser
def test_findings_are_called_in_the_page_as_everywhere(browser: Any) -> None:
    script = Path(embedded.__file__).parents[2] / "report_templates" / "script" / "digest.js"
    tab = browser.new_page()
    tab.add_script_tag(content=script.read_text(encoding="utf-8"))
    texts = [
        "",
        "sqs-queue-dlq\narn:aws:sqs:eu-west-1:123456789012:orders",
        "é\u202e😀",
        *("x" * n for n in range(50, 140)),
    ]
    assert tab.evaluate("texts => texts.map(digest)", texts) == [
        hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts
    ]
    tab.close()
