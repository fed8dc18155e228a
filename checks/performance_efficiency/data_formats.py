"""Data are stored so that a query reads little of them."""

from typing import Any

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    arns,
    check,
    failed,
    firehose,
    lakes,
    not_applicable,
    not_evaluated,
    passed,
    tables,
    warehouses,
)

_GB = 1024**3
_CONVERSION_TAG = "wa-audit:format-conversion"
_MOST_NAMED = 10


@check("AWS::Glue::Table")
def glue_table_columnar_format(table: Resource, *, least_gb: int, raw_names: str) -> Verdict:
    """Passes where the table is stored in columns: Parquet, ORC, Iceberg, Delta or Hudi.

    The format is read from the marks of the open table formats, then from a columnar classification, then
    from SerDe and input format, and last from any other classification, which is often stale or missing.
    A row format fails above `least_gb` GB (by the crawler's sizeKey), and with low severity where no size
    is recorded; Avro, good for writing, always with low severity. Sizes in S3 are not read. Views,
    resource links, federated tables and tables that do not lie in S3 are out of scope, and so are
    databases and tables with a word of `raw_names`.
    """
    if reason := _no_data_of_its_own(table):
        return not_applicable(reason)
    format_ = tables.table_format(table["Parameters"], table["StorageDescriptor"])
    if table["IcebergTableMetadata"] or format_ in tables.COLUMNAR_FORMATS:
        return passed(f"is stored as {format_ or 'iceberg'}", format=format_ or "iceberg")
    if not tables.lies_in_s3(table["StorageDescriptor"]):
        return not_applicable("does not lie in S3")
    if tables.is_named_after(raw_names, table["DatabaseName"], table.name):
        return not_applicable("holds raw data, which keep the format that they came in")
    if not format_:
        return not_evaluated("does not say what format it is stored in")

    size = tables.size_in_bytes(table["Parameters"])
    if size is not None and size <= least_gb * _GB:
        return passed(f"is stored as {format_} and small", format=format_, sizeKey=size)
    if size is None or format_ == "avro":
        extent = "of no recorded size" if size is None else f"of {size / _GB:.0f} GB"
        return failed(f"is stored as {format_}, {extent}", severity="low", format=format_, sizeKey=size)
    return failed(f"is stored as {format_}, and holds {size / _GB:.0f} GB", format=format_, sizeKey=size)


@check("AWS::Glue::Table")
def glue_table_partitioned(table: Resource, *, least_gb: int) -> Verdict:
    """Passes where a table of more than `least_gb` GB is partitioned.

    Partition keys count, so does the partition spec of an Iceberg table, and the number of partition
    columns that Spark records for Delta and Hudi tables. These formats may keep their partitioning in
    metadata of their own that Glue does not return; then nothing is claimed. The size is the crawler's
    sizeKey: tables below the limit or without one are out of scope, as are views, links and tables
    outside S3.
    """
    if reason := _no_data_of_its_own(table):
        return not_applicable(reason)
    parameters = table["Parameters"] or {}
    size = tables.size_in_bytes(parameters)
    if size is None:
        return not_applicable("has no recorded size")
    if size <= least_gb * _GB:
        return not_applicable(f"holds {size / _GB:.1f} GB, not more than {least_gb}", sizeKey=size)
    if not tables.lies_in_s3(table["StorageDescriptor"]):
        return not_applicable("does not lie in S3")

    fields = table["PartitionKeys"] or tables.iceberg_partition_fields(table["IcebergTableMetadata"])
    if fields:
        return passed(f"is partitioned by {', '.join(fields)}", partitions=fields, sizeKey=size)
    if str(parameters.get("spark.sql.sources.schema.numPartCols") or "0") != "0":
        columns = parameters["spark.sql.sources.schema.numPartCols"]
        return passed(f"is partitioned by {columns} columns", numPartCols=columns, sizeKey=size)
    format_ = tables.table_format(parameters, table["StorageDescriptor"])
    if fields is None and format_ in tables.LAKEHOUSE_FORMATS:
        return not_evaluated(
            f"keeps its partitioning in {format_} metadata that Glue does not return", format=format_
        )
    return failed(f"holds {size / _GB:.0f} GB without partitions", sizeKey=size)


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_format_conversion(stream: Resource, *, raw_names: str) -> Verdict:
    """Passes where what the stream writes to S3 is converted to Parquet or ORC.

    Iceberg destinations write Parquet already, and other destinations store no objects; both are out of
    scope, like buckets or prefixes with a word of `raw_names`, which hold logs and raw data. A stream of
    binary data, or one whose objects a later job converts, says so by the tag
    wa-audit:format-conversion=not-needed.
    """
    destinations = stream["Destinations"] or ()
    destination = firehose.s3_destination(destinations)
    if any(each.get("IcebergDestinationDescription") for each in destinations):
        return not_applicable("writes to Iceberg tables, which are Parquet")
    if destination is None:
        return not_applicable("does not deliver to S3")

    conversion = destination.get("DataFormatConversionConfiguration") or {}
    serializer = (conversion.get("OutputFormatConfiguration") or {}).get("Serializer") or {}
    formats = [name for name, settings in serializer.items() if settings is not None]
    # A configuration is on unless it says that it is off.
    if formats and conversion.get("Enabled") is not False:
        return passed(f"converts its records with {formats[0]}", Serializer=formats[0])
    bucket = arns.parse(destination.get("BucketARN")).resource
    if tables.is_named_after(raw_names, bucket, destination.get("Prefix")):
        return not_applicable("writes raw data or logs", bucket=bucket, Prefix=destination.get("Prefix"))
    if stream.tags.get(_CONVERSION_TAG) == "not-needed":
        return not_applicable(f"needs no conversion by its tag {_CONVERSION_TAG}")
    message = f"writes rows to {bucket} without converting them to Parquet or ORC"
    return failed(message, Prefix=destination.get("Prefix"), Enabled=conversion.get("Enabled"))


def _no_data_of_its_own(table: Resource) -> str:
    """Why a table holds no data that it could store otherwise; empty where it does."""
    if table["TableType"] == "VIRTUAL_VIEW":
        return "is a view"
    if table["TargetTable"]:
        return "is a link to another table"
    return "is a federated table" if table["FederatedTable"] else ""


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_buffering(stream: Resource, *, least_megabytes: int, least_seconds: int) -> Verdict:
    """Passes where a stream into S3 gathers enough for files that queries read well.

    Fails where it writes a file before it has `least_megabytes` and before `least_seconds` have gone by. A
    stream that is tagged wa-audit:latency=low trades small files for fresh ones.
    https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html
    """
    hints = (firehose.s3_destination(stream["Destinations"]) or {}).get("BufferingHints")
    if not hints:
        return not_applicable("does not deliver to S3")
    size, seconds = hints["SizeInMBs"], hints["IntervalInSeconds"]
    if size >= least_megabytes and seconds >= least_seconds:
        return passed(f"gathers {size} MB or {seconds} seconds", BufferingHints=hints)
    if stream.tags.get("wa-audit:latency") == "low":
        return not_applicable("is tagged wa-audit:latency=low", BufferingHints=hints)
    wanted = f"{least_megabytes} MB and {least_seconds} seconds are wanted"
    return failed(f"gathers {size} MB or {seconds} seconds, {wanted}", BufferingHints=hints)


@check("AWS::Glue::Table")
def glue_iceberg_optimizers(table: Resource, *, maintained_elsewhere: list[str]) -> Verdict:
    """Glue compacts an Iceberg table, expires its snapshots and removes its orphaned files.

    Without compaction a table that is written often becomes thousands of small files. Only snapshots and
    orphans that stay are a low failure: they cost storage. Says nothing of databases in
    `maintained_elsewhere`, whose tables a job of one's own looks after.
    https://docs.aws.amazon.com/glue/latest/dg/table-optimizers.html
    """
    if tables.table_format(table["Parameters"], table["StorageDescriptor"]) != "iceberg":
        return not_applicable("is no Iceberg table")
    if table["DatabaseName"] in maintained_elsewhere:
        return not_applicable("is maintained by a job, as the parameter maintained_elsewhere says")
    on = {row.get("type") for row in table["TableOptimizers"] or () if row.get("enabled")}
    missing = [kind for kind in ("compaction", "retention", "orphan_file_deletion") if kind not in on]
    if "compaction" in missing:
        return failed("is not compacted by Glue", missing=missing)
    if missing:
        return failed(f"lacks the optimizers {', '.join(missing)}", severity="low", missing=missing)
    return passed("is compacted, and its old files go", optimizers=sorted(map(str, on)))


@check("AWS::Glue::Table")
def glue_table_partition_index_or_projection(table: Resource, *, most_partitions: int) -> Verdict:
    """A table of more than `most_partitions` partitions has an index on them, or has Athena compute them.

    Without either every query asks the catalog for the partitions one page after another. Projection is
    Athena's alone: Spectrum, EMR and Glue jobs still read the catalog. Open table formats keep their own
    lists.
    https://docs.aws.amazon.com/glue/latest/dg/partition-indexes.html
    """
    if not table["PartitionKeys"]:
        return not_applicable("is not partitioned")
    if tables.table_format(table["Parameters"], table["StorageDescriptor"]) in tables.LAKEHOUSE_FORMATS:
        return not_applicable("keeps its own list of files")
    if str((table["Parameters"] or {}).get("projection.enabled")).lower() == "true":
        return passed("has Athena compute its partitions", **{"projection.enabled": True})
    active = [
        row.get("IndexName") for row in table["PartitionIndexes"] or () if row.get("IndexStatus") == "ACTIVE"
    ]
    if active:
        return passed(f"has the partition index {active[0]}", IndexName=active[0])
    count = sum(table["PartitionCounts"] or ())
    if count <= most_partitions:
        return not_applicable(f"has {count:,} partitions", partitions=count)
    return failed(f"has more than {most_partitions:,} partitions and no index on them", partitions=count)


@check("AWS::Glue::Table")
def glue_table_small_files(table: Resource, *, least_objects: int, least_megabytes: int) -> Verdict:
    """A table of `least_objects` objects and more holds at least `least_megabytes` in each, on average.

    By what a crawler counted (objectCount, sizeKey). Each object costs a request and an open, whatever is in
    it; 128 MB and more is what engines like. Says nothing where no crawler has counted, and of an Iceberg
    table that Glue compacts.
    https://docs.aws.amazon.com/athena/latest/ug/performance-tuning-data-optimization-techniques.html
    """
    own = table["Parameters"] or {}
    size, objects = tables.size_in_bytes(own), str(own.get("objectCount") or "")
    if size is None or not objects.isdigit() or not int(objects):
        return not_applicable("was not counted by a crawler")
    if any(row.get("type") == "compaction" and row.get("enabled") for row in table["TableOptimizers"] or ()):
        return not_applicable("is compacted by Glue")
    mean = size / int(objects) / 2**20
    evidence: dict[str, Any] = {"objectCount": int(objects), "sizeKey": size, "megabytes": round(mean, 2)}
    if int(objects) >= least_objects and mean < least_megabytes:
        return failed(f"lies in {int(objects):,} objects of {mean:.2g} MB on average", **evidence)
    return passed(f"lies in {int(objects):,} objects of {mean:.2g} MB on average", **evidence)


@check("AWS::Redshift::Cluster")
def redshift_spectrum_external_schema(cluster: Resource, inventory: Inventory) -> Verdict:
    """A cluster queries the lake where it lies: an external schema leads to the Data Catalog, and each table
    of it in S3 is stored in columns or partitioned.

    No API tells it, so it is asked in SQL, and only with `--redshift-sql`: one SELECT on the catalog of the
    database that the cluster was made with, as the database user of the caller's IAM identity. One who is no
    superuser is shown the schemas that he may use, which GRANT USAGE ON SCHEMA lets him. What is shown is
    judged; that there is no schema is claimed of a superuser's answer alone, in a cluster without other
    databases. A role that may read the lake proves no schema. What is reached through awsdatacatalog, which
    needs none, does not count. Says nothing where no table of the Data Catalog in the Region lies in S3.
    https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-performance.html
    """
    if not lakes.has_tables(inventory, cluster.region):
        hidden = lakes.hidden_tables(inventory, cluster.region)
        if hidden:
            return not_evaluated(f"has no lake that was seen, and {hidden}")
        return not_applicable("has no lake: no table of its Region's Data Catalog lies in S3")
    lake = warehouses.lake(cluster, inventory)
    if not str(cluster["ClusterStatus"]).startswith("available"):
        return not_evaluated(f"is {cluster['ClusterStatus']}: no SQL is sent to it")
    evidence: dict[str, Any] = {"schemas": lake.schemas, "tables": lake.tables}
    if lake.in_rows:
        words = f"{len(lake.in_rows)} of {lake.tables} tables in rows that are not partitioned"
        return failed(f"reads {words}", **evidence, in_rows=lake.in_rows[:_MOST_NAMED])
    if not lake.tables:
        missing = "no table in an external schema" if lake.schemas else "no external schema"
        if lake.partial:
            return not_evaluated(f"shows {missing} over the Data Catalog, and {lake.partial}", **evidence)
        return failed(f"has {missing} over the Data Catalog", **evidence, IamRoles=cluster["IamRoles"])
    if lake.unknown:
        return not_evaluated(f"does not say how {lake.unknown[0]} is stored", **evidence)
    kept = f"{lake.tables} tables, each in columns or partitioned"
    return passed(f"reads the lake through {', '.join(lake.schemas)}: {kept}", **evidence)
