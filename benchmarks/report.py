"""How long the HTML report takes: to write, to open in Chromium, and to answer what a reader does.

    python -m benchmarks.report [FINDINGS …]

Opening is from the navigation until the findings are drawn, the median of five; what a reader does is in
milliseconds, until the page has drawn the answer.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FINDINGS = (10_000, 100_000, 200_000)
RULES = 200
CHROMIUM = "/usr/bin/chromium"
_DRAWN = "() => document.getElementById('shown').innerText !== ''"
# A control's new value, and when the page has answered it: typing waits for 120 ms.
SET = """async ([name, value, wait]) => {
  const control = document.getElementById(name);
  const began = performance.now();
  control.value = value;
  control.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((done) => setTimeout(done, wait));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - began - wait;
}"""
_ACTS = (
    ("search", "q", "orders billing", 125),
    ("clear", "q", "", 125),
    ("group", "group", "resource", 5),
    ("back", "group", "pillar", 5),
    ("sort", "sort", "many", 5),
)


def measure(browser: Any, findings: int, folder: Path) -> str:
    """One row of the table."""
    from tests.report import sample
    from wa_audit.report import html

    audit = sample.audit(rules=RULES, findings=findings)
    began = time.perf_counter()
    page = b"".join(html.render(audit))
    written = time.perf_counter() - began
    path = folder / f"{findings}.html"
    path.write_bytes(page)
    opened = [opening(browser, path, _DRAWN) for _ in range(5)]
    tab = browser.new_page()
    tab.goto(path.as_uri())
    tab.wait_for_function(_DRAWN)
    acts = []
    for _, name, value, wait in _ACTS:
        # Where findings are too many to be drawn, they cannot be grouped.
        there = tab.locator(f"#{name}").is_visible()
        acts.append(f"{tab.evaluate(SET, [name, value, wait]):>8.0f}" if there else f"{'–':>8}")
    tab.close()
    figures = f"{findings:>10,}{len(page) / 1000:>8,.0f}{written:>8.1f}{statistics.median(opened):>8.2f}"
    return figures + "".join(acts)


def opening(browser: Any, path: Path, drawn: str) -> float:
    """Seconds from the navigation until `drawn`, a function of the page's, says so."""
    tab = browser.new_page()
    began = time.perf_counter()
    tab.goto(path.as_uri())
    tab.wait_for_function(drawn)
    seconds = time.perf_counter() - began
    tab.close()
    return seconds


def main() -> None:
    from playwright.sync_api import sync_playwright

    wanted = [int(number) for number in sys.argv[1:]] or FINDINGS
    print(f"{'findings':>10}{'kB':>8}{'write s':>8}{'open s':>8}" + "".join(f"{act:>8}" for act, *_ in _ACTS))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for findings in wanted:
            print(measure(browser, findings, Path(folder)), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
