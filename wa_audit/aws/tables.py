"""What a table of the Glue Data Catalog really holds.

A table says it in several places, which can disagree: the open table formats mark themselves in the
parameters, crawlers write a classification, and tables made by DDL have only a SerDe and an input format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from wa_audit.aws import arns

LAKEHOUSE_FORMATS = frozenset({"iceberg", "delta", "hudi"})
COLUMNAR_FORMATS = LAKEHOUSE_FORMATS | {"parquet", "orc"}

# Pieces of the names of SerDes and input formats, the more telling first.
_CLASSES = (
    ("hoodie", "hudi"),
    ("iceberg", "iceberg"),
    ("delta", "delta"),
    ("parquet", "parquet"),
    ("orc", "orc"),
    ("avro", "avro"),
    ("ion", "ion"),
    ("json", "json"),
    ("xml", "xml"),
    ("csv", "csv"),
    ("grok", "grokLog"),
    ("regex", "text"),
    ("lazysimple", "text"),
    ("textinput", "text"),
)


def table_format(parameters: Mapping[str, Any] | None, storage: Mapping[str, Any] | None) -> str:
    """The format of a table's data, in lower case but for grokLog; empty where nothing tells it.

    Open table formats first, by parameter or by class, since their files are Parquet to every other sign;
    then a columnar classification, then SerDe and input format, and last any other classification: that of a
    table made by DDL can be stale or missing.
    """
    own, inferred = parameters or {}, _inferred(storage or {})
    for name in ("table_type", "spark.sql.sources.provider"):
        marked = str(own.get(name) or "").lower()
        if marked in LAKEHOUSE_FORMATS:
            return marked
    if own.get("hudi.table.type"):
        return "hudi"
    if lakehouse := next((found for found in inferred if found in LAKEHOUSE_FORMATS), ""):
        return lakehouse
    classification = str(own.get("classification") or "")
    for marked in (str(own.get("spark.sql.sources.provider") or ""), classification):
        if marked.lower() in COLUMNAR_FORMATS:
            return marked.lower()
    return next(iter(inferred), classification)


def size_in_bytes(parameters: Mapping[str, Any] | None) -> int | None:
    """The size that a crawler counted; None where none did."""
    text = str((parameters or {}).get("sizeKey") or "")
    return int(text) if text.isdigit() else None


def lies_in_s3(storage: Mapping[str, Any] | None) -> bool:
    """Whether the data are objects in S3, rather than in a database, a table or a stream."""
    return arns.s3_location((storage or {}).get("Location")) is not None


def is_named_after(words: str, *names: str | None) -> bool:
    """Whether a word of any name begins with one of the words, which `|` separates.

    `raw` finds `raw_orders` and `orders-raw`, and not `straw`.
    """
    begins = _beginning(words)
    return any(begins.search((name or "").lower()) for name in names)


@cache
def _beginning(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, words.lower().split('|')))})")


def iceberg_partition_fields(metadata: Mapping[str, Any] | None) -> list[str] | None:
    """The fields of an Iceberg table's current partition spec; None where Glue does not return it."""
    specs = (metadata or {}).get("PartitionSpecs")
    if specs is None:
        return None
    current = (metadata or {}).get("DefaultSpecId")
    for spec in specs:
        if current is None or spec.get("SpecId") == current:
            return [str(field.get("Name")) for field in spec.get("Fields") or ()]
    return []


def _inferred(storage: Mapping[str, Any]) -> list[str]:
    """What the SerDe says, and what the input format does, of those that say anything."""
    serde = (storage.get("SerdeInfo") or {}).get("SerializationLibrary") or ""
    classes = (str(serde), str(storage.get("InputFormat") or ""))
    return [found for class_ in classes if (found := _of_class(class_))]


@lru_cache(maxsize=1024)
def _of_class(name: str) -> str:
    """What the name of a Java class says; empty where it says nothing."""
    # The package's name would tell wrong: `org.openx.data.jsonserde`, `com.amazon.ionhiveserde`.
    class_ = name.rpartition(".")[2].lower()
    for piece, format_ in _CLASSES:
        if class_.startswith(piece) or (piece != "ion" and piece in class_):
            return format_
    return ""
