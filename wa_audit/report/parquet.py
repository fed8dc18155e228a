"""findings.parquet: the flat table as Parquet, for Athena, DuckDB and whatever reads a lake.

The columns are those of `flat.COLUMNS`, all of them text; `evidence` is JSON. Arrow alone writes it: pandas
would take 50 MiB more, which a Lambda function has better use for.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wa_audit.report import flat
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
        for group in flat.groups(audit) if audit else ():
            columns = [_texts([row[name] for row in group]) for name in flat.COLUMNS]
            columns += [_texts([text] * len(group)) for text in more.values()]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            yield sink.take()
        if metadata:
            writer.add_key_value_metadata(dict(metadata))
    yield sink.take()


def _texts(values: Sequence[str]) -> pa.Array:
    """A column of text, from its parts: Arrow itself would look whether pandas is there, and load it."""
    encoded = [value.encode() for value in values]
    ends = array("i", accumulate(map(len, encoded), initial=0))
    parts = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), parts)
