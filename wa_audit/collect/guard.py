"""The read-only guard: an operation that is not declared never leaves the process.

A name such as Get or List does not make an operation read-only, so this is an allow-list, and it stands
before everything else that botocore does with a call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# What the session itself needs beside the kinds' rows.
SESSION_OPERATIONS = frozenset({"sts:GetCallerIdentity", "sts:AssumeRole", "ec2:DescribeRegions"})


class UndeclaredOperation(RuntimeError):
    """The program tried to call something that no kind declares; the call was not made."""


class Guard:
    """Refuses every operation but the allowed ones, each named as `sqs:ListQueues`."""

    def __init__(self) -> None:
        self.allowed = SESSION_OPERATIONS

    def allow(self, operations: Iterable[str]) -> None:
        """Lets a plan's operations through, besides the session's own."""
        self.allowed = SESSION_OPERATIONS | frozenset(operations)

    def __call__(self, model: Any, **_: Any) -> None:
        operation = f"{model.service_model.service_name}:{model.name}"
        if operation not in self.allowed:
            raise UndeclaredOperation(f"{operation} is not declared by any kind and was not called")

    def install(self, events: Any) -> None:
        """Stands before every other handler of a botocore event system."""
        events.register_first("before-call", self, unique_id="wa-audit-guard")
