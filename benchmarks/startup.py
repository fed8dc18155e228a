"""Start-up: wall time and memory of the commands that people wait for, as ratios to Python itself.

Ratios, because seconds say more about the machine than about the program; both are measured in one run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from benchmarks import memory

RUNS = 7
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "wa-audit --version": ["-m", "wa_audit", "--version"],
    "wa-audit rules": ["-m", "wa_audit", "rules"],
}


def measure(arguments: list[str]) -> tuple[float, float]:
    """Seconds of wall time and MiB of peak resident memory of one run."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"python {' '.join(arguments)} failed")
    return seconds, memory.mebibytes(usage)


def main() -> None:
    # Taken in turn, so that whatever else the machine does falls on all of them.
    runs = [{name: measure(arguments) for name, arguments in COMMANDS.items()} for _ in range(RUNS)]
    median = {
        name: [statistics.median(run[name][figure] for run in runs) for figure in (0, 1)] for name in COMMANDS
    }
    bare = median["python -c pass"]
    print(f"{'Start-up, median of ' + str(RUNS):<26}{'seconds':>9}{'ratio':>8}{'MiB':>9}{'ratio':>8}")
    for name, (seconds, mib) in median.items():
        print(f"{name:<26}{seconds:>9.3f}{seconds / bare[0]:>8.1f}{mib:>9.1f}{mib / bare[1]:>8.1f}")


if __name__ == "__main__":
    main()
