"""What AWS answers to the declared operations where there is nothing, from botocore's models."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import botocore.loaders
import botocore.model

from wa_audit.collect.kinds import declared


def answer(head: str, signed_for: str) -> tuple[str, bytes, str]:
    """Operation (`backup.ListBackupPlans`), empty answer and kind of body, for a request that begins with
    `head` and which was signed for the service `signed_for`.

    Raises:
        LookupError: it is no operation that a scan declares.
    """
    method, target, _ = head.partition("\r\n")[0].split(" ", 2)
    path = target.partition("?")[0]
    for operation, verb, uri in routes().get(signed_for, ()):
        if verb == method and uri.fullmatch(path):
            return f"{signed_for}.{operation.name}", body(operation), _kind(operation)
    raise LookupError(f"{method} {target}, signed for {signed_for}")


def named(name: str, signed_for: str) -> bytes:
    """The empty answer to an operation that the request itself names."""
    found = (operation for operation, _, _ in routes().get(signed_for, ()) if operation.name == name)
    operation = next(found, None)
    return body(operation) if operation else b"{}"


@cache
def _operations() -> dict[str, list[str]]:
    """What a scan declares, by service."""
    found: dict[str, set[str]] = {}
    for kind, call in declared():
        for full in kind.operations(call):
            service, _, name = full.partition(":")
            found.setdefault(service, set()).add(name)
    return {service: sorted(names) for service, names in sorted(found.items())}


@cache
def routes() -> dict[str, list[tuple[Any, str, re.Pattern[str]]]]:
    """Method and path of every operation, by what its service signs for. Takes a second or two at first."""
    loader = botocore.loaders.Loader()
    found: dict[str, list[tuple[Any, str, re.Pattern[str]]]] = {}
    for service, names in _operations().items():
        model = botocore.model.ServiceModel(loader.load_service_model(service, "service-2"), service)
        for name in names:
            operation = model.operation_model(name)
            parts = re.split(r"(\{[^}]+\})", operation.http["requestUri"].partition("?")[0])
            uri = "".join(".+" if part.startswith("{") else re.escape(part) for part in parts)
            route = (operation, operation.http["method"], re.compile(uri.removesuffix("/") + "/?"))
            found.setdefault(model.signing_name, []).append(route)
    # The most literal route first: `/clusters/x/nodes` is no cluster by the name `x/nodes`.
    return {
        name: sorted(rows, key=lambda row: -len(row[2].pattern.replace(".+", "")))
        for name, rows in found.items()
    }


def _kind(operation: Any) -> str:
    return "json" if "json" in operation.service_model.resolved_protocol else "xml"


def _members(shape: Any, depth: int = 0) -> dict[str, Any]:
    """Every list of an answer, empty, and every flag, down, two structures deep."""
    found: dict[str, Any] = {}
    for name, member in (shape.members if shape else {}).items():
        if member.serialization.get("location") not in (None, "body"):
            continue
        key = member.serialization.get("name", name)
        if member.type_name == "list":
            found[key] = []
        elif member.type_name == "boolean":
            found[key] = False
        elif member.type_name == "structure" and depth == 0:
            found[key] = _members(member, depth + 1)
    return found


@cache
def body(operation: Any) -> bytes:
    """The answer's body."""
    members = _members(operation.output_shape)
    if _kind(operation) == "json":
        return json.dumps(members).encode()
    inside = "".join(
        f"<{name}>false</{name}>" if value is False else f"<{name}/>" for name, value in members.items()
    )
    name = operation.name
    wrapper = (operation.output_shape.serialization if operation.output_shape else {}).get("resultWrapper")
    inside = f"<{wrapper}>{inside}</{wrapper}>" if wrapper else inside
    return f"<{name}Response>{inside}</{name}Response>".encode()
