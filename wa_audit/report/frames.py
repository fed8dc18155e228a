"""The flat table as pandas has it, some rows at a time, so that memory does not grow with the findings."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from wa_audit.report import flat
from wa_audit.report.audit import Audit


def groups(audit: Audit, most: int = 0) -> Iterator[pd.DataFrame]:
    """The groups of `flat.groups`, by `flat.COLUMNS`."""
    for group in flat.groups(audit, most):
        yield pd.DataFrame(group, columns=list(flat.COLUMNS), dtype=object)
