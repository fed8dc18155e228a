"""Every operation that botocore knows, of every service, held before the guard."""

from __future__ import annotations

from types import SimpleNamespace

import botocore.session

from wa_audit.collect.guard import CREDENTIAL_OPERATIONS, SESSION_OPERATIONS, Guard, UndeclaredOperation
from wa_audit.collect.kinds import declared


def test_only_declared_operations_pass() -> None:
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    allowed = {kind.operation(call) for kind, call in declared()}
    guard = Guard()
    guard.allow(allowed)
    passed, refused = set(), 0
    for service in session.get_available_services():
        service_model = SimpleNamespace(service_name=service)
        for operation in loader.load_service_model(service, "service-2")["operations"]:
            try:
                guard(SimpleNamespace(service_model=service_model, name=operation))
                passed.add(f"{service}:{operation}")
            except UndeclaredOperation:
                refused += 1
    assert passed == allowed | SESSION_OPERATIONS | CREDENTIAL_OPERATIONS
    assert refused > 15_000
