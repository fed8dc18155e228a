"""What AWS answers where there is nothing, from botocore's models.

The operations that a scan declares are looked for first; every other one of the same service is there too,
for programs that ask for more.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import botocore.exceptions
import botocore.loaders
import botocore.model

from wa_audit.collect.kinds import declared

Route = tuple[Any, str, re.Pattern[str]]
"""An operation's model, its method and its path."""


def answer(head: str, signed_for: str) -> tuple[str, bytes, str]:
    """Operation (`backup.ListBackupPlans`), empty answer and kind of body, for a request that begins with
    `head` and which was signed for the service `signed_for`.

    Raises:
        LookupError: it is no operation of that service.
    """
    method, target, _ = head.partition("\r\n")[0].split(" ", 2)
    path = target.partition("?")[0]
    for operation, verb, uri in (*routes().get(signed_for, ()), *every_route(signed_for)):
        if verb == method and uri.fullmatch(path):
            return f"{signed_for}.{operation.name}", body(operation), _kind(operation)
    raise LookupError(f"{method} {target}, signed for {signed_for}")


def named(name: str, signed_for: str) -> bytes:
    """The empty answer to an operation that the request itself names."""
    declared_first = (rows for rows in (routes().get(signed_for, ()), every_route(signed_for)))
    found = (operation for rows in declared_first for operation, _, _ in rows if operation.name == name)
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
def routes() -> dict[str, list[Route]]:
    """Method and path of every operation, by what its service signs for. Takes a second or two at first."""
    found: dict[str, list[Route]] = {}
    for service, names in _operations().items():
        model = _model(service)
        found.setdefault(model.signing_name, []).extend(_route(model, name) for name in names)
    return {name: _most_literal_first(rows) for name, rows in found.items()}


@cache
def every_route(signed_for: str) -> list[Route]:
    """Method and path of all operations, declared or not, of what signs so; empty where no service does."""
    services = [service for service in _operations() if _model(service).signing_name == signed_for]
    rows: list[Route] = []
    try:
        for service in services or [signed_for]:
            model = _model(service)
            rows += [_route(model, name) for name in model.operation_names]
    except botocore.exceptions.UnknownServiceError:
        return []
    return _most_literal_first(rows)


@cache
def _model(service: str) -> Any:
    return botocore.model.ServiceModel(
        botocore.loaders.Loader().load_service_model(service, "service-2"), service
    )


def _route(model: Any, name: str) -> Route:
    operation = model.operation_model(name)
    parts = re.split(r"(\{[^}]+\})", operation.http["requestUri"].partition("?")[0])
    uri = "".join(".+" if part.startswith("{") else re.escape(part) for part in parts)
    return operation, operation.http["method"], re.compile(uri.removesuffix("/") + "/?")


def _most_literal_first(rows: list[Route]) -> list[Route]:
    """`/clusters/x/nodes` is no cluster by the name `x/nodes`."""
    return sorted(rows, key=lambda row: -len(row[2].pattern.replace(".+", "")))


def _kind(operation: Any) -> str:
    return "json" if "json" in operation.service_model.resolved_protocol else "xml"


def _members(shape: Any, depth: int = 0) -> dict[str, Any]:
    """Every list of an answer, empty, and every flag, down, two structures deep; of a setting within a
    structure the first that there is."""
    found: dict[str, Any] = {}
    for name, member in (shape.members if shape else {}).items():
        if member.serialization.get("location") not in (None, "body"):
            continue
        key = member.serialization.get("name", name)
        if member.type_name == "list":
            found[key] = []
        elif member.type_name == "boolean":
            found[key] = False
        elif member.type_name == "string" and depth and getattr(member, "enum", None):
            found[key] = member.enum[0]
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
