"""How much memory a process took at most, in MiB."""

from __future__ import annotations

import resource
import sys

# Linux counts in KiB, macOS in bytes.
_UNIT = 2**20 if sys.platform == "darwin" else 2**10


def mebibytes(usage: resource.struct_rusage) -> float:
    """Of what `os.wait4` or `getrusage` says of a process."""
    return usage.ru_maxrss / _UNIT


def peak() -> float:
    """Of this process, so far."""
    return mebibytes(resource.getrusage(resource.RUSAGE_SELF))
