"""How long each data format takes for many findings, how large it is, and how much memory it adds.

    python -m benchmarks.formats [FINDINGS]

Each format is written in a process of its own, of an audit that nothing but the number of findings sets apart
from those of the tests. Memory is the peak beyond what holds the audit itself.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

from wa_audit.report import FORMATS

FINDINGS = 200_000
_DRAWN = ("html", "markdown")  # for people: the first shows aggregates of so many, the second the worst


def measure(name: str, findings: int) -> str:
    """One row of the table."""
    from tests.report import sample

    audit = sample.audit(findings=findings)
    before, started, size = _peak(), time.perf_counter(), 0
    with Path("/dev/null").open("wb") as nowhere:
        for part in import_module(FORMATS[name].module).render(audit):
            size += nowhere.write(part)
    seconds = time.perf_counter() - started
    return f"{name:<12}{seconds:>8.1f}{size / 2**20:>10.1f}{_peak() - before:>14.0f}"


def _peak() -> float:
    """MiB; Linux counts in KiB, macOS in bytes."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    findings = int(sys.argv[1]) if len(sys.argv) > 1 else FINDINGS
    print(f"{findings:,} findings\n{'format':<12}{'seconds':>8}{'MiB':>10}{'MiB of memory':>14}")
    for name in FORMATS:
        if name not in _DRAWN:
            code = f"from benchmarks.formats import measure; print(measure({name!r}, {findings}))"
            subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main()
