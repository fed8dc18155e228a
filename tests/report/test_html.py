"""The HTML report: what its bytes say, and what a browser makes of them."""

from __future__ import annotations

import base64
import hashlib
import html as entities
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.report import sample
from wa_audit.model import Status
from wa_audit.report import embedded, html
from wa_audit.report.audit import Audit, Practice


def page(audit: Audit) -> str:
    return b"".join(html.render(audit)).decode("utf-8")


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
            "id": id_,
            "rule": data["rules"][rule]["id"],
            "resource": data["resources"]["arn"][resource],
            "status": statuses[status],
            "severity": data["severities"][severity],
            "message": data["messages"][message],
            "evidence": data["evidence"][evidence] if evidence >= 0 else {},
            "gap": None if gap < 0 else gap,
            "suppression": None if suppression < 0 else suppression,
            "known": bool(known),
        }
        for id_, rule, resource, status, severity, message, evidence, gap, suppression, known in zip(
            *(columns[name] for name in _COLUMNS), strict=True
        )
    ]
    assert read == [msgspec.structs.asdict(row) for row in audit.findings]
    table = data["resources"]
    rows = zip(table["arn"], table["type"], table["tags"], table["region"], strict=True)
    assert {arn: (data["types"][type_], data["tags"][tags], region) for arn, type_, tags, region in rows} == {
        arn: (r.type, r.tags, r.region) for arn, r in audit.resources.items()
    }


_COLUMNS = "id rule resource status severity message evidence gap suppression known".split()


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
    assert html.visible(text) == shown


@pytest.mark.parametrize(
    ("score", "grade"),
    [(None, "none"), (0, "poor"), (49.9, "poor"), (50, "medium"), (89.9, "medium"), (90, "good")],
)
def test_a_grade_begins_at_its_floor(score: float | None, grade: str) -> None:
    assert html.grade(score) == grade


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


# -- a browser -------------------------------------------------------------------------------------

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all. Where there is none the tests are skipped, in CI they fail."""
    must = os.environ.get("CI") == "true"
    if not must and shutil.which(CHROMIUM) is None:
        pytest.skip(f"{CHROMIUM} is not installed")
    if not must:
        pytest.importorskip("playwright.sync_api")
        pytest.importorskip("axe_playwright_python.sync_playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


class Opened:
    """A report in a tab, with all that it said on the console and asked of the network."""

    def __init__(self, browser: Any, path: Path, fragment: str = "", **options: Any) -> None:
        self.path = path
        self.context = browser.new_context(reduced_motion="reduce", **options)
        self.tab = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.tab.on("request", lambda request: self.asked.append(request.url.partition("#")[0]))
        self.tab.goto(path.as_uri() + fragment)
        self.drawn()

    def drawn(self) -> None:
        """Waits until the data is unpacked; a report without findings has no list."""
        self.tab.wait_for_function(
            "() => !document.getElementById('shown') || document.getElementById('shown').innerText !== ''"
        )

    def rules(self) -> list[str]:
        return [text.strip() for text in self.tab.locator("#list h5").all_inner_texts()]

    def shown(self) -> str:
        return str(self.tab.locator("#shown").inner_text())

    def search(self, words: str) -> None:
        before = self.shown()
        self.tab.fill("#q", words)
        self.tab.wait_for_function(
            "before => document.getElementById('shown').innerText !== before", arg=before
        )

    def pill(self, value: str) -> None:
        self.tab.locator(f"#filters input[value={value}]").click()
        self.tab.wait_for_timeout(50)

    def hash(self) -> str:
        return str(self.tab.evaluate("location.hash"))

    def nodes(self) -> int:
        return int(self.tab.evaluate("document.querySelectorAll('*').length"))


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens an audit's report; afterwards nothing may have been said, and nothing asked for but the file."""
    opened: list[Opened] = []

    def _show(audit: Audit, fragment: str = "", **options: Any) -> Opened:
        path = tmp_path / f"{len(opened)}.html"
        path.write_text(page(audit), encoding="utf-8")
        opened.append(Opened(browser, path, fragment, **options))
        return opened[-1]

    yield _show
    for report in opened:
        assert report.said == []
        assert {url for url in report.asked if not url.startswith("data:")} == {report.path.as_uri()}
        report.context.close()


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
def test_fifty_hostile_names_execute_nothing(show: Any) -> None:
    audit = sample.audit(rules=5, findings=250, hostile=True)
    assert len(audit.resources) >= 50
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
