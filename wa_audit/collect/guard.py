"""The read-only guard: an operation that is not declared never leaves the process.

A name such as Get or List does not make an operation read-only, so this is an allow-list, and it stands
before everything else that botocore does with a call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from wa_audit.collect import sql

# What the session itself needs beside the kinds' rows.
SESSION_OPERATIONS = frozenset({"sts:GetCallerIdentity", "sts:AssumeRole", "ec2:DescribeRegions"})
# What botocore itself asks to get credentials, and to renew them in the midst of a run: IAM Identity Center,
# web identity (EKS, GitHub), `aws login`. They change nothing in an account and need no permission in it.
CREDENTIAL_OPERATIONS = frozenset(
    {
        "signin:CreateOAuth2Token",
        "sso-oidc:CreateToken",
        "sso:GetRoleCredentials",
        "sts:AssumeRoleWithWebIdentity",
    }
)
# What tells which accounts an organization has; let through where that is asked, and by no audit.
ORGANIZATION_OPERATIONS = frozenset(
    {
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListRoots",
        "organizations:ListTagsForResource",
    }
)
_ALWAYS = SESSION_OPERATIONS | CREDENTIAL_OPERATIONS
# What writes, apart from all that is read: no plan names it, and it passes only after `allow_writes`, which
# is called where the user asked for that very write.
WRITES = frozenset({"securityhub:BatchImportFindings"})


class UndeclaredOperation(RuntimeError):
    """The program tried to call something that no kind declares; the call was not made."""


class Guard:
    """Refuses every operation but the allowed ones, each named as `sqs:ListQueues`."""

    def __init__(self) -> None:
        self.allowed = _ALWAYS

    def allow(self, operations: Iterable[str]) -> None:
        """Lets a plan's operations through, besides the session's own."""
        self.allowed = _ALWAYS | (frozenset(operations) - WRITES)

    def allow_writes(self) -> None:
        """Lets what writes through as well: the user has asked for it."""
        self.allowed |= WRITES

    def __call__(self, model: Any, params: Mapping[str, Any] | None = None, **_: Any) -> None:
        operation = f"{model.service_model.service_name}:{model.name}"
        if operation not in self.allowed:
            raise UndeclaredOperation(f"{operation} is not declared by any kind and was not called")
        if operation in sql.OPERATIONS and _statement(params or {}) not in sql.STATEMENTS:
            raise UndeclaredOperation(f"{operation} was to run SQL that is not declared and was not called")

    def install(self, events: Any) -> None:
        """Stands before every other handler of a botocore event system."""
        events.register_first("before-call", self, unique_id="wa-audit-guard")


def _statement(params: Mapping[str, Any]) -> str:
    """The SQL in a request that is about to be sent; empty where there is none."""
    try:
        body = json.loads(params.get("body") or b"")
    except ValueError:
        return ""
    return str(body.get("Sql", "")) if isinstance(body, dict) else ""
