"""The SELECT on a cluster's catalog, run by an engine over tables of the same names, and then read."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from tests.collect.test_statements import CLUSTER, Warehouse, _read
from wa_audit import warehouses
from wa_audit.collect import sql

# The columns that the documentation of each view names, of those that are asked for and not:
# https://docs.aws.amazon.com/redshift/latest/dg/svv_views.html
_CATALOG = """
CREATE TABLE pg_user (usename VARCHAR, usesuper BOOLEAN);
CREATE TABLE pg_database (datname VARCHAR, datistemplate BOOLEAN, datallowconn BOOLEAN);
CREATE TABLE svv_external_schemas (
    esoid INTEGER, eskind SMALLINT, schemaname VARCHAR, esowner INTEGER, databasename VARCHAR,
    esoptions VARCHAR
);
CREATE TABLE svv_external_tables (
    redshift_database_name VARCHAR, schemaname VARCHAR, tablename VARCHAR, tabletype VARCHAR,
    location VARCHAR, input_format VARCHAR, output_format VARCHAR, serialization_lib VARCHAR,
    serde_parameters VARCHAR, compressed INTEGER, parameters VARCHAR
);
CREATE TABLE svv_external_columns (
    redshift_database_name VARCHAR, schemaname VARCHAR, tablename VARCHAR, columnname VARCHAR,
    external_type VARCHAR, columnnum INTEGER, part_key INTEGER, is_nullable VARCHAR
);
INSERT INTO pg_database VALUES
    ('dev', false, true), ('padb_harvest', false, true), ('sys:internal', false, true),
    ('template0', true, false), ('template1', true, true);
"""
_TEXT = "org.apache.hadoop.mapred.TextInputFormat"


class Catalog:
    """A database's own catalog, as a superuser or another sees it."""

    def __init__(self, *, superuser: bool = False) -> None:
        self.engine = duckdb.connect()
        self.engine.execute(_CATALOG)
        self.engine.execute("INSERT INTO pg_user VALUES (current_user, ?), ('rdsdb', true)", [superuser])

    def database(self, name: str) -> None:
        self.engine.execute("INSERT INTO pg_database VALUES (?, false, true)", [name])

    def schema(self, name: str, kind: int = 1) -> None:
        options = '{"IAM_ROLE":"arn:aws:iam::123456789012:role/canary"}'
        self.engine.execute(
            "INSERT INTO svv_external_schemas VALUES (1, ?, ?, 100, ?, ?)",
            [kind, name, f"{name}_db", options],
        )

    def table(self, schema: str, name: str, *partitions: str, place: str = "s3://canary/") -> None:
        self.engine.execute(
            "INSERT INTO svv_external_tables"
            " VALUES ('dev', ?, ?, 'TABLE', ?, ?, '', '', 'canary', 0, 'canary')",
            [schema, name, place, _TEXT],
        )
        for number, column in enumerate(("id", *partitions)):
            self.engine.execute(
                "INSERT INTO svv_external_columns VALUES ('dev', ?, ?, ?, 'int', ?, ?, '')",
                [schema, name, column, number + 1, number],
            )

    def records(self) -> list[list[dict[str, Any]]]:
        """What the statement gives, as the Data API writes it."""
        rows = self.engine.execute(sql.EXTERNAL_TABLES).fetchall()
        return [[_field(value) for value in row] for row in rows]


def _field(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"isNull": True}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"longValue": value}
    return {"stringValue": value}


def _collected(catalog: Catalog) -> tuple[list[dict[str, Any]], warehouses.Lake]:
    inventory = _read(Warehouse(pages=(catalog.records(),)))
    (cluster,) = inventory.of(CLUSTER)
    return cluster["ExternalTables"], warehouses.lake(cluster, inventory)


@pytest.mark.parametrize("superuser", [False, True])
def test_a_catalog_without_schemas_answers_all_the_same(superuser: bool) -> None:
    rows, lake = _collected(Catalog(superuser=superuser))
    assert rows == [{"Superuser": superuser, "Databases": 1}]
    assert (lake.schemas, lake.tables, bool(lake.partial)) == ([], 0, not superuser)


def test_databases_of_ones_own_are_counted() -> None:
    catalog = Catalog(superuser=True)
    catalog.database("system")
    rows, lake = _collected(catalog)
    assert rows == [{"Superuser": True, "Databases": 2}]
    assert lake.partial == "was asked in one of its databases, and has others"


def test_each_table_has_a_row_with_what_it_is_partitioned_by() -> None:
    catalog = Catalog(superuser=True)
    catalog.schema("lake")
    catalog.table("lake", "orders", "year", "month")
    catalog.table("lake", "returns")
    catalog.table("lake", "shop", place="")
    catalog.schema("empty")
    catalog.schema("stream", kind=9)
    rows, lake = _collected(catalog)
    found = {(row["SchemaName"], row.get("TableName")): row for row in rows}
    assert list(found) == [
        ("empty", None), ("lake", "orders"), ("lake", "returns"), ("lake", "shop"), ("stream", None)
    ]  # fmt: skip
    assert found["lake", "orders"] == {
        "Superuser": True,
        "Databases": 1,
        "SchemaName": "lake",
        "Kind": 1,
        "DatabaseName": "lake_db",
        "TableName": "orders",
        "InputFormat": _TEXT,
        "SerializationLibrary": "",
        "InS3": True,
        "PartitionKeys": 2,
    }
    assert "PartitionKeys" not in found["lake", "returns"]
    assert found["lake", "shop"]["InS3"] is False
    assert found["stream", None]["Kind"] == 9
    assert "canary" not in str(rows)
    assert lake == warehouses.Lake("", ["empty", "lake"], 2, ["lake.returns"], [])
