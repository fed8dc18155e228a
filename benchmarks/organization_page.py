"""How long an organization's page takes: to write, to open in Chromium, and to answer what a reader does.

    python -m benchmarks.organization_page [ACCOUNTS …]

Opening is from the navigation until the accounts are drawn, the median of five; what a reader does is in
milliseconds, until the page has drawn the answer.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import CHROMIUM, SET, opening

ACCOUNTS = (100, 1_000, 10_000)
RULES = 20  # of which those that fail are few rows beside the accounts
_DRAWN = "() => document.querySelector('#accounts-table thead button') !== null"
_ACTS = (
    ("search", "accounts-q", "billing data"),
    ("clear", "accounts-q", ""),
    ("unit", "accounts-choice-0", "1"),
)


def measure(browser: Any, accounts: int, folder: Path) -> str:
    """One row of the table."""
    from tests.report import organizations
    from wa_audit.report import organization_html
    from wa_audit.report.indented import as_json

    found = organizations.organization(accounts, rules=RULES)
    began = time.process_time()
    page = b"".join(organization_html.render(found))
    written = time.process_time() - began
    path = folder / f"{accounts}.html"
    path.write_bytes(page)
    opened = statistics.median(opening(browser, path, _DRAWN) for _ in range(5))
    tab = browser.new_page()
    tab.goto(path.as_uri())
    acts = [f"{tab.evaluate(SET, [name, value, 5]):>8.0f}" for _, name, value in _ACTS]
    tab.close()
    kilobytes = f"{len(page) / 1000:>8,.0f}{len(as_json(found)) / 1000:>9,.0f}"
    return f"{accounts:>10,}{kilobytes}{written:>8.2f}{opened:>8.2f}" + "".join(acts)


def main() -> None:
    from playwright.sync_api import sync_playwright

    wanted = [int(number) for number in sys.argv[1:]] or ACCOUNTS
    heads = f"{'accounts':>10}{'kB':>8}{'JSON kB':>9}{'write s':>8}{'open s':>8}"
    print(heads + "".join(f"{act:>8}" for act, *_ in _ACTS))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for accounts in wanted:
            print(measure(browser, accounts, Path(folder)), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
