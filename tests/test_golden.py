"""One saved inventory gives one audit and one report, byte for byte. `make golden` blesses a change."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tools import golden

MADE = golden.results()


@pytest.mark.parametrize("name", sorted(MADE))
def test_the_same_inventory_gives_the_same_bytes(name: str) -> None:
    assert name not in golden.stale(MADE), f"{name} has changed: run 'make golden' and look at the diff"


def test_another_process_gives_the_same_bytes() -> None:
    """Nothing depends on the order of a set, the time zone or the language."""
    environment = {**os.environ, "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONUTF8": "0"}
    program = [sys.executable, "-m", "tools.golden", "--check"]
    done = subprocess.run(
        program, cwd=golden.FOLDER.parents[1], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
