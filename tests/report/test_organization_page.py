"""organization.html: what its bytes say, and what it does in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.report import organizations
from tests.report.opened import Opened
from tests.report.test_html import digest, policy
from wa_audit.model import Pillar
from wa_audit.report import embedded, organization_html, rankings
from wa_audit.report.organization import Organization, Point

WHOLE = organizations.organization()
HOSTILE = organizations.organization(hostile=True)
NONE = organizations.organization(0, runs=0)
TABLES = ("accounts", "units", "pipelines", "rules", "runs", "not-audited", "missing")


def page(found: Organization) -> str:
    return b"".join(organization_html.render(found)).decode()


def packed(found: Organization) -> dict[str, dict[str, Any]]:
    return {table["id"]: table for table in embedded.unpack(page(found).encode())["tables"]}


# -- the bytes -------------------------------------------------------------------------------------


def test_the_same_organization_gives_the_same_bytes() -> None:
    assert page(organizations.organization()) == page(WHOLE)


def test_the_policy_admits_the_two_blocks_of_the_page_and_nothing_else() -> None:
    text = page(WHOLE)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    found = policy(text)
    assert (found["default-src"], found["style-src"]) == ("'none'", digest(style))
    assert found["script-src"] == digest(script)
    assert found["require-trusted-types-for"] == "'script'"


@pytest.mark.parametrize("found", [WHOLE, HOSTILE, NONE], ids=["usual", "hostile", "none"])
def test_nothing_in_the_page_needs_what_the_policy_forbids(found: Organization) -> None:
    markup = re.sub(r"<(style|script)\b.*?</\1>", "", page(found), flags=re.DOTALL)
    tags = re.findall(r"<[a-z][^>]*>", markup)
    assert not [tag for tag in tags if re.search(r"\s(style|on\w+)=", re.sub(r'"[^"]*"', '""', tag))]
    assert not [tag for tag in tags if re.search(r'\b(src|href)="(?!#|data:image/svg)', tag)]
    assert not re.search(r"url\(|@import", page(found))


def test_hostile_names_stand_escaped_and_visible() -> None:
    text = page(HOSTILE)
    assert text.count("<script") == 2
    assert text.count("</script") == 2
    assert "<img" not in text
    assert "<svg/onload" not in text
    assert "&lt;script&gt;window.hacked=1" in text
    assert r"invoice\u202efdp.exe" in text
    for character in text:
        assert character.isprintable() or character == "\n", hex(ord(character))


def test_what_is_packed_is_the_organizations() -> None:
    found = packed(WHOLE)
    accounts = found["accounts"]["columns"]
    assert [name[0] for name in accounts[0]] == [a.name or a.account for a in WHOLE.accounts]
    assert accounts[1] == [a.overall.score for a in WHOLE.accounts]
    assert accounts[1] == sorted(accounts[1])
    security = 2 + list(Pillar).index(Pillar.SECURITY)
    assert accounts[security] == [a.pillars[Pillar.SECURITY].score for a in WHOLE.accounts]
    assert accounts[11] == [a.overall.counts["fail"] for a in WHOLE.accounts]
    assert accounts[13].count("in part") == sum(a.partial for a in WHOLE.accounts) == 3
    assert len(found["pipelines"]["columns"][0]) == len(WHOLE.pipelines)
    assert found["units"]["columns"][1] == sorted(found["units"]["columns"][1])
    assert sorted(name[2] for name in found["units"]["columns"][0]) == [u.path for u in WHOLE.units]
    assert found["rules"]["columns"][3] == sorted((r.accounts for r in WHOLE.rules), reverse=True)


def test_accounts_whose_unit_is_not_known_stand_in_a_row_that_says_so() -> None:
    row = next(row for row in re.findall("<tr>.*?</tr>", page(WHOLE)) if "No unit known" in row)
    unit = next(unit for unit in WHOLE.units if not unit.path)
    assert f"<td>{unit.audited} of {unit.planned}</td>" in row
    assert unit.planned == sum(not a.unit for a in (*WHOLE.accounts, *WHOLE.not_audited)) == 5


def test_what_was_not_audited_is_told_with_reason_call_and_action() -> None:
    text = page(WHOLE)
    assert "3 accounts of 40 were not audited and are in no score here" in text
    part = text[text.index('id="not-audited-table"') :]
    for words in ("Access denied", "<code><bdi>AssumeRole</bdi></code>", "Never scanned", "sts:AssumeRole"):
        assert words in part
    gaps = text[text.index('id="missing-table"') :]
    assert "s3:GetBucketPolicy" in gaps
    assert organization_html.OUTSIDE in gaps


def test_runs_stand_newest_first_with_their_change_and_what_is_not_known() -> None:
    text = page(WHOLE)
    assert "Score by run, the oldest first: 58.0, 60.3, 62.6" in text
    runs = packed(WHOLE)["runs"]["columns"]
    assert [name[0] for name in runs[0]][:2] == ["2026-11-26 06:00 UTC", "2026-10-26 06:00 UTC"]
    assert runs[2][0] == round(runs[1][0] - runs[1][1], 1)
    assert (runs[2][-1], runs[4][-1], runs[6][-1]) == (
        None,
        None,
        None,
    )  # of a version that did not tell them
    assert [said for said in runs[8] if said] == ["other rules than before"]
    assert runs[6][1] == WHOLE.trend[-1].failing


def test_many_runs_are_not_all_listed() -> None:
    points = [
        Point(run=f"{year}0101T000000Z", score=50.0, coverage=90.0, audited=1, planned=1)
        for year in range(1000, 1200)
    ]
    runs = packed(replace(WHOLE, trend=points))["runs"]
    assert (len(runs["columns"][0]), runs["total"]) == (100, 201)
    assert runs["columns"][0][1] == ["1199-01-01 00:00 UTC"]


def test_where_no_account_was_audited_no_score_is_given() -> None:
    text = page(NONE)
    assert "No account was audited." in text
    assert "None: every account of this run was audited." in text
    assert 'id="accounts-table"' not in text
    assert 'aria-label="Overall score: not scored"' in text


def test_ten_thousand_accounts_are_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = page(_many(10_000))
    assert len(text) < 1_000_000
    assert "The first 25 of 10,000 accounts; organization.json, beside this page, holds them all." in text
    assert len(re.findall("<tr>", text)) < 200
    monkeypatch.setattr(rankings, "MOST_ROWS", 30)
    table = packed(WHOLE)["accounts"]
    assert (len(table["columns"][0]), table["total"]) == (30, 37)


def _many(accounts: int) -> Organization:
    found = [
        replace(WHOLE.accounts[number % 37], account=f"{number:012}", name=f"account-{number}")
        for number in range(accounts)
    ]
    return replace(WHOLE, accounts=found)


# -- in a browser ----------------------------------------------------------------------------------


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a page; afterwards nothing may have been said, and nothing asked for but the file."""
    opened: list[Opened] = []

    def _show(found: Organization | str = WHOLE, **options: Any) -> Opened:
        path = tmp_path / f"{len(opened)}.html"
        path.write_text(found if isinstance(found, str) else page(found), encoding="utf-8")
        opened.append(Opened(browser, path, wait=False, **options))
        return opened[-1]

    yield _show
    for each in opened:
        assert each.said == []
        assert {url for url in each.asked if not url.startswith("data:")} == {each.path.as_uri()}
        each.context.close()


def rows(report: Opened, table: str = "accounts") -> list[list[str]]:
    """What a table shows, cell by cell."""
    found: list[list[str]] = report.tab.locator(f"#{table}-table tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.replace(/\\s+/g, ' ').trim()))"
    )
    return found


def column(report: Opened, number: int, table: str = "accounts") -> list[str]:
    cells = report.tab.locator(f"#{table}-table tbody tr > :nth-child({number + 1})")
    return [str(text) for text in cells.all_inner_texts()]


def said(report: Opened, table: str = "accounts") -> str:
    return str(report.tab.locator(f"#{table}-shown").inner_text())


@pytest.mark.browser
@pytest.mark.parametrize("found", [WHOLE, HOSTILE], ids=["usual", "hostile"])
def test_the_script_draws_what_stands_in_the_page_without_it(show: Any, found: Organization) -> None:
    drawn, still = show(found), show(found, java_script_enabled=False)
    for table in TABLES:
        shown = rows(drawn, table)
        assert shown == rows(still, table), table
        assert shown
    assert said(still) == (
        f"The first 25 of {found.audited} accounts; organization.json, beside this page, holds them all."
    )
    assert said(drawn) == f"The first 25 of {found.audited} accounts."


@pytest.mark.browser
def test_a_heading_sorts_and_sorts_back(show: Any) -> None:
    report = show()
    waste = report.tab.locator("#accounts-table thead th").nth(12)
    waste.locator("button").click()
    assert waste.get_attribute("aria-sort") == "descending"
    amounts = [account.waste for account in WHOLE.accounts if account.waste is not None]
    assert column(report, 12)[0] == f"{max(amounts):,.0f} USD"
    waste.locator("button").press("Enter")
    assert waste.get_attribute("aria-sort") == "ascending"
    assert column(report, 12)[0].startswith(f"{min(amounts):,.2f}"[:4])
    report.tab.click("#accounts-more button")
    assert column(report, 12)[-1] == "–"  # what is not known stands last, whichever way
    score = report.tab.locator("#accounts-table thead th").nth(1)
    score.locator("button").click()
    assert (score.get_attribute("aria-sort"), waste.get_attribute("aria-sort")) == ("ascending", None)
    found = [int(text) for text in column(report, 1)]
    assert found == sorted(found)


@pytest.mark.browser
def test_search_and_choices_filter(show: Any) -> None:
    report = show()
    report.tab.fill("#accounts-q", "BILLING data")
    assert said(report).endswith("of 37 match.") or said(report).endswith("matches.")
    assert all("billing" in text and "Root/Data" in text for text in column(report, 0))
    report.tab.fill("#accounts-q", WHOLE.accounts[3].account)
    assert said(report) == "1 account of 37 matches."
    report.tab.fill("#accounts-q", "nowhere")
    assert (said(report), rows(report)) == ("No account of 37 matches.", [])
    report.tab.fill("#accounts-q", "")
    report.tab.select_option("#accounts-choice-1", label="Poor")
    assert all(int(text) < 50 for text in column(report, 1))
    assert len(column(report, 1)) == sum((a.overall.score or 0) < 50 for a in WHOLE.accounts)
    report.tab.select_option("#accounts-choice-1", label="All")
    report.tab.select_option("#accounts-choice-2", label="In part")
    assert column(report, 13) == ["in part"] * 3


@pytest.mark.browser
@pytest.mark.parametrize("name", ["Root/Retail", "No unit known", "Root"])
def test_a_unit_leads_to_its_accounts(show: Any, name: str) -> None:
    report = show()
    report.tab.fill("#accounts-q", "nowhere")
    report.tab.get_by_role("link", name=name, exact=True).click()
    assert report.tab.evaluate("document.activeElement.id") == "accounts"
    path = "" if name == "No unit known" else name
    unit = next(unit for unit in WHOLE.units if unit.path == path)
    found = {account.name or account.account for account in _below(path)}
    assert len(_below(path)) == unit.audited
    while report.tab.locator("#accounts-more button").is_visible():
        report.tab.click("#accounts-more button")
    assert {text.split()[0] for text in column(report, 0)} == found


def _below(path: str) -> list[Any]:
    return [a for a in WHOLE.accounts if a.unit == path or (path and a.unit.startswith(f"{path}/"))]


@pytest.mark.browser
def test_more_rows_come_as_they_are_asked_for(show: Any) -> None:
    report = show(_many(10_000))
    assert report.nodes() < 5000
    assert said(report) == "The first 25 of 10,000 accounts."
    report.tab.click("#accounts-more button")
    assert len(rows(report)) == 225
    assert report.tab.evaluate("document.activeElement.rowIndex") == 26
    report.tab.fill("#accounts-q", "account-9999")
    assert said(report) == "1 account of 10,000 matches."


@pytest.mark.browser
def test_what_the_page_does_not_hold_is_said(show: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rankings, "MOST_ROWS", 30)
    assert said(show()) == "The first 25 of 30 accounts. This page holds 30 of 37 accounts."
    still = show(java_script_enabled=False)
    assert said(still) == "The first 25 of 37 accounts; organization.json, beside this page, holds them."


@pytest.mark.browser
def test_hostile_names_execute_nothing(show: Any) -> None:
    report = show(HOSTILE)
    for table in TABLES:
        while report.tab.locator(f"#{table}-more button").is_visible():
            report.tab.click(f"#{table}-more button")
    for heading in report.tab.locator("#accounts-table thead button").all():
        heading.click()
    for option in range(5):
        report.tab.select_option("#accounts-choice-0", str(option))
        assert rows(report)
    assert report.tab.evaluate("window.hacked === undefined")
    assert report.tab.locator("main img, main script, main [onload], main [onmouseover]").count() == 0
    text = report.tab.locator("body").inner_text() + "".join(report.tab.locator("option").all_inner_texts())
    assert "<script>window.hacked=1</script>" in text
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u200b\x00\x1b\ufeff\u2028]", text)


@pytest.mark.browser
def test_damaged_data_is_told_and_leaves_what_stands_in_the_page(show: Any) -> None:
    report = show(re.sub(r'(id="audit-data">)[^<]{400}', r"\1", page(WHOLE)))
    assert "The figures in this file are damaged" in report.tab.locator("header").inner_text()
    assert len(rows(report)) == 25


@pytest.mark.browser
def test_paper_shows_all_accounts_and_no_controls(show: Any) -> None:
    report = show()
    report.tab.emulate_media(media="print")
    report.tab.locator("#accounts-table tbody tr").nth(36).wait_for()
    assert len(rows(report)) == 37
    assert not report.tab.locator("#accounts-q").is_visible()
    assert report.tab.pdf(format="A4").startswith(b"%PDF")
    report.tab.emulate_media(media="screen")
    report.tab.wait_for_function("document.querySelectorAll('#accounts-table tbody tr').length === 25")


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(show: Any, width: int) -> None:
    report = show(HOSTILE, viewport={"width": width, "height": 800})
    assert report.tab.evaluate("document.documentElement.scrollWidth") <= width


LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "small": {"viewport": {"width": 390, "height": 844}},
    "small and dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


@pytest.mark.browser
@pytest.mark.parametrize(
    ("found", "look"),
    [
        *(pytest.param(WHOLE, look, id=f"usual, {look}") for look in LOOKS),
        pytest.param(HOSTILE, "light", id="hostile"),
        pytest.param(NONE, "light", id="none"),
    ],
)
def test_accessible(show: Any, found: Organization, look: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    report = show(found, **LOOKS[look])
    for details in report.tab.locator("details summary").all():
        details.click()
    if found is not NONE:
        report.tab.locator("#accounts-table thead button").nth(1).click()
    results = Axe().run(report.tab)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.browser
def test_accessible_on_paper(show: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    report = show()
    report.tab.emulate_media(media="print")
    results = Axe().run(report.tab)
    assert results.violations_count == 0, results.generate_report()
