"""findings.csv: one row a finding with everything joined, for spreadsheets and dashboards.

Cells that a spreadsheet would take for a formula are led by an apostrophe
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pandas as pd

from wa_audit.report import flat
from wa_audit.report.audit import Audit
from wa_audit.text import visible

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def frame(audit: Audit) -> pd.DataFrame:
    """The flat table: a row for every finding, in the audit's order."""
    return pd.DataFrame(flat.rows(audit), columns=flat.COLUMNS, dtype="string")


def render(audit: Audit) -> Iterator[bytes]:
    """The flat table as CSV, in UTF-8."""
    buffer = io.StringIO()
    frame(audit).map(_harmless).to_csv(buffer, index=False, lineterminator="\n")
    yield buffer.getvalue().encode("utf-8")


def _harmless(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    return f"'{visible(cell)}" if cell.startswith(_FORMULA) else visible(cell)
