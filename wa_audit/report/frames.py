"""The flat table as pandas has it, some rows at a time, so that memory does not grow with the findings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pandas as pd

from wa_audit.report import flat
from wa_audit.report.audit import Audit

GROUP = 5_000  # rows: what is made of a group is there three times, as pandas, Arrow and bytes have it


def groups(audit: Audit, most: int = 0) -> Iterator[pd.DataFrame]:
    """A row for every finding, in the audit's order, by `flat.COLUMNS`; with none, one empty group.

    A group has `GROUP` rows, or as many as `most` says.
    """
    rows, size = flat.rows(audit), most or GROUP
    group = list(islice(rows, size))
    while True:
        yield pd.DataFrame(group, columns=list(flat.COLUMNS), dtype=object)
        if not (group := list(islice(rows, size))):
            return
