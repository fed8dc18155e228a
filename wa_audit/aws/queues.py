"""What a queue's own settings say of its use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_for_dead_letters(name: str, redrive_allow_policy: Mapping[str, Any] | None) -> bool:
    """Whether a queue declares itself a dead-letter queue: by its name, or by whom it lets redrive to it."""
    allows = (redrive_allow_policy or {}).get("redrivePermission") == "byQueue"
    return allows or name.removesuffix(".fifo").lower().endswith(("dlq", "dead", "failed"))
