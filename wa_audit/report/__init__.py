"""Report formats: each turns the Audit, and nothing else, into the bytes of one file.

A format is a module with a function `render(audit) -> Iterator[bytes]` and a row in `FORMATS`; its module
is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wa_audit.files import write_atomically

if TYPE_CHECKING:
    from wa_audit.report.audit import Audit


class Format(NamedTuple):
    file: str
    module: str


FORMATS = {
    "json": Format("audit.json", "wa_audit.report.audit"),
    "html": Format("report.html", "wa_audit.report.html"),
    "csv": Format("findings.csv", "wa_audit.report.csv"),
    "jsonl": Format("findings.jsonl", "wa_audit.report.jsonl"),
    "markdown": Format("summary.md", "wa_audit.report.markdown"),
    "junit": Format("findings.xml", "wa_audit.report.junit"),
}


def write(audit: Audit, formats: Iterable[str], folder: Path) -> list[Path]:
    """Writes the audit in each format into `folder`; the paths, in the order asked for.

    Raises:
        OutputError: a file could not be written; what was there before is whole.
    """
    paths = []
    for name in dict.fromkeys(formats):
        path = folder / FORMATS[name].file
        write_atomically(path, import_module(FORMATS[name].module).render(audit))
        paths.append(path)
    return paths
