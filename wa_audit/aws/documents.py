"""JSON documents in which AWS writes a list of one as the one."""

from __future__ import annotations

from typing import Any


def many(value: Any) -> list[Any]:
    """The value as a list: as it is, alone in one, or empty where there is none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
