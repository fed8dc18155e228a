"""Whether a thing is at work, by the state that AWS gives of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def ending(status: Mapping[str, Any] | None) -> str:
    """An EMR cluster's state where it is terminating or terminated, empty where it is not.

    ListClusters gives clusters for two months after their end.
    """
    state = str((status or {}).get("State", ""))
    return state if state.startswith("TERMINAT") else ""


def is_streaming(command: Mapping[str, Any] | None) -> bool:
    """Whether a Glue job, by its Command, is one that runs on once it was started."""
    return (command or {}).get("Name") == "gluestreaming"


def mapping_is_off(state: str | None) -> bool:
    """Whether an event source mapping is disabled, or is being disabled."""
    return state in ("Disabled", "Disabling")


def rule_is_on(state: str | None) -> bool:
    """Whether an EventBridge rule is enabled, for events of CloudTrail's management calls too or not."""
    return (state or "").startswith("ENABLED")
