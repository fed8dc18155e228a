"""A comparison of two audits as one self-contained page, in the report's own style and without a script."""

from __future__ import annotations

from collections.abc import Iterator

from wa_audit.report import diff_text, pages
from wa_audit.report.diff import Change, Diff


def render(diff: Diff) -> Iterator[bytes]:
    """The page, in UTF-8. The same comparison gives the same bytes."""
    style = pages.source("report.css")
    page = pages.environment().get_template("diff.html")
    context = {
        "diff": diff,
        "style": style,
        "policy": pages.content_security_policy(style),
        "titles": [(change, title) for change, title in diff_text.TITLES.items() if diff.changes[change]],
        "opened": {Change.NEW, Change.WORSE, Change.NOT_EVALUATED, Change.FIXED},
        "summary": diff_text.summary(diff),
        "caveats": diff_text.caveats(diff),
    }
    for piece in page.generate(context):
        yield piece.encode("utf-8")
