"""The true format of tables that say it in different places, or wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from wa_audit.aws import tables

HIVE = "org.apache.hadoop.hive."


@pytest.mark.parametrize(
    ("parameters", "serde", "input_format", "expected"),
    [
        ({"table_type": "ICEBERG", "classification": "csv"}, "", "", "iceberg"),
        ({"table_type": "DELTA"}, "", "", "delta"),
        ({"spark.sql.sources.provider": "hudi"}, "", "", "hudi"),
        ({"spark.sql.sources.provider": "parquet"}, "", "", "parquet"),
        ({"hudi.table.type": "COPY_ON_WRITE"}, HIVE + "ql.io.parquet.serde.ParquetHiveSerDe", "", "hudi"),
        ({"classification": "Parquet"}, "", "", "parquet"),
        ({"classification": "csv"}, HIVE + "ql.io.orc.OrcSerde", "", "orc"),
        ({}, HIVE + "ql.io.parquet.serde.ParquetHiveSerDe", "", "parquet"),
        ({}, "", "org.apache.hudi.hadoop.HoodieParquetInputFormat", "hudi"),
        # The files are Parquet's, and so is the SerDe; the table is Hudi's all the same.
        (
            {"classification": "parquet"},
            HIVE + "ql.io.parquet.serde.ParquetHiveSerDe",
            "org.apache.hudi.hadoop.realtime.HoodieParquetRealtimeInputFormat",
            "hudi",
        ),
        ({"classification": "parquet"}, "", "io.delta.hive.DeltaInputFormat", "delta"),
        (
            {"spark.sql.sources.provider": "parquet", "hudi.table.type": "MERGE_ON_READ"},
            HIVE + "ql.io.parquet.serde.ParquetHiveSerDe",
            "",
            "hudi",
        ),
        ({}, HIVE + "serde2.avro.AvroSerDe", "", "avro"),
        ({}, "com.amazon.ionhiveserde.IonHiveSerDe", "", "ion"),
        ({}, "org.openx.data.jsonserde.JsonSerDe", "", "json"),
        ({}, HIVE + "serde2.OpenCSVSerde", "", "csv"),
        ({}, "com.amazonaws.glue.serde.GrokSerDe", "", "grokLog"),
        ({}, HIVE + "serde2.RegexSerDe", "", "text"),
        ({}, HIVE + "serde2.lazy.LazySimpleSerDe", "org.apache.hadoop.mapred.TextInputFormat", "text"),
        ({"classification": "mysql"}, "", "", "mysql"),
        ({}, "", "", ""),
        (None, "", "", ""),
    ],
)
def test_table_format(
    parameters: dict[str, Any] | None, serde: str, input_format: str, expected: str
) -> None:
    storage = {"SerdeInfo": {"SerializationLibrary": serde}, "InputFormat": input_format}
    assert tables.table_format(parameters, storage) == expected


def test_size_and_place() -> None:
    assert tables.size_in_bytes({"sizeKey": "123"}) == 123
    assert tables.size_in_bytes({"sizeKey": "many"}) is None
    assert tables.size_in_bytes(None) is None
    assert tables.lies_in_s3({"Location": "s3a://lake/x"})
    assert not tables.lies_in_s3({"Location": "shop.orders"})
    assert not tables.lies_in_s3(None)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("raw_orders",), True),
        (("lake-Bronze", "orders"), True),
        (("ingestion",), True),
        (("straw", "drawings"), False),
        ((None, ""), False),
    ],
)
def test_is_named_after(names: tuple[str | None, ...], expected: bool) -> None:
    assert tables.is_named_after("raw|bronze|ingest", *names) is expected


def test_iceberg_partition_fields() -> None:
    specs = [{"SpecId": 0, "Fields": []}, {"SpecId": 1, "Fields": [{"Name": "day"}]}]
    assert tables.iceberg_partition_fields({"PartitionSpecs": specs, "DefaultSpecId": 1}) == ["day"]
    assert tables.iceberg_partition_fields({"PartitionSpecs": specs, "DefaultSpecId": 0}) == []
    assert tables.iceberg_partition_fields({"PartitionSpecs": []}) == []
    assert tables.iceberg_partition_fields({}) is None
    assert tables.iceberg_partition_fields(None) is None
