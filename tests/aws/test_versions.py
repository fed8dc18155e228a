"""The dated tables: what they say, in what order, and that they say nothing beyond what they hold."""

from __future__ import annotations

from datetime import date

import pytest

from wa_audit.aws import versions
from wa_audit.aws.framework import table


def test_natural_order() -> None:
    labels = ["emr-7.10.0", "emr-7.9.0", "emr-6.15.0", "emr-7.0.0"]
    assert sorted(labels, key=versions.natural) == ["emr-6.15.0", "emr-7.0.0", "emr-7.9.0", "emr-7.10.0"]
    assert versions.natural("5") == versions.natural("5.0")
    assert versions.natural("auto") == ()


def test_days_until() -> None:
    assert versions.days_until("2026-11-02", "2026-11-01T23:59:59Z") == 1
    assert versions.days_until("2026-10-31", "2026-11-01T00:00:00Z") == -1


def test_lambda_deprecation() -> None:
    assert versions.lambda_deprecation("python3.9") == "2025-12-15"
    assert versions.lambda_deprecation("nodejs18.x") == "2025-09-01"
    assert versions.lambda_deprecation("cobol1.x") is None


def test_glue_version() -> None:
    old, current = versions.glue_version("2.0"), versions.glue_version("5.0")
    assert old is not None
    assert old.end_of_life == "2026-04-01"
    assert current is not None
    assert current.end_of_support is None
    assert versions.glue_version("7.5") is None


@pytest.mark.parametrize(
    ("label", "earliest", "latest"),
    [
        ("emr-7.3.0", "2026-10-15", "2026-10-15"),
        ("emr-7.6.0", "2026-11-20", "2027-02-05"),
        ("emr-7.12.0", "2027-08-15", "2028-04-21"),
        ("emr-5.36.2", None, "2026-10-15"),
        ("emr-spark-8.0.0", "2027-05-20", "2027-05-20"),
    ],
)
def test_emr_support(label: str, earliest: str | None, latest: str) -> None:
    assert versions.emr_support(label) == versions.Support(earliest, latest)


@pytest.mark.parametrize("label", ["emr-7.15.0", "emr-9.0.0", "emr-spark-9.0.0", "", "ami-3.11", "nonsense"])
def test_emr_support_is_unknown(label: str) -> None:
    assert versions.emr_support(label) is None


def test_emr_minors_behind() -> None:
    assert versions.emr_minors_behind("emr-7.14.0") == 0
    assert versions.emr_minors_behind("emr-7.9.0") == 5
    assert versions.emr_minors_behind("emr-spark-8.0.0") == 1
    assert versions.emr_minors_behind("emr-6.15.0") is None


@pytest.mark.parametrize("name", ["lambda_runtimes.tsv", "glue_versions.tsv", "emr_releases.tsv"])
def test_tables_hold_each_name_once_and_real_dates(name: str) -> None:
    rows = table(name)
    assert len({row[0] for row in rows}) == len(rows)
    for _, *days in rows:
        assert all(day == "-" or date.fromisoformat(day) for day in days)


def test_support_ends_in_the_order_of_releases() -> None:
    """The bounds of a release that is not listed rest on this."""
    for line in ("emr-7", "emr-spark-"):
        days = [until for release, until in versions._emr_releases().items() if release.startswith(line)]
        assert days == sorted(days)
