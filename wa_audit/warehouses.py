"""What holds for a Redshift cluster beside its own fields: the parameters of the groups that it uses, and
what its catalog shows of the lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from wa_audit.aws import tables
from wa_audit.inventory import Inventory
from wa_audit.model import Resource

_GROUP = "AWS::Redshift::ClusterParameterGroup"
# The kind of an external schema over the Data Catalog:
# https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_SCHEMAS.html
_DATA_CATALOG = 1
# What all input formats are made of, and what stands in place of one where a table is in an open format.
_NO_FORMAT = ".FileInputFormat"


class Lake(NamedTuple):
    """What a cluster's catalog shows of the lake.

    partial: why it may show less than there is; empty where it shows all.
    schemas: its external schemas over the Data Catalog.
    tables:  how many tables in S3 they have.
    in_rows: those of them that are stored in rows and not partitioned, `schema.table`.
    unknown: those that are not partitioned and do not say how they are stored.
    """

    partial: str
    schemas: list[str]
    tables: int
    in_rows: list[str]
    unknown: list[str]


def lake(cluster: Resource, inventory: Inventory) -> Lake:
    """What a cluster that was asked shows of the lake: see `ExternalTables`.

    How a table is stored is told by the Data Catalog, where its table was read, and else by the cluster.

    Raises:
        Unread: the cluster was not asked, or did not answer.
    """
    rows = cluster["ExternalTables"] or []
    external = [row for row in rows if row.get("Kind") == _DATA_CATALOG]
    stored = {
        f"{row['SchemaName']}.{row['TableName']}": _format(row, cluster, inventory)
        for row in external
        if row.get("TableName") and row.get("InS3")
    }
    return Lake(
        partial=_partial(rows),
        schemas=sorted({str(row["SchemaName"]) for row in external}),
        tables=len(stored),
        in_rows=[name for name, format_ in stored.items() if format_ and format_ not in _READ_IN_PARTS],
        unknown=[name for name, format_ in stored.items() if not format_],
    )


_PARTITIONED = "partitioned"
_READ_IN_PARTS = tables.COLUMNAR_FORMATS | {_PARTITIONED}


def _format(row: Mapping[str, Any], cluster: Resource, inventory: Inventory) -> str:
    """How a table is stored, or that it is partitioned; empty where nothing tells it."""
    if row.get("PartitionKeys"):
        return _PARTITIONED
    partition, account = inventory.run.partition, cluster.account
    name = f"table/{row.get('DatabaseName')}/{row['TableName']}"
    table = inventory.get(f"arn:{partition}:glue:{cluster.region}:{account}:{name}")
    if table is not None:
        return tables.table_format(table["Parameters"], table["StorageDescriptor"])
    given, serde = str(row.get("InputFormat") or ""), row.get("SerializationLibrary")
    if given.endswith(_NO_FORMAT):
        return ""
    return tables.table_format(None, {"InputFormat": given, "SerdeInfo": {"SerializationLibrary": serde}})


def _partial(rows: list[dict[str, Any]]) -> str:
    """Why a cluster may have more than it shows. To one who is no superuser it shows the schemas that he may
    use; and each statement sees one database."""
    if not all(row.get("Superuser") is True for row in rows) or not rows:
        return "shows who is no superuser only the schemas that he may use"
    if any(row.get("Databases") != 1 for row in rows):
        return "was asked in one of its databases, and has others"
    if any(row.get("SchemaName") and row.get("Kind") is None for row in rows):
        return "does not say what its external schemas lead to"
    return ""


def parameters(cluster: Resource, inventory: Inventory) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Each of a cluster's parameter groups, as the cluster has it, and the values that were read of it.

    Raises:
        Unread: a group, or its parameters, could not be read.
    """
    for group in cluster["ClusterParameterGroups"] or []:
        name = group["ParameterGroupName"]
        found = inventory.find(_GROUP, inventory.arn_near(_GROUP, name, cluster))
        rows = (found["Parameters"] or []) if found else []
        yield group, {row["ParameterName"]: str(row.get("ParameterValue")) for row in rows}
