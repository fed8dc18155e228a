"""docs/dashboards: every query runs on what --history really writes, and names columns that are there."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import pandas as pd
import pytest
from msgspec import structs

from tests.report import sample
from tests.report.conftest import browser  # noqa: F401  (a fixture)
from wa_audit import stores
from wa_audit.model import Status
from wa_audit.report import audit as audits
from wa_audit.report import diff as diffs
from wa_audit.report import flat, history, jsonl, trend
from wa_audit.report.audit import Audit
from wa_audit.report.findings import FindingRow

if os.environ.get("CI") != "true":
    for package in ("duckdb", "sqlglot", "streamlit"):
        pytest.importorskip(package)
import duckdb
import sqlglot
from sqlglot import exp

ROOT = Path(__file__).resolve().parent.parent
DASHBOARDS = ROOT / "docs" / "dashboards"
DEMO = audits.read(ROOT / "tests" / "golden" / "audit.json")
PARTITIONS = ("account_id", "audit_date")
OTHER = "000000000042"  # an account whose number a careless reader takes for 42


def on(day: str, audit: Audit = DEMO, **run: Any) -> Audit:
    return structs.replace(audit, run=structs.replace(audit.run, finished=f"{day}T06:00:00Z", **run))


def changed() -> Audit:
    """The demo's audit on another day: some findings put right, some new, some unread, some not there."""
    made: list[FindingRow] = []
    for number, finding in enumerate(DEMO.findings):
        status = finding.status
        if status is Status.FAIL:
            status = (Status.PASS, Status.FAIL, Status.NOT_EVALUATED, Status.SUPPRESSED)[number % 4]
        elif status is Status.PASS and number % 10 == 0:
            status = Status.FAIL
        if number % 7:
            made.append(structs.replace(finding, status=status))
    return structs.replace(DEMO, findings=made)


OLD, NEW = on("2026-10-01"), on("2026-10-08", changed())
RUNS = (
    OLD,
    NEW,
    on("2026-10-09", only=["pipeline orders"]),
    on("2026-10-10", complete=False),
    on("2026-10-02", sample.audit(findings=200), account=OTHER),
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of five runs, as --history writes it."""
    folder = tmp_path_factory.mktemp("history") / "audits"
    for audit in RUNS:
        for key, chunks in history.files(audit):
            stores.at(str(folder)).write(key, chunks)
    # An older audit's findings lie there too, and another account's.
    for name, audit in (("a-new", NEW), ("b-old", OLD), ("c-other", RUNS[-1])):
        own = {
            arn: structs.replace(found, account=audit.run.account) for arn, found in audit.resources.items()
        }
        made = jsonl.render(structs.replace(audit, resources=own))
        (folder / f"{name}.jsonl").write_bytes(b"".join(made))
    return folder


@pytest.fixture(scope="module")
def db(kept: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB with the views of duckdb.sql, in a schema of Athena's database's name."""
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA wa_audit; USE wa_audit")
    text = (DASHBOARDS / "duckdb.sql").read_text(encoding="utf-8")
    assert text.count("'audits/") == 3  # one of them in the comment that says so
    connection.execute(text.replace("'audits/", f"'{kept}/"))
    return connection


def queries() -> dict[str, str]:
    """The queries of queries.sql by name."""
    parts = re.split(r"^-- name: (.+)\n", (DASHBOARDS / "queries.sql").read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


# -- SQL -------------------------------------------------------------------------------------------


def test_each_query_finds_something(db: duckdb.DuckDBPyConnection) -> None:
    assert len(queries()) == 9
    empty = [name for name, query in queries().items() if db.execute(query).fetchone() is None]
    assert not empty


def test_the_tables_hold_the_documented_columns_and_every_row(db: duckdb.DuckDBPyConnection) -> None:
    columns = {
        table: [row[0] for row in db.execute(f"DESCRIBE {table}").fetchall()]
        for table in ("findings", "runs")
    }
    assert columns["findings"] == [*flat.COLUMNS, "run", *PARTITIONS]
    assert columns["runs"] == [*history.COLUMNS, *PARTITIONS]
    counts = Counter((str(f.status), audit.run.account) for audit in RUNS for f in audit.findings)
    found = db.execute("SELECT status, account_id, count(*) FROM findings GROUP BY ALL").fetchall()
    assert {(status, account): number for status, account, number in found} == counts
    assert db.execute("SELECT DISTINCT account_id FROM runs ORDER BY 1").fetchall() == [
        (OTHER,),
        (DEMO.run.account,),
    ]


def test_pandas_reads_the_same_counts(db: duckdb.DuckDBPyConnection, kept: Path) -> None:
    table = pd.concat(
        pd.read_parquet(file, partitioning=None) for file in kept.glob("findings/*/*/*.parquet")
    )
    found = db.execute("SELECT status, severity, count(*) FROM findings GROUP BY ALL").fetchall()
    assert table.groupby(["status", "severity"]).size().to_dict() == {(s, v): n for s, v, n in found}


def test_only_whole_audits_are_compared(db: duckdb.DuckDBPyConnection) -> None:
    found = db.execute(
        "SELECT account, CAST(finished_at AS VARCHAR), age FROM audits ORDER BY 1, 3"
    ).fetchall()
    assert [(account, when[:10], age) for account, when, age in found] == [
        (OTHER, "2026-10-02", 1),
        (DEMO.run.account, "2026-10-08", 1),
        (DEMO.run.account, "2026-10-01", 2),
    ]


def test_scores_are_those_of_the_trend(db: duckdb.DuckDBPyConnection, kept: Path) -> None:
    store = stores.at(str(kept))
    account = next(
        found
        for found in trend.of(store.read(trend.wanted(store.keys("runs"))), store.place).accounts
        if found.account == OTHER
    )
    rows = db.execute(queries()["pillars over time"]).fetchall()
    assert {pillar: (score, failed) for who, _, pillar, score, _, failed in rows if who == OTHER} == {
        line.pillar: (line.last.score, line.last.failing) for line in account.pillars
    }


def test_what_is_new_and_what_was_fixed_is_what_diff_says(db: duckdb.DuckDBPyConnection) -> None:
    compared = diffs.compare(OLD, NEW)
    found: dict[str, set[str]] = {}
    for id_, became in db.execute("SELECT finding_id, became FROM changes").fetchall():
        found.setdefault(became, set()).add(id_)
    for became, change in (
        ("new", "new"),
        ("fixed", "fixed"),
        ("suppressed", "suppressed"),
        ("open", "open"),
    ):
        assert found[became] == {row.id for row in compared.changes[change]}, became
    # The comparison also tells of what passed and can no longer be told.
    unsure = {row.id for row in compared.changes["not_evaluated"] if row.before == "fail"}
    assert found["not evaluated"] == unsure
    assert found["no longer seen"] == {row.id for row in compared.changes["gone"]}


# -- Athena ----------------------------------------------------------------------------------------


def athena() -> list[exp.Expression]:
    found = sqlglot.parse((DASHBOARDS / "athena.sql").read_text("utf-8"), read="athena")
    return [statement for statement in found if statement is not None]


def test_athena_has_the_tables_column_by_column() -> None:
    tables = {s.find(exp.Table).name: s for s in athena() if s.args.get("kind") == "TABLE"}  # type: ignore[union-attr]
    expected = {"findings": (*flat.COLUMNS, "run"), "runs": history.COLUMNS}
    assert set(tables) == set(expected)
    for name, statement in tables.items():
        assert tuple(column.name for column in statement.this.expressions) == expected[name]
        text = statement.sql(dialect="athena")
        for partition in PARTITIONS:
            assert f"'projection.{partition}.type'=" in text
            assert f"{partition}=${{{partition}}}/" in text
        assert f"LOCATION 's3://acme-audits/wa-audit/{name}/'" in text


def test_a_key_of_the_history_lies_where_athena_looks() -> None:
    templates = re.findall(
        r"'storage.location.template' = 's3://acme-audits/wa-audit/(.*)'",
        (DASHBOARDS / "athena.sql").read_text(),
    )
    patterns = [re.sub(r"\\\$\\\{(\w+)\\\}", r"[^/]+", re.escape(template)) for template in templates]
    keys = [key for key, _ in history.files(sample.audit(findings=1))]
    assert [bool(re.match(pattern, key)) for pattern, key in zip(patterns, keys, strict=True)] == [True, True]


def test_both_have_the_same_views() -> None:
    def views(name: str) -> dict[str, str]:
        text = (DASHBOARDS / name).read_text("utf-8").replace("wa_audit.", "")
        found = re.findall(r"CREATE OR REPLACE VIEW (\w+) AS\n(.*?);\n", text, flags=re.DOTALL)
        return {view: body for view, body in found if view not in ("findings", "runs")}

    here, there = views("duckdb.sql"), views("athena.sql")
    assert set(here) == {"scores", "audits", "changes"}
    # Each reads a time in its own way.
    here["scores"] = here["scores"].replace(
        "CAST(finished AS TIMESTAMP)", "CAST(from_iso8601_timestamp(finished) AS timestamp)"
    )
    assert here == there


@pytest.mark.parametrize("name", sorted(queries()))
def test_athena_can_parse_each_query(name: str) -> None:
    assert sqlglot.parse_one(queries()[name], read="athena").find(exp.Select)


# -- Grafana ---------------------------------------------------------------------------------------

GRAFANA = json.loads((DASHBOARDS / "grafana.json").read_text("utf-8"))
PANELS = GRAFANA["panels"]


def filled(sql: str) -> str:
    """A panel's SQL with what Grafana puts into it."""
    sql = sql.replace("${account:singlequote}", f"'{DEMO.run.account}','{OTHER}'")
    return re.sub(
        r"\$__timeFilter\(([\w.]+)\)",
        r"\1 BETWEEN TIMESTAMP '2026-01-01 00:00:00' AND TIMESTAMP '2027-01-01 00:00:00'",
        sql,
    )


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_of_grafana_finds_what_it_draws(db: duckdb.DuckDBPyConnection, panel: dict[str, Any]) -> None:
    (target,) = panel["targets"]
    sql = filled(target["rawSQL"])
    assert "$" not in sql
    assert sqlglot.parse_one(sql, read="athena").find(exp.Select)
    table = db.execute(sql).df()
    if panel["id"] != 11:  # the demo's readings are never refused
        assert len(table)
    named = [o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"]]
    assert set(named) <= set(table.columns)
    # A time series is a time, a label and a number; a table is anything.
    if panel["type"] == "timeseries":
        assert target["format"] == 0
        kinds = [dtype.kind for dtype in table.dtypes]
        assert (table.columns[0], kinds[0], len(kinds)) == ("time", "M", 3)
        assert kinds[2] in "if"
        assert table["time"].is_monotonic_increasing
    if panel["type"] == "stat":
        assert panel["options"]["reduceOptions"]["fields"] == "/^value$/"
        assert list(table.columns) == ["account", "value"]


def test_the_panels_of_grafana_have_a_source_and_a_place_of_their_own(db: duckdb.DuckDBPyConnection) -> None:
    (given,) = GRAFANA["__inputs"]
    sources = [panel["datasource"] for panel in PANELS] + [
        panel["targets"][0]["datasource"] for panel in PANELS
    ]
    assert {(s["type"], s["uid"]) for s in sources} == {(given["pluginId"], f"${{{given['name']}}}")}
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken = [
        (x, y)
        for grid in (panel["gridPos"] for panel in PANELS)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    used = {required["id"] for required in GRAFANA["__requires"] if required["type"] == "panel"}
    assert used == {panel["type"] for panel in PANELS}
    (variable,) = GRAFANA["templating"]["list"]
    assert db.execute(variable["query"]["rawSQL"]).fetchall() == [(OTHER,), (DEMO.run.account,)]


# -- QuickSight ------------------------------------------------------------------------------------

_KINDS = {"STRING": "VARCHAR", "DECIMAL": "DOUBLE", "DATETIME": "TIMESTAMP"}


@pytest.mark.parametrize("name", ["scores", "findings"])
def test_a_data_set_of_quicksight_is_what_the_api_takes(db: duckdb.DuckDBPyConnection, name: str) -> None:
    request = json.loads((DASHBOARDS / f"quicksight-{name}.json").read_text("utf-8"))
    model = botocore.session.Session().get_service_model("quicksight").operation_model("CreateDataSet")
    report = botocore.validate.ParamValidator().validate(request, model.input_shape)
    assert not report.has_errors(), report.generate_report()
    (table,) = request["PhysicalTableMap"].values()
    (logical,) = request["LogicalTableMap"].values()
    assert logical["Source"]["PhysicalTableId"] in request["PhysicalTableMap"]
    sql, columns = table["CustomSql"]["SqlQuery"], table["CustomSql"]["Columns"]
    assert sqlglot.parse_one(sql, read="athena").find(exp.Select)
    found = db.execute(f"DESCRIBE {sql}").fetchall()
    assert [row[0] for row in found] == [column["Name"] for column in columns]
    for (column, kind, *_), said in zip(found, columns, strict=True):
        expected = ("INTEGER", "BIGINT") if said["Type"] == "INTEGER" else (_KINDS[said["Type"]],)
        assert kind in expected, column
    assert db.execute(sql).fetchone()


# -- Streamlit -------------------------------------------------------------------------------------

APP = DASHBOARDS / "app.py"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, kept: Path) -> Any:
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr(sys, "argv", ["app.py", str(kept)])
    return AppTest.from_file(str(APP), default_timeout=60)


def test_the_app_shows_the_last_whole_audit_and_what_it_was_before(app: Any) -> None:
    app.run()
    assert not app.exception
    app.selectbox[0].set_value(DEMO.run.account).run()
    failing = sum(1 for finding in NEW.findings if finding.status is Status.FAIL)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Score"] == f"{NEW.overall.score:g}"
    assert shown["Coverage, %"] == f"{NEW.overall.coverage:g}"
    assert "Whole audits: 2; the last of 2026-10-08 06:00 UTC" in [caption.value for caption in app.caption]
    app.multiselect[0].set_value(["critical", "high", "medium", "low", "info"]).run()
    assert f"{failing} of {failing} failing findings" in [caption.value for caption in app.caption]
    assert len(app.dataframe[-1].value) == failing


def test_the_app_filters(app: Any) -> None:
    app.run()
    app.selectbox[0].set_value(DEMO.run.account).run()
    app.multiselect[0].set_value(["high"]).run()
    app.selectbox[1].set_value("security").run()
    wanted = [
        f
        for f in NEW.findings
        if (f.status, f.severity, NEW.rules[f.rule].pillar) == ("fail", "high", "security")
    ]
    assert len(app.dataframe[-1].value) == len(wanted) > 0
    app.text_input[0].set_value("no such thing (").run()
    assert not app.exception
    assert len(app.dataframe[-1].value) == 0


def test_the_app_says_where_there_is_nothing(
    app: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["app.py", str(tmp_path / "nothing")])
    app.run()
    assert not app.exception
    assert app.error[0].value == "No whole audit is kept in 'nothing': run wa-audit scan --history DIR first."


@pytest.fixture
def served(kept: Path, tmp_path: Path) -> Iterator[str]:
    """The app as Streamlit serves it, on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--browser.gatherUsageStats=false"]
    command += ["--server.fileWatcherType=none", "--", str(kept)]
    server = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)})
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, "streamlit ended"
                assert time.monotonic() < deadline, "streamlit does not answer"
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.mark.browser
def test_the_app_in_a_browser(browser: Any, served: str) -> None:  # noqa: F811
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    tab = context.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(served)
    tab.get_by_text("What fails").wait_for(timeout=60_000)
    tab.get_by_text("Score", exact=True).first.wait_for()
    tab.get_by_text("failing findings").wait_for()
    before = tab.get_by_text("failing findings").inner_text()
    tab.get_by_role("textbox", name="Search").fill("bucket")
    tab.get_by_role("textbox", name="Search").press("Enter")
    tab.wait_for_function(
        "before => [...document.querySelectorAll('*')].some(e => e.children.length === 0 && "
        "/of \\d+ failing findings$/.test(e.textContent) && e.textContent !== before)",
        arg=before,
        timeout=30_000,
    )
    assert tab.get_by_text("Traceback").count() == 0
    context.close()
    local = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
    assert [url for url in asked if not url.startswith(local)] == []
