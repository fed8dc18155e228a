"""The formats beside JSON and HTML: read back by parsers that others wrote, harmless whatever names say."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from junitparser import JUnitXml
from msgspec import structs
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from sarif import loader

from tests.report import sample
from wa_audit.model import ConfigurationError, Status
from wa_audit.report import (
    FORMATS,
    check,
    flat,
    github,
    history,
    jsonl,
    junit,
    markdown,
    ocsf,
    openmetrics,
    parquet,
    sarif,
    write,
)
from wa_audit.report import csv as csv_report
from wa_audit.report.audit import Audit, SuppressionFacts, with_baseline
from wa_audit.suppressions import State


@pytest.fixture(params=[False, True], ids=["plain", "hostile"])
def audit(request: pytest.FixtureRequest) -> Audit:
    return sample.audit(hostile=request.param, findings=200)


def _whole(made: object) -> bytes:
    return b"".join(made)  # type: ignore[arg-type]


def test_json_lines_hold_every_finding_under_the_documented_columns(audit: Audit) -> None:
    lines = _whole(jsonl.render(audit)).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["finding_id"] for row in rows] == [finding.id for finding in audit.findings]
    assert {tuple(row) for row in rows} == {flat.COLUMNS}


@pytest.mark.parametrize(("page", "columns"), [("formats", flat.COLUMNS), ("history", history.COLUMNS)])
def test_every_column_is_documented_in_its_order(page: str, columns: tuple[str, ...]) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / f"{page}.md").read_text("utf-8")
    rows = text.partition("| column |")[2].partition("\n\n")[0].splitlines()[2:]
    assert tuple(name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])) == columns


def test_pandas_reads_the_same_counts_from_each_flat_form(audit: Audit) -> None:
    counts = pd.Series([str(finding.status) for finding in audit.findings]).value_counts().to_dict()
    lines = pd.read_json(io.BytesIO(_whole(jsonl.render(audit))), lines=True, dtype=False)
    table = pd.read_csv(io.BytesIO(_whole(csv_report.render(audit))))
    assert lines["status"].value_counts().to_dict() == counts
    assert table["status"].value_counts().to_dict() == counts


def test_junit_is_what_others_read(audit: Audit) -> None:
    suites = JUnitXml.fromstring(_whole(junit.render(audit)))
    of = pd.Series([finding.status for finding in audit.findings]).value_counts()
    assert sum(suite.tests for suite in suites) == len(audit.findings)
    assert sum(suite.failures for suite in suites) == of.get(Status.FAIL, 0)
    assert sum(suite.errors for suite in suites) == of.get(Status.ERROR, 0)
    cases = [case for suite in suites for case in suite]
    assert sum(case.is_failure for case in cases) == of.get(Status.FAIL, 0)
    assert sum(case.is_passed for case in cases) == of.get(Status.PASS, 0)


def test_what_the_baseline_knows_breaks_no_build() -> None:
    plain = sample.audit(findings=200)
    failing = {finding.id for finding in plain.findings if finding.status is Status.FAIL}
    known = with_baseline(plain, "2026-10-01T00:00:00Z", failing)
    assert sum(suite.failures for suite in JUnitXml.fromstring(_whole(junit.render(known)))) == 0


def test_markdown_says_the_score_and_makes_no_markup_of_names(audit: Audit) -> None:
    text = _whole(markdown.render(audit)).decode()
    assert text.startswith("# Well-Architected audit of ")
    tags = {part.split(">")[0] for part in text.split("<")[1:]}
    assert tags <= {"code", "/code", "!-- --"}
    assert "\x1b" not in text
    assert all(pillar.title in text for pillar in audit.pillars)


def _of(audit: Audit, *statuses: Status) -> list[str]:
    return [finding.id for finding in audit.findings if finding.status in statuses]


def test_sarif_is_what_others_read(audit: Audit, tmp_path: Path) -> None:
    file = tmp_path / "findings.sarif"
    file.write_bytes(_whole(sarif.render(audit)))
    records = loader.load_sarif_file(str(file)).get_records()
    shown = _of(audit, Status.FAIL, Status.SUPPRESSED, Status.NOT_EVALUATED, Status.ERROR)
    assert len(records) == len(shown)
    (run,) = json.loads(file.read_bytes())["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        result["ruleId"] for result in run["results"]
    ]
    assert [result["partialFingerprints"]["wa-audit/v1"] for result in run["results"]] == shown
    failing = [result for result in run["results"] if result["kind"] == "fail"]
    assert len(failing) == len(_of(audit, Status.FAIL, Status.SUPPRESSED))
    # Only a failure has a level, as the standard wants it.
    assert {result["level"] for result in run["results"] if result["kind"] != "fail"} <= {"none"}
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == len(audit.gaps)
    for result in run["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii()
        assert not set(uri) & set(' <>"\\^`{|}')


def test_sarif_knows_what_is_new_and_what_was_accepted() -> None:
    plain = sample.audit(findings=200)
    failing = _of(plain, Status.FAIL)
    known = with_baseline(plain, "2026-10-01T00:00:00Z", set(failing[1:]))
    (run,) = json.loads(_whole(sarif.render(known)))["runs"]
    states = [
        r["baselineState"] for r in run["results"] if r["partialFingerprints"]["wa-audit/v1"] in failing
    ]
    assert (states.count("new"), states.count("unchanged")) == (1, len(failing) - 1)


def test_sarif_says_why_a_failure_was_accepted() -> None:
    plain = sample.audit(findings=200)
    entry = SuppressionFacts(
        rule="",
        resource="*",
        account="",
        region="",
        tag={},
        reason="is gone by May",
        owner="data",
        expires="2027-05-01",
        state=State.ACTIVE,
        findings=1,
    )
    first = _of(plain, Status.FAIL)[0]
    rows = [
        structs.replace(f, status=Status.SUPPRESSED, suppression=0) if f.id == first else f
        for f in plain.findings
    ]
    made = _whole(sarif.render(structs.replace(plain, findings=rows, suppressions=[entry])))
    accepted = [result for result in json.loads(made)["runs"][0]["results"] if "suppressions" in result]
    assert [result["partialFingerprints"]["wa-audit/v1"] for result in accepted] == [first]
    assert accepted[0]["suppressions"][0]["justification"] == "is gone by May (data)"


def test_ocsf_is_what_its_models_take(audit: Audit) -> None:
    events = json.loads(_whole(ocsf.render(audit)))
    found = [ComplianceFinding.model_validate(event) for event in events]
    left_out = _of(audit, Status.NOT_APPLICABLE)
    assert [event.finding_info.uid for event in found] == [
        finding.id for finding in audit.findings if finding.id not in left_out
    ]
    outcomes = [event["compliance"]["status"] for event in events]
    assert outcomes.count("Pass") == len(_of(audit, Status.PASS))
    assert outcomes.count("Fail") == len(_of(audit, Status.FAIL, Status.SUPPRESSED))
    assert outcomes.count("Unknown") == len(_of(audit, Status.NOT_EVALUATED, Status.ERROR))


def test_ocsf_of_nothing_is_an_empty_list() -> None:
    assert json.loads(_whole(ocsf.render(sample.audit(findings=0)))) == []


def test_openmetrics_are_what_prometheus_reads(audit: Audit) -> None:
    families = {f.name: f for f in text_string_to_metric_families(_whole(openmetrics.render(audit)).decode())}
    (score,) = families["wa_audit_score"].samples
    assert score.labels == {"account": audit.run.account}
    assert score.value == pytest.approx(audit.overall.score)
    by_status: dict[str, float] = {}
    for found in families["wa_audit_findings"].samples:
        by_status[found.labels["status"]] = by_status.get(found.labels["status"], 0) + found.value
    assert by_status == pd.Series([str(f.status) for f in audit.findings]).value_counts().to_dict()
    scored = [pillar for pillar in audit.pillars if pillar.score is not None]
    assert len(families["wa_audit_pillar_score"].samples) == len(scored)


def test_parquet_holds_the_flat_table(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    # Several groups of rows, and a last one that is not full.
    monkeypatch.setattr(flat, "GROUP", 64)
    made = _whole(parquet.render(audit))
    table = pd.read_parquet(io.BytesIO(made))
    assert tuple(table.columns) == flat.COLUMNS
    assert table.to_dict("records") == list(flat.rows(audit))
    assert pq.ParquetFile(io.BytesIO(made)).num_row_groups == -(-len(audit.findings) // 64)


def test_duckdb_and_pandas_count_in_parquet_what_the_audit_holds(audit: Audit, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb") if os.environ.get("CI") != "true" else import_module("duckdb")
    (path,) = write(audit, ["parquet"], tmp_path)
    held = Counter((str(finding.status), str(finding.severity)) for finding in audit.findings)
    rows = duckdb.execute(f"SELECT status, severity, count(*) FROM '{path}' GROUP BY ALL").fetchall()
    assert {(status, severity): number for status, severity, number in rows} == held
    assert pd.read_parquet(path)[["status", "severity"]].value_counts().to_dict() == held


def test_csv_has_one_head_however_many_groups_it_is_made_of(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _whole(csv_report.render(audit))
    monkeypatch.setattr(csv_report, "_GROUP", 7)
    assert _whole(csv_report.render(audit)) == whole


def test_parquet_of_nothing_has_its_columns() -> None:
    table = pd.read_parquet(io.BytesIO(_whole(parquet.render(sample.audit(findings=0)))))
    assert (tuple(table.columns), len(table)) == (flat.COLUMNS, 0)


def test_a_format_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wa_audit.report.find_spec", lambda name: None)
    check(["json", "html"])
    with pytest.raises(
        ConfigurationError, match=r"^--format parquet needs the extra: pip install 'wa-audit\[parquet\]'$"
    ):
        check(["json", "parquet=x/y.parquet"])


def test_a_format_goes_where_it_is_told(tmp_path: Path) -> None:
    own = tmp_path / "elsewhere.sarif"
    paths = write(sample.audit(findings=3), ["jsonl", f"sarif={own}"], tmp_path)
    assert paths == [tmp_path / "findings.jsonl", own]
    assert own.stat().st_mode & 0o777 == 0o600
    assert json.loads(own.read_bytes())["version"] == "2.1.0"


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_same_audit_gives_the_same_bytes_in_every_format(name: str) -> None:
    render = import_module(FORMATS[name].module).render
    assert _whole(render(sample.audit(findings=50))) == _whole(render(sample.audit(findings=50)))


def test_nor_do_another_process_and_another_seed_of_hashes_change_a_byte(tmp_path: Path) -> None:
    audit = tmp_path / "audit.json"
    write(sample.audit(findings=200, hostile=True), [f"json={audit}"], tmp_path)
    made = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        formats = [word for name in FORMATS for word in ("--format", name)]
        command = [sys.executable, "-m", "wa_audit", "report", audit, *formats, "-o", folder]
        subprocess.run(
            [*command, "--history", folder / "past"], env={**os.environ, "PYTHONHASHSEED": seed}, check=True
        )
        files = (path for path in folder.rglob("*") if path.is_file())
        made.append({path.relative_to(folder): path.read_bytes() for path in files})
    assert len(made[0]) == len(FORMATS) + 2
    assert made[0] == made[1]


_COMMAND = re.compile(r"::(error|warning|notice) title=((?:[^%:,\r\n]|%25|%3A|%2C)*)::((?:[^%\r\n]|%25)*)")


def test_annotations_are_commands_of_which_github_keeps_all(audit: Audit) -> None:
    lines = _whole(github.render(audit)).decode().splitlines()
    found = [_COMMAND.fullmatch(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
    levels = [match[1] for match in found if match]
    assert max(levels.count(level) for level in ("error", "warning", "notice")) <= 10
    assert f"score {audit.overall.score} of 100" in lines[levels.index("notice")]
    assert "\x1b" not in "".join(lines)


def test_annotations_leave_out_what_the_baseline_knows() -> None:
    plain = sample.audit(findings=200)
    known = with_baseline(plain, "2026-10-01T00:00:00Z", set(_of(plain, Status.FAIL)))
    (only,) = _whole(github.render(known)).decode().splitlines()
    assert "0 failures that are not in the baseline" in only


def test_a_format_can_go_to_stdout(capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    audit = sample.audit()
    assert write(audit, ["jsonl=-", "csv"], tmp_path) == [tmp_path / "findings.csv"]
    assert capfdbinary.readouterr().out == _whole(jsonl.render(audit))
    assert not (tmp_path / "-").exists()
