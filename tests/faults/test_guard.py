"""Every operation that botocore knows, of every service, held before the guard."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest

from wa_audit.collect import sql
from wa_audit.collect.guard import CREDENTIAL_OPERATIONS, SESSION_OPERATIONS, Guard, UndeclaredOperation
from wa_audit.collect.kinds import declared

_SELECT = next(iter(sql.STATEMENTS))


def _running(statement: Any) -> dict[str, Any]:
    """A request as botocore has it when it is about to be sent."""
    return {"body": json.dumps({"ClusterIdentifier": "dw", "Database": "dev", "Sql": statement}).encode()}


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
                guard(SimpleNamespace(service_model=service_model, name=operation), _running(_SELECT))
                passed.add(f"{service}:{operation}")
            except UndeclaredOperation:
                refused += 1
    assert passed == allowed | SESSION_OPERATIONS | CREDENTIAL_OPERATIONS
    assert refused > 15_000


@pytest.mark.parametrize(
    "params",
    [
        _running("DROP TABLE orders"),
        _running("SELECT 1"),
        _running(f"{_SELECT}; DROP TABLE orders"),
        _running(_SELECT.lower()),
        _running([_SELECT]),
        _running(None),
        {"body": json.dumps([_SELECT]).encode()},
        {"body": _SELECT.encode()},
        {"body": b""},
        {},
        None,
    ],
)
def test_no_other_sql_than_the_declared_passes(params: Any) -> None:
    guard = Guard()
    guard.allow({"redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"})
    model = SimpleNamespace(service_name="redshift-data")
    run = SimpleNamespace(service_model=model, name="ExecuteStatement")
    guard(run, params=_running(_SELECT))
    with pytest.raises(UndeclaredOperation, match="was to run SQL that is not declared"):
        guard(run, params=params)


def test_what_may_be_run_only_selects_from_catalogs() -> None:
    for statement in sql.STATEMENTS:
        words = statement.replace("(", " ").replace(")", " ").replace(",", " ").split()
        assert words[0] == "SELECT"
        assert ";" not in statement
        assert not {"INTO", "INSERT", "UPDATE", "DELETE", "CREATE", "CALL", "SET", "GRANT"} & set(
            map(str.upper, words)
        )
        sources = {words[number + 1] for number, word in enumerate(words) if word in ("FROM", "JOIN")}
        assert sources <= {
            "pg_database", "pg_user", "svv_external_schemas", "svv_external_tables", "svv_external_columns",
            "SELECT",
        }  # fmt: skip
