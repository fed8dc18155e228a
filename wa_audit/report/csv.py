"""findings.csv: one row a finding with everything joined, for spreadsheets and dashboards.

Cells that a spreadsheet would take for a formula are led by an apostrophe
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import pandas as pd

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
        _harmless(group).to_csv(buffer, index=False, header=not number, lineterminator="\n")
        yield buffer.getvalue().encode("utf-8")


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    """The table with every text as a cell may hold it."""
    return pd.DataFrame({name: _cells(table[name]) for name in table}, dtype=object)


def _cells(column: Iterable[str]) -> list[str]:
    """Of a million cells most say what another says: each text is looked at once."""
    texts = list(column)
    known = {text: _cell(text) for text in set(texts)}
    return [known[text] for text in texts]


def _cell(text: str) -> str:
    return f"'{visible(text)}" if text.startswith(_FORMULA) else visible(text)
