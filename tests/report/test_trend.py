"""The trend: what many runs say together, on one axis of time."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from rich.console import Console

from tests.report import sample
from tests.report.test_html import digest, policy
from tests.test_cli import Call, call, complaint  # noqa: F401  (one is a fixture)
from wa_audit import stores
from wa_audit.model import ConfigurationError, Status
from wa_audit.report import audit as audits
from wa_audit.report import history, trend, trend_html, trend_text
from wa_audit.report.audit import Audit
from wa_audit.report.trend import Trend

DEMO = audits.read(Path(__file__).parent.parent / "golden" / "audit.json")
HOSTILE = "<img src=x onerror=alert(1)>\x1b]0;pwn\x07"


def on(day: str, audit: Audit | None = None, **run: Any) -> Audit:
    """An audit that finished on a day."""
    found = audit or sample.audit(findings=100)
    facts = {"account": "123456789012", "finished": f"{day}T06:00:00Z", **run}
    return structs.replace(found, run=structs.replace(found.run, **facts))


def scored(audit: Audit, score: float | None) -> Audit:
    return structs.replace(audit, overall=structs.replace(audit.overall, score=score))


def summaries(*runs: Audit) -> list[tuple[str, bytes]]:
    return [
        (key, b"".join(chunks))
        for audit in runs
        for key, chunks in history.files(audit)
        if key.startswith("runs/")
    ]


def of(*runs: Audit) -> Trend:
    return trend.of(summaries(*runs), "past")


def page(found: Trend) -> str:
    return b"".join(trend_html.render(found)).decode()


def text(found: Trend, *, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    trend_text.show(found, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_runs_stand_in_the_order_of_their_time_however_they_are_read() -> None:
    runs = [scored(on(day), score) for day, score in (("2026-10-01", 50.0), ("2026-09-01", 40.0))]
    (account,) = of(*runs).accounts
    assert [run.finished[:10] for run in account.runs] == ["2026-09-01", "2026-10-01"]
    assert [point.score for point in account.overall.points] == [40.0, 50.0]
    assert account.overall.change == 10.0
    assert of(*runs) == of(*reversed(runs))


def test_every_pillar_and_pipeline_has_its_line() -> None:
    (account,) = of(on("2026-10-01", DEMO)).accounts
    assert [line.pillar for line in account.pillars] == [str(pillar.pillar) for pillar in DEMO.pillars]
    assert {line.pipeline for line in account.pipelines} == {pipeline.name for pipeline in DEMO.pipelines}
    by_name = {pipeline.name: pipeline for pipeline in DEMO.pipelines}
    for line in account.pipelines:
        expected = by_name[line.pipeline]
        assert (line.last.score, line.last.failing) == (expected.score, expected.counts[Status.FAIL])
    # And a pipeline's share in each pillar.
    shares = [line for line in account.lines if line.pipeline and line.pillar]
    assert len(shares) == len(DEMO.pipelines) * len(DEMO.pillars)


def test_a_run_without_a_score_breaks_the_line_and_is_no_change() -> None:
    runs = [
        scored(on(f"2026-10-0{n}"), score) for n, score in enumerate((40.0, 50.0, None, 60.0, 70.0), start=1)
    ]
    (account,) = of(*runs).accounts
    assert account.overall.change == 30.0
    drawn = trend_html.chart(account, account.overall, 400, 100).score
    assert drawn.path == "M0 60L100 50M300 40L400 30"
    assert len(drawn.dots) == 4
    (unsure,) = of(runs[0], runs[2]).accounts
    assert unsure.overall.change is None
    assert unsure.overall.last.score is None


def test_a_pipeline_that_came_or_went_has_no_point_where_it_was_not() -> None:
    fewer = structs.replace(DEMO, pipelines=DEMO.pipelines[1:])
    name = DEMO.pipelines[0].name
    (account,) = of(on("2026-10-01", DEMO), on("2026-10-02", fewer)).accounts
    assert [line.pipeline for line in account.gone] == [name]
    assert name not in {line.pipeline for line in account.pipelines}
    assert f"did not find: {name}." in "".join(trend_text.caveats(account))


def test_what_was_narrowed_is_no_point_of_the_whole() -> None:
    whole, part = on("2026-10-01"), on("2026-10-02", only=["pipeline orders"])
    assert [(x.account, x.narrowed_to, len(x.runs)) for x in of(whole, part).accounts] == [
        ("123456789012", "", 1),
        ("123456789012", "pipeline orders", 1),
    ]


def test_what_a_reader_must_know_is_said() -> None:
    other = structs.replace(on("2026-10-02"), rulebook=structs.replace(DEMO.rulebook, digest="another"))
    found = of(on("2026-10-01"), other, on("2026-10-03", complete=False))
    said = " ".join(trend_text.caveats(found.accounts[0]))
    assert "Judged by other rules than the run before: 2026-10-02, 2026-10-03;" in said
    assert "Stopped before their end: 2026-10-03." in said
    assert "stopped before its end, other rules than before" in page(found)


def test_accounts_and_days_are_chosen_by_the_keys() -> None:
    keys = [
        f"runs/account_id={account}/audit_date={day}/x.jsonl"
        for account in ("111111111111", "222222222222")
        for day in ("2026-09-30", "2026-10-01")
    ]
    assert trend.wanted([*keys, "runs/README.md", "findings/a.parquet"]) == keys
    assert trend.wanted(keys, ["111111111111"], "2026-10-01") == keys[1:2]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda raw: raw[:-40], "line 7: not a run's summary"),
        (lambda raw: b"{}\n", "line 1: not a run's summary"),
        (lambda raw: b"\xff\xfe\n", "line 1: not a run's summary"),
        (lambda raw: b"", "does not begin with the line of the whole account"),
        (lambda raw: raw.split(b"\n", 1)[1], "does not begin with the line of the whole account"),
        (lambda raw: raw.replace(b'"version":"1.', b'"version":"2.'), "version 2.0, this program reads 1.0"),
        (lambda raw: raw.replace(b"2026-10-01T", b"2026-13-01T"), "not a run's summary"),
        (lambda raw: re.sub(rb'"score":[\d.]+', b'"score":101', raw), "not a run's summary"),
    ],
)
def test_a_summary_that_is_damaged_is_named(damage: Any, words: str) -> None:
    ((key, raw),) = summaries(on("2026-10-01"))
    with pytest.raises(ConfigurationError, match=words) as raised:
        trend.of([(key, damage(raw))], "past")
    assert str(raised.value).startswith(f"past/{key}")
    assert "\n" not in str(raised.value)


def test_the_terminal_shows_each_line_and_no_control_byte() -> None:
    evil = structs.replace(DEMO, pipelines=[structs.replace(DEMO.pipelines[0], name=HOSTILE)])
    shown = text(of(on("2026-10-01", evil), on("2026-10-02", evil)))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert all(pillar.title in shown for pillar in DEMO.pillars)
    assert f"{DEMO.overall.counts['fail']}" in shown


@pytest.mark.parametrize("width", [40, 79, 120])
def test_narrow_and_plain_terminals_still_tell(width: int) -> None:
    console = Console(file=io.TextIOWrapper(io.BytesIO(), "ascii"), width=width, no_color=True)
    found = of(*(scored(on(f"2026-10-0{n}"), 20.0 * n) for n in range(1, 5)))
    bars = trend_text.bars(found.accounts[0].overall, 4, console)
    assert bars.isascii()
    assert len(set(bars)) == 4
    assert "Overall" in text(found, width=width)


def test_the_page_is_self_contained_and_the_same_every_time() -> None:
    found = of(on("2026-10-01", DEMO), on("2026-10-02", DEMO))
    made = page(found)
    assert made == page(found)
    (style,) = re.findall(r"<style>(.*?)</style>", made, re.DOTALL)
    assert policy(made)["style-src"] == digest(style)
    assert policy(made)["script-src"] == "'none'"
    assert re.findall(r'<link [^>]*href="(.{15})', made) == ["data:image/svg+"]
    markup = re.sub(r"<style>.*?</style>|<link [^>]*>", "", made, flags=re.DOTALL)
    assert not re.search(r"<script|\sstyle=|\son\w+=|https?://", markup)


def test_hostile_names_stand_escaped() -> None:
    evil = structs.replace(DEMO, pipelines=[structs.replace(DEMO.pipelines[0], name=HOSTILE)])
    made = page(of(on("2026-10-01", evil, only=[HOSTILE])))
    assert "<img" not in made
    assert "\x1b" not in made


def test_many_runs_stay_a_small_page() -> None:
    audit = sample.audit(findings=20)
    runs = [
        on(f"20{year}-{month:02}-{day:02}", audit)
        for year in (25, 26)
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    made = page(of(*runs))
    assert len(made) < 400_000
    assert "the last 100 of 672" in made


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(browser: Any, tmp_path: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    path = tmp_path / "trend.html"
    path.write_text(page(of(on("2026-10-01", DEMO), on("2026-10-02", DEMO))), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
    tab = context.new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(path.as_uri())
    results = Axe().run(tab)
    context.close()
    assert results.violations_count == 0, results.generate_report()
    assert said == []


def test_the_command(call: Call, tmp_path: Path) -> None:  # noqa: F811
    place = str(tmp_path / "past")
    for audit in (on("2026-10-01"), on("2026-10-02", account="999999999999")):
        for key, chunks in history.files(audit):
            stores.at(place).write(key, chunks)
    assert "Account 123456789012" in call("trend", place).out
    made = json.loads(call("trend", place, "--format", "json", "--account", "999999999999").out)
    assert (made["format"], [account["account"] for account in made["accounts"]]) == (
        trend.FORMAT,
        ["999999999999"],
    )
    assert call("trend", place, "--format", "html", "-o", "trend.html").out == "trend.html\n"
    assert (tmp_path / "trend.html").stat().st_mode & 0o777 == 0o600
    assert "holds no runs" in complaint(call("trend", place, "--since", "2027-01-01"), 2)
    assert "cannot be read: No such file" in complaint(call("trend", "nowhere"), 2)
    assert "--output goes with" in complaint(call("trend", place, "-o", "x"), 2)
    assert "does not match the format" in complaint(call("trend", place, "--since", "monday"), 2)
