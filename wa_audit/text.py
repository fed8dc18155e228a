"""Words on one line: hostile text made harmless, and names that do not exist.

Names, tags and error messages come from the account, not from us.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

# Bidirectional overrides and isolates, zero-width characters and the like are of category Cf; control
# bytes, escape among them, are Cc; lone surrogates are Cs; line and paragraph separators are Zl and Zp.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})

_FEW = 16  # names that a person still reads on one line


def visible(text: str) -> str:
    """The text on one line, with every character that a reader or a terminal would not show written out.

    `\\x1b]0;title` becomes `\\\\x1b]0;title`: nothing in it can move a cursor or reorder a line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if unicodedata.category(c) not in _INVISIBLE else _written_out(c) for c in text)


def _written_out(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """One line on a name that does not exist: the nearest that does, or all of them where they are few."""
    names = list(known)
    if near := difflib.get_close_matches(name, names, n=1, cutoff=0.5):
        return f"unknown {what} {name!r}; did you mean {near[0]!r}?"
    listed = f"; there are {', '.join(names) or 'none'}" if len(names) <= _FEW else ""
    return f"unknown {what} {name!r}{listed}"


def count(number: int, noun: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def share(percent: float | None) -> str:
    """`97 %`, never rounded up to a whole that it is not; a dash where there is none."""
    return "–" if percent is None else f"{int(percent)} %"


# What Markdown, or a web page made of it, would take for a sign of its own.
_MARKDOWN = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_{}[]()<>#+!|~&$^"} | {
    # An entity alone would still notify whoever bears the name; a comment keeps the sign from the name.
    ord("@"): "&#64;<!-- -->"
}


def markdown(text: str) -> str:
    """The text on one line of Markdown, saying what it says: no markup, no link, no mention of anybody."""
    return visible(text).translate(_MARKDOWN)


def key_value(text: str) -> tuple[str, str] | None:
    """`KEY=VALUE` as a pair; None where it is none. A value may be empty, and a key may not."""
    key, equals, value = text.partition("=")
    return (key, value) if key and equals else None
