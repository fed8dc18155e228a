"""findings.jsonl: the flat table, a line of JSON a finding, written as it is made."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wa_audit.report import flat
from wa_audit.report.audit import Audit

# Ends of lines for some readers, and nothing special for JSON: here they stand escaped.
_LINE_ENDS = {"\x85": b"\\u0085", "\u2028": b"\\u2028", "\u2029": b"\\u2029"}


def render(audit: Audit) -> Iterator[bytes]:
    """The flat table as JSON Lines, in UTF-8."""
    encode = msgspec.json.Encoder().encode
    for row in flat.rows(audit):
        line = encode(row)
        for sign, escaped in _LINE_ENDS.items():
            line = line.replace(sign.encode(), escaped)
        yield line + b"\n"
