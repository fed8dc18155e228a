"""Report formats: each turns the Audit, and nothing else, into the bytes of one file.

A format is a module with a function `render(audit) -> Iterator[bytes]` and a row in `FORMATS`; its module
is imported when it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wa_audit.files import write_atomically
from wa_audit.model import ConfigurationError

if TYPE_CHECKING:
    from wa_audit.report.audit import Audit


class Format(NamedTuple):
    file: str
    module: str
    extra: str = ""
    """The extra without which it cannot be written, and `needs` the package that the extra brings."""
    needs: str = ""


FORMATS = {
    "json": Format("audit.json", "wa_audit.report.audit"),
    "html": Format("report.html", "wa_audit.report.html"),
    "csv": Format("findings.csv", "wa_audit.report.csv"),
    "jsonl": Format("findings.jsonl", "wa_audit.report.jsonl"),
    "markdown": Format("summary.md", "wa_audit.report.markdown"),
    "junit": Format("findings.xml", "wa_audit.report.junit"),
    "sarif": Format("findings.sarif", "wa_audit.report.sarif"),
    "ocsf": Format("findings.ocsf.json", "wa_audit.report.ocsf"),
    "asff": Format("findings.asff.json", "wa_audit.report.asff"),
    "github": Format("annotations.txt", "wa_audit.report.github"),
    "openmetrics": Format("metrics.txt", "wa_audit.report.openmetrics"),
    "parquet": Format("findings.parquet", "wa_audit.report.parquet", extra="parquet", needs="pyarrow"),
}


def check(formats: Iterable[str]) -> None:
    """Sees, before any work is done, that each format can be written.

    Raises:
        ConfigurationError: one needs an extra that is not installed.
    """
    for spelled in formats:
        name = spelled.partition("=")[0]
        need(name, f"--format {name}")


def need(name: str, flag: str) -> None:
    """Sees that one format can be written, for the sake of a flag. Raises ConfigurationError as `check`."""
    found = FORMATS[name]
    if found.needs and find_spec(found.needs) is None:
        raise ConfigurationError(f"{flag} needs the extra: pip install 'wa-audit[{found.extra}]'")


def render(audit: Audit, name: str) -> Iterator[bytes]:
    """The bytes of one format's file, by its name in `FORMATS`."""
    made: Iterator[bytes] = import_module(FORMATS[name].module).render(audit)
    return made


def write(audit: Audit, formats: Iterable[str], folder: Path) -> list[Path]:
    """Writes the audit in each format into `folder`, or where `format=path` says, `-` being stdout; the paths
    of the files, as asked for.

    Raises:
        OutputError: a file could not be written; what was there before is whole.
    """
    paths = []
    for spelled in dict.fromkeys(formats):
        name, _, given = spelled.partition("=")
        if given == "-":
            sys.stdout.flush()
            sys.stdout.buffer.writelines(render(audit, name))
            sys.stdout.buffer.flush()
            continue
        path = Path(given) if given else folder / FORMATS[name].file
        write_atomically(path, render(audit, name))
        paths.append(path)
    return paths
