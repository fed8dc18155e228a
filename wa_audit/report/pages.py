"""What every page of ours is made of: its style and scripts, the policy that admits them by their hashes and
nothing else, and the environment in which hostile text is escaped and made visible at the sink.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import Any

import jinja2
from markupsafe import Markup, escape

from wa_audit.files import REPORT_TEMPLATES
from wa_audit.model import Pillar
from wa_audit.report import money, spend
from wa_audit.report.embedded import GRADES, cut

# The pillars' names for narrow columns.
SHORT = {
    Pillar.OPERATIONAL_EXCELLENCE: "Ops",
    Pillar.SECURITY: "Sec",
    Pillar.RELIABILITY: "Rel",
    Pillar.PERFORMANCE_EFFICIENCY: "Perf",
    Pillar.COST_OPTIMIZATION: "Cost",
    Pillar.SUSTAINABILITY: "Sust",
}


# -- text at the sink ------------------------------------------------------------------------------


def visible(text: str) -> str:
    """`text` with every character that a reader would not see written out, as `\\u202e` or `\\u{e0041}`.

    Controls, bidi overrides, zero-width characters, separators other than the space, lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _written_out(c) for c in text)


def _written_out(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\u{{{code:x}}}"


def _sink(value: Any) -> Any:
    """What Jinja puts every expression through; markup of our own has been through it already."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _prose(text: str) -> Markup:
    """A sentence of the rulebook, with what stands between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(visible(text))
    code = Markup("<code>{}</code>")
    return Markup("").join(
        code.format(visible(part)) if number % 2 else escape(visible(part))
        for number, part in enumerate(parts)
    )


def _whole(share: float | None) -> str:
    return "\N{EN DASH}" if share is None else str(cut(share))


def moment(time: str) -> str:
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?(Z|\+00:00)?", time)
    return f"{found[1]} {found[2]} UTC" if found else time


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def grade(score: float | None) -> str:
    """`good`, `medium`, `poor`, or `none` where there is no score."""
    return "none" if score is None else next(name for floor, name, _ in GRADES if score >= floor)


def _grade_words(score: float | None) -> str:
    return "Not scored" if score is None else next(words for floor, _, words in GRADES if score >= floor)


def _unscored(coverage: float | None, floor: float) -> str:
    """Why there is no score."""
    if coverage is None:
        return "nothing to judge"
    if coverage == 0:
        return "nothing could be read"
    if coverage < floor:
        return f"coverage is under {floor:g} %"
    return "no pillar has a score"


# -- the page --------------------------------------------------------------------------------------


def environment() -> jinja2.Environment:
    """What every page is rendered with: autoescape, and `visible` at the sink."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(REPORT_TEMPLATES),
        autoescape=True,
        finalize=_sink,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "grade": grade,
        "grade_words": _grade_words,
        "moment": moment,
        "plural": _plural,
        "prose": _prose,
        "usd": money.usd,
        "amount": spend.amount,
        "change": spend.change,
        "month": spend.month,
        "whole": _whole,
    }
    environment.globals |= {"unscored": _unscored}
    return environment


def source(name: str) -> Markup:
    """A style sheet of our own, put into the page as it is: its hash stands in the policy."""
    return Markup("\n" + lean((REPORT_TEMPLATES / name).read_text(encoding="utf-8")))  # noqa: S704


_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n", re.DOTALL | re.MULTILINE)


def lean(source: str) -> str:
    """Without indentation, empty lines and comments that have lines of their own: no reader of a report needs
    them. Neither our style sheet nor our script has a text that runs over several lines."""
    lines = (line.strip() for line in _COMMENT.sub("", source).splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def script(names: Iterable[str]) -> Markup:
    """A page's script: parts of our own, in the order of their names, in one scope."""
    parts = (lean((REPORT_TEMPLATES / "script" / f"{name}.js").read_text("utf-8")) for name in names)
    return Markup('\n(() => {\n"use strict";\n' + "".join(parts) + "})();\n")  # noqa: S704


def content_security_policy(style: str, script: str = "") -> str:
    """Nothing is loaded from anywhere; the page's own two blocks run, and no other.

    Trusted Types make the browser itself refuse `innerHTML` with a string.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'" if script else "script-src 'none'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def _hash(block: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(block.encode("utf-8")).digest()).decode("ascii")
