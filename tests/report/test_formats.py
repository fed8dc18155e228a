"""The formats beside JSON and HTML: read back by parsers that others wrote, harmless whatever names say."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from junitparser import JUnitXml

from tests.report import sample
from wa_audit.model import Status
from wa_audit.report import FORMATS, flat, jsonl, junit, markdown
from wa_audit.report import csv as csv_report
from wa_audit.report.audit import Audit, with_baseline


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


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_same_audit_gives_the_same_bytes_in_every_format(name: str) -> None:
    from importlib import import_module

    render = import_module(FORMATS[name].module).render
    assert _whole(render(sample.audit(findings=50))) == _whole(render(sample.audit(findings=50)))
