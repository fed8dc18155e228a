"""docs/dashboards/organization.sql: Athena finds what a scan wrote, and its questions say what merge says."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from wa_audit import stores
from wa_audit.commands.org.merge import merge
from wa_audit.model import Pillar, Status
from wa_audit.organization import outcomes
from wa_audit.organization.shards import KEY, Shard
from wa_audit.report import audit as audits
from wa_audit.report import flat
from wa_audit.report.audit import Audit

if os.environ.get("CI") != "true":
    for package in ("duckdb", "sqlglot"):
        pytest.importorskip(package)
import duckdb
import sqlglot
from sqlglot import exp

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = ROOT / "docs" / "dashboards"
DEMO = audits.read(ROOT / "tests" / "golden" / "audit.json")
RUN, BEFORE = "20261126T060000Z", "20261125T060000Z"
ACCOUNT, OTHER, CLOSED = "123456789012", "000000000042", "999999999999"
TABLES = {"organization_findings": ("run",), "organization_account_findings": ("run", "account_id")}


def text(name: str) -> str:
    return (DASHBOARDS / name).read_text("utf-8")


def queries() -> dict[str, str]:
    parts = re.split(r"^-- name: (.+)\n", text("organization-queries.sql"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def of(account: str, *, every: int = 1) -> Audit:
    """The demo's audit as if it were another account's, with one in `every` findings."""
    own = {arn: structs.replace(found, account=account) for arn, found in DEMO.resources.items()}
    made = [structs.replace(finding, id=f"{account}-{finding.id}") for finding in DEMO.findings[::every]]
    counts = Counter(str(finding.status) for finding in made)
    overall = structs.replace(DEMO.overall, counts={str(s): counts[str(s)] for s in Status})
    return structs.replace(DEMO, resources=own, findings=made, overall=overall)


AUDITS = {(RUN, ACCOUNT): of(ACCOUNT), (RUN, OTHER): of(OTHER), (BEFORE, ACCOUNT): of(ACCOUNT, every=3)}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, as scan writes them; one account could not be entered."""
    folder = tmp_path_factory.mktemp("organization")
    store = stores.at(str(folder))
    weights = dict.fromkeys(Pillar, 1.0)
    for (run, account), audit in AUDITS.items():
        shard = Shard(run=run, account=account, regions=("eu-west-1",))
        store.write(shard.key, outcomes.render(outcomes.of(shard, audit, weights), audit))
    shard = Shard(run=RUN, account=CLOSED, regions=("eu-west-1",))
    refusal = outcomes.Refusal(error="access_denied", message="no")
    store.write(shard.key, outcomes.render(outcomes.refused(shard, refusal), None))
    return folder


@pytest.fixture(scope="module")
def db(kept: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB with tables of Athena's names, each over the places that its template projects."""
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA wa_audit")
    for name, partitions in TABLES.items():
        own = ", ".join(
            f"regexp_extract(filename, '{partition}=([^/]+)', 1) AS {partition}" for partition in partitions
        )
        connection.execute(
            f'CREATE VIEW wa_audit.{name} AS SELECT * EXCLUDE filename, {own}, filename AS "$path" '
            f"FROM read_parquet('{kept}/{projected(name, '*')}**/*.parquet', filename = true, "
            "hive_partitioning = false)"
        )
    return connection


def projected(table: str, value: str) -> str:
    """Where the template of a table looks, in a place, with the same value for each partition."""
    (template,) = re.findall(
        rf"wa_audit\.{table} \(.*?'storage\.location\.template' = 's3://acme-audits/organization/(.*?)'",
        text("organization.sql"),
        re.DOTALL,
    )
    return re.sub(r"\$\{\w+\}", value, template)


def test_the_tables_have_every_column_and_compute_their_partitions() -> None:
    found = [s for s in sqlglot.parse(text("organization.sql"), read="athena") if s is not None]
    tables = {s.find(exp.Table).name: s for s in found if s.args.get("kind") == "TABLE"}  # type: ignore[union-attr]
    assert set(tables) == set(TABLES)
    for name, statement in tables.items():
        assert tuple(column.name for column in statement.this.expressions) == flat.COLUMNS
        said = statement.sql(dialect="athena")
        types = re.findall(r"'projection\.(\w+)\.type'\s*=\s*'(\w+)'", said)
        assert types == [(partition, "injected") for partition in TABLES[name]]
        assert re.findall(r"\$\{(\w+)\}", said) == list(TABLES[name])
        partitioned = statement.find(exp.PartitionedByProperty)
        assert [column.name for column in partitioned.this.expressions] == list(TABLES[name])  # type: ignore[union-attr]


def test_an_object_lies_where_athena_looks(kept: Path) -> None:
    keys = stores.at(str(kept)).keys("shards")
    assert len(keys) == 4
    for key in keys:
        match = KEY.fullmatch(key)
        assert match
        for table in TABLES:
            (template,) = {projected(table, "{}")}
            assert key.startswith(template.format(match["run"], match["account"]))


def test_each_table_holds_every_row(db: duckdb.DuckDBPyConnection) -> None:
    expected = {key: len(audit.findings) for key, audit in AUDITS.items()}
    by_account = "SELECT run, account_id, count(*) FROM wa_audit.organization_account_findings GROUP BY ALL"
    by_run = "SELECT run, account, count(*) FROM wa_audit.organization_findings GROUP BY ALL"
    for query in (by_account, by_run):
        assert {(run, account): n for run, account, n in db.execute(query).fetchall()} == expected


@pytest.mark.parametrize("name", sorted(queries()))
def test_athena_can_compute_the_partitions_of_each_query(name: str) -> None:
    """What is injected must be named as a literal; in a join, for either side."""
    query = sqlglot.parse_one(queries()[name], read="athena")
    equal = [
        (found.this.table, found.this.name)
        for found in query.find_all(exp.EQ)
        if isinstance(found.this, exp.Column) and isinstance(found.expression, exp.Literal)
    ]
    for table in query.find_all(exp.Table):
        for partition in TABLES[table.name]:
            assert (table.alias, partition) in equal


def test_the_questions_say_what_merge_says(db: duckdb.DuckDBPyConnection, kept: Path) -> None:
    assert CliRunner().invoke(merge, [str(kept), "--run", RUN]).exit_code == 4
    merged = json.loads((kept / f"organizations/{RUN}/organization.json").read_bytes())
    found = {name: db.execute(query).fetchall() for name, query in queries().items()}
    by_rule: Counter[str] = Counter()
    for rule, _, _, _, failures in found["rules that fail in most accounts"]:
        by_rule[rule] += failures
    assert by_rule == {rule["rule"]: rule["failing"] for rule in merged["rules"]}
    assert {row[3] for row in found["rules that fail in most accounts"]} == {2}
    accounts = {a["account"]: a["overall"]["counts"] for a in merged["accounts"]}
    assert set(accounts) == {ACCOUNT, OTHER}
    assert {account: rest for account, _, *rest in found["accounts by their failures"]} == {
        account: [counts["fail"], counts["pass"], counts["not_evaluated"] + counts["error"]]
        for account, counts in accounts.items()
    }
    undecided = sum(row[2] for row in found["what could not be judged, and for want of which permission"])
    assert undecided == merged["overall"]["counts"]["not_evaluated"]
    kept_before = {f.id for f in AUDITS[BEFORE, ACCOUNT].findings if f.status is Status.FAIL}
    failing = {key: {f.id for f in a.findings if f.status is Status.FAIL} for key, a in AUDITS.items()}
    assert len(found["what is new since the run before"]) == len(failing[RUN, OTHER]) + len(
        failing[RUN, ACCOUNT] - kept_before
    )
    assert len(found["the failures of one account"]) == len(failing[RUN, ACCOUNT])
    assert found["findings that stand there twice"] == []


def test_a_file_that_merge_passed_over_is_what_athena_would_count_twice(
    db: duckdb.DuckDBPyConnection, kept: Path
) -> None:
    there = kept / Shard(run=RUN, account=OTHER, regions=("eu-west-1",)).key
    beside = there.with_name("part-2.parquet")
    beside.write_bytes(there.read_bytes())
    try:
        twice = db.execute(queries()["findings that stand there twice"]).fetchall()
        answer = CliRunner().invoke(merge, [str(kept), "--run", RUN])
    finally:
        beside.unlink()
    assert len(twice) == len(AUDITS[RUN, OTHER].findings)
    assert {row[1:] for row in twice} == {(2, str(there), str(beside))}
    assert f"{beside}: is no account's object, and was not counted" in answer.output
