"""findings.csv: one row a finding with everything joined, for spreadsheets and dashboards.

Cells that a spreadsheet would take for a formula are led by an apostrophe
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from wa_audit.report import frames
from wa_audit.report.audit import Audit
from wa_audit.text import visible

# Every cell of a group is there three times: as it is, made harmless, and written.
_GROUP = 2_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(audit: Audit) -> Iterator[bytes]:
    """The flat table as CSV, in UTF-8."""
    for number, group in enumerate(frames.groups(audit, _GROUP)):
        buffer = io.StringIO()
        group.map(_harmless).to_csv(buffer, index=False, header=not number, lineterminator="\n")
        yield buffer.getvalue().encode("utf-8")


def _harmless(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    return f"'{visible(cell)}" if cell.startswith(_FORMULA) else visible(cell)
