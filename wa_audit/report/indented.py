"""JSON for people and for diffs: sorted, and a line for every value."""

from __future__ import annotations

import msgspec

_encoder = msgspec.json.Encoder(order="sorted")


def as_json(value: object) -> bytes:
    """A value as indented JSON with an end of line, in UTF-8. The same value gives the same bytes."""
    return msgspec.json.format(_encoder.encode(value), indent=1) + b"\n"
