"""What every test stands on: no AWS settings of the developer's, and no quiet skipping in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from wa_audit.collect import sharing

# No test may reach a real account, nor depend on who runs it. Set here, so that subprocesses inherit it.
for _name in [name for name in os.environ if name.startswith(("AWS_", "WA_AUDIT_"))]:
    del os.environ[_name]
os.environ.update(
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
)

# What a test looks at within this process is to happen here. Helping processes have tests of their own, and
# every program that a test starts has them.
NUMBER_OF_PROCESSES = sharing.number
sharing.number = lambda most, workers: 1

IN_CI = os.environ.get("CI") == "true"
# What these need is a part of the workshop: where it is missing in CI, CI is broken.
_NEVER_SKIPPED_IN_CI = ("browser", "emulator")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    marked = any(item.get_closest_marker(name) for name in _NEVER_SKIPPED_IN_CI)
    if IN_CI and marked and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr[-1]}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[Any]:
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped in CI"
    return report
