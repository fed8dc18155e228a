"""findings.parquet: the flat table as Parquet, for Athena, DuckDB and whatever reads a lake.

The columns are those of `flat.COLUMNS`, all of them text; `evidence` is JSON.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wa_audit.report import flat, frames
from wa_audit.report.audit import Audit


class _Sink(io.RawIOBase):
    """A file that hands over what was written to it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._written += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        found = b"".join(self._parts)
        self._parts.clear()
        return found


def render(
    audit: Audit | None, *, metadata: Mapping[str, str] = MappingProxyType({}), **more: str
) -> Iterator[bytes]:
    """The file, compressed with Zstandard, a row group a group of findings; without an audit it has no rows.

    `metadata` goes into the file's own, its footer; `more` are columns at the end, each with the same text in
    every row.
    """
    schema = pa.schema([(name, pa.string()) for name in (*flat.COLUMNS, *more)])
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in frames.groups(audit) if audit else ():
            table = group.assign(**more)
            writer.write_table(pa.Table.from_pandas(table, schema=schema, preserve_index=False))
            yield sink.take()
        if metadata:
            writer.add_key_value_metadata(dict(metadata))
    yield sink.take()
