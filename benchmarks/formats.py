"""How long `wa-audit report` takes for many findings in each data format, how large the file is, and how much
memory the whole process needs, the reading of audit.json included.

    python -m benchmarks.formats [FINDINGS [FORMAT ...]]

Each format is written by a process of its own, of an audit that nothing but the number of findings sets apart
from those of the tests. What pandas and DuckDB then count in Parquet must be what the audit holds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks import memory
from wa_audit.files import write_atomically
from wa_audit.memory import seldom_collected
from wa_audit.report import FORMATS
from wa_audit.report import audit as audits

FINDINGS = 1_000_000
_DRAWN = ("html", "markdown")  # for people: the first shows aggregates of so many, the second the worst
_HEAD = f"{'format':<12}{'seconds':>8}{'of CPU':>8}{'MiB':>8}{'MiB of memory':>15}"


def measure(audit: Path, name: str) -> str:
    """One row of the table; the format's file is left in a folder `made` beside the audit."""
    made = audit.parent / "made" / FORMATS[name].file
    command = [sys.executable, "-m", "wa_audit", "report", str(audit)]
    started = time.perf_counter()
    child = subprocess.Popen([*command, "--format", f"{name}={made}"], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{name}: ended with {os.waitstatus_to_exitcode(status)}")
    size = made.stat().st_size / 2**20
    cpu = used.ru_utime + used.ru_stime
    return f"{name:<12}{seconds:>8.1f}{cpu:>8.1f}{size:>8.1f}{memory.mebibytes(used):>15.0f}"


def count_again(audit: Path) -> str:
    """Sees that DuckDB and pandas count in findings.parquet what the audit holds, by status and severity."""
    import duckdb
    import pandas as pd

    made = audit.parent / "made" / FORMATS["parquet"].file
    held = Counter((str(f.status), str(f.severity)) for f in audits.read(audit).findings)
    rows = duckdb.execute(f"SELECT status, severity, count(*) FROM '{made}' GROUP BY ALL").fetchall()
    table = pd.read_parquet(made, columns=["status", "severity"])
    by_duckdb = {(status, severity): number for status, severity, number in rows}
    by_pandas = table.value_counts().to_dict()
    if not held == by_duckdb == by_pandas:
        raise SystemExit(f"parquet: the audit holds {held}, DuckDB counts {by_duckdb}, pandas {by_pandas}")
    return f"DuckDB and pandas count {sum(held.values()):,} rows in Parquet, as the audit does"


def make(audit: Path, findings: int) -> None:
    """Writes the audit.json to measure with."""
    from tests.report import sample

    with seldom_collected():
        write_atomically(audit, audits.render(sample.audit(findings=findings)))


def main() -> None:
    if sys.argv[1:2] == ["--make"]:
        make(Path(sys.argv[2]), int(sys.argv[3]))
        return
    findings = int(sys.argv[1]) if len(sys.argv) > 1 else FINDINGS
    names = sys.argv[2:] or [name for name in FORMATS if name not in _DRAWN]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.json"
        # In a process of its own: what this one holds would count as its children's.
        subprocess.run([sys.executable, "-m", __spec__.name, "--make", path, str(findings)], check=True)
        print(f"{findings:,} findings, audit.json {path.stat().st_size / 2**20:.0f} MiB\n{_HEAD}", flush=True)
        for name in names:
            print(measure(path, name), flush=True)
        if "parquet" in names:
            print(count_again(path))


if __name__ == "__main__":
    main()
