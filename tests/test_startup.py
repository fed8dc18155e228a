"""Start-up pays for nothing that it does not need. Seen on `sys.modules`, never on a clock."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("boto3", "botocore", "pandas", "numpy", "jinja2", "moto", "rich", "networkx", "pyarrow")

_RUN = """
import json, sys
sys.argv = ["wa-audit", *{arguments!r}]
try:
    from wa_audit import cli
    {call}
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def _imported(call: str, *arguments: str) -> set[str]:
    program = _RUN.format(arguments=list(arguments), call=call)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("pass", ()),
        ("assert cli._run() == 0", ("--version",)),
        ("assert cli._run() == 0", ("rules",)),
        ("assert cli._run() == 0", ("rules", "--json")),
    ],
    ids=["import", "--version", "rules", "rules --json"],
)
def test_nothing_heavy_is_imported(call: str, arguments: tuple[str, ...]) -> None:
    assert not _imported(call, *arguments) & set(HEAVY)


def test_the_version_needs_no_rulebook() -> None:
    assert not _imported("assert cli._run() == 0", "--version") & {"wa_audit.rulebook", "yaml", "jmespath"}


def test_parquet_does_without_pandas() -> None:
    """The function has no memory for it, see docs/performance.md."""
    program = (
        "import json, sys; from tests.report import sample; from wa_audit.report import parquet; "
        "list(parquet.render(sample.audit(findings=3))); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = set(json.loads(done.stdout))
    assert "pyarrow" in found
    assert "pandas" not in found
