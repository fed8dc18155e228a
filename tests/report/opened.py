"""A report in a browser's tab, for the tests that look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wa_audit.report import html
from wa_audit.report.audit import Audit


def page(audit: Audit) -> str:
    return b"".join(html.render(audit)).decode("utf-8")


class Opened:
    """A report in a tab, with all that it said on the console and asked of the network."""

    def __init__(
        self, browser: Any, path: Path, fragment: str = "", *, wait: bool = True, **options: Any
    ) -> None:
        self.path = path
        self.context = browser.new_context(reduced_motion="reduce", **options)
        self.tab = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.tab.on("request", lambda request: self.asked.append(request.url.partition("#")[0]))
        self.tab.goto(path.as_uri() + fragment)
        if wait:
            self.drawn()

    def drawn(self) -> None:
        """Waits until the data is unpacked; a report without findings has no list."""
        self.tab.wait_for_function(
            "() => !document.getElementById('shown') || document.getElementById('shown').innerText !== ''"
        )

    def rules(self, level: str = "h5") -> list[str]:
        return [text.strip() for text in self.tab.locator(f"#list {level}").all_inner_texts()]

    def shown(self) -> str:
        return str(self.tab.locator("#shown").inner_text())

    def search(self, words: str) -> None:
        before = self.shown()
        self.tab.fill("#q", words)
        self.tab.wait_for_function(
            "before => document.getElementById('shown').innerText !== before", arg=before
        )

    def pill(self, value: str) -> None:
        self.tab.locator(f"#filters input[value={value}]").click()
        self.tab.wait_for_timeout(50)

    def hash(self) -> str:
        return str(self.tab.evaluate("location.hash"))

    def nodes(self) -> int:
        return int(self.tab.evaluate("document.querySelectorAll('*').length"))
