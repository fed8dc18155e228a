"""What an S3 bucket's lifecycle rules do to its objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def longest_life(rules: list[dict[str, Any]] | None) -> int | None:
    """Days after which every current object of the bucket has expired; None where no rule sees to that.

    Only an Enabled rule for the whole bucket counts: one without prefix, tags and sizes.
    """
    lives = [
        days
        for rule in rules or ()
        if rule.get("Status") == "Enabled" and _is_for_all(rule)
        for days in [(rule.get("Expiration") or {}).get("Days")]
        if isinstance(days, int)
    ]
    return min(lives, default=None)


def _is_for_all(rule: Mapping[str, Any]) -> bool:
    narrowed = rule.get("Filter") or {}
    return (
        not rule.get("Prefix")
        and not any((narrowed.get("And") or {}).values())
        and not any(value for name, value in narrowed.items() if name != "And")
    )
