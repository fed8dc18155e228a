"""Where a Firehose stream delivers to, how long it waits, and what it writes down.

https://docs.aws.amazon.com/firehose/latest/APIReference/API_DestinationDescription.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def s3_destination(destinations: Iterable[Mapping[str, Any]] | None) -> dict[str, Any] | None:
    """The description of a stream's destination in S3; None where it delivers elsewhere.

    `destinations` is the stream's `Destinations`. What other destinations keep in S3 besides is none.
    """
    for place in destinations or ():
        found: dict[str, Any] | None = place.get("ExtendedS3DestinationDescription") or place.get(
            "S3DestinationDescription"
        )
        if found:
            return found
    return None


def logs_errors(destinations: Iterable[Mapping[str, Any]] | None) -> bool:
    """Whether a stream writes the errors of a delivery into CloudWatch Logs (CloudWatchLoggingOptions)."""
    return any(
        (description.get("CloudWatchLoggingOptions") or {}).get("Enabled")
        for description in _descriptions(destinations)
    )


def buffer_seconds(destinations: Iterable[Mapping[str, Any]] | None) -> int:
    """The longest time that a stream gathers records before it delivers them; 0 where nothing says."""
    hints = [description.get("BufferingHints") or {} for description in _descriptions(destinations)]
    return max((int(hint.get("IntervalInSeconds") or 0) for hint in hints), default=0)


def _descriptions(destinations: Iterable[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    return [what for place in destinations or () for what in place.values() if isinstance(what, Mapping)]
