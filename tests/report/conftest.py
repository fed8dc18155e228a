"""One Chromium for all tests that open a report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.opened import Opened, page
from wa_audit.report.audit import Audit

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all. Where there is none the tests are skipped, in CI they fail."""
    must = os.environ.get("CI") == "true"
    if not must and shutil.which(CHROMIUM) is None:
        pytest.skip(f"{CHROMIUM} is not installed")
    if not must:
        pytest.importorskip("playwright.sync_api")
        pytest.importorskip("axe_playwright_python.sync_playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens an audit's report; afterwards nothing may have been said, and nothing asked for but the file."""
    opened: list[Opened] = []

    def _show(audit: Audit, fragment: str = "", **options: Any) -> Opened:
        path = tmp_path / f"{len(opened)}.html"
        path.write_text(page(audit), encoding="utf-8")
        opened.append(Opened(browser, path, fragment, **options))
        return opened[-1]

    yield _show
    for report in opened:
        assert report.said == []
        assert {url for url in report.asked if not url.startswith(("data:", "blob:"))} == {
            report.path.as_uri()
        }
        report.context.close()
