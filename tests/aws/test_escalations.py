"""The paths to more rights, each open and each shut."""

from __future__ import annotations

import re
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from wa_audit.aws import escalations, policy
from wa_audit.aws.escalations import Path
from wa_audit.aws.policy import Policy

OWN = "arn:aws:iam::123456789012:role/etl"
PATHS = {path.name: path for path in escalations.paths()}
each = pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)


def own(*statements: dict[str, Any]) -> Policy:
    return Policy("p", policy.parse({"Version": "2012-10-17", "Statement": list(statements)}))


def allow(*actions: str, on: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **elements}


def deny(*actions: str, **elements: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*", **elements}


def is_open(path: Path, *statements: dict[str, Any], boundary: Policy | None = None, **more: Any) -> bool:
    return path in [o.path for o in escalations.openings([own(*statements)], boundary, **more)]


@each
def test_a_path_is_open_where_all_that_it_needs_is_given(path: Path) -> None:
    assert is_open(path, allow(*path.actions))
    assert is_open(path, *[allow(action) for action in path.actions])
    assert is_open(path, allow("*"))
    assert is_open(path, allow(*[f"{a[:-1]}?" for a in path.actions]))
    assert is_open(path, allow(*path.actions, Condition={"Bool": {"aws:SecureTransport": "true"}}))
    assert is_open(path, allow("*"), deny("*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}))


@each
def test_a_path_is_shut_where_any_of_it_is_missing(path: Path) -> None:
    for missing in path.actions:
        rest = [action for action in path.actions if action != missing]
        assert not is_open(path, allow(*rest, "s3:ListBucket"))
        assert not is_open(path, allow("*"), deny(missing))
        assert not is_open(path, allow("*"), boundary=own(allow(*rest, "s3:ListBucket")))


@each
def test_a_path_is_shut_where_others_things_are_named(path: Path) -> None:
    named = "arn:aws:iam::123456789012:role/reader"
    assert not is_open(path, allow(*path.on_all, on=named), allow(*path.on_any, "s3:ListBucket"))


@pytest.mark.parametrize("path", [path for path in PATHS.values() if path.passed_to], ids=lambda p: p.name)
def test_a_role_goes_to_the_service_that_it_may_be_passed_to(path: Path) -> None:
    def passes(operator: str, service: str) -> dict[str, Any]:
        return allow("iam:PassRole", Condition={operator: {"iam:PassedToService": service}})

    rest = allow(*[action for action in path.actions if action != "iam:PassRole"])
    assert "iam:PassRole" in path.on_all
    assert is_open(path, rest, passes("StringEquals", path.passed_to))
    assert is_open(path, rest, passes("StringLike", "*.amazonaws.com"))
    assert is_open(path, rest, passes("StringNotEquals", "other.amazonaws.com"))
    assert not is_open(path, rest, passes("StringEquals", "other.amazonaws.com"))
    assert not is_open(path, rest, passes("StringNotEquals", path.passed_to))
    only = {"StringNotEquals": {"iam:PassedToService": "other.amazonaws.com"}}
    assert not is_open(path, rest, allow("iam:PassRole"), deny("iam:PassRole", Condition=only))


@pytest.mark.parametrize("path", [path for path in PATHS.values() if path.on_any], ids=lambda p: p.name)
def test_what_is_made_may_bear_a_name(path: Path) -> None:
    named = [allow(action, on=f"arn:aws:{action.partition(':')[0]}:*:*:*etl*") for action in path.on_any]
    assert is_open(path, allow(*path.on_all), *named)
    tagged = {"StringEquals": {"aws:ResourceTag/team": "data"}}
    assert is_open(path, allow(*path.on_all), allow(*path.on_any, Condition=tagged))
    assert not is_open(path, allow(*path.on_all, Condition=tagged), *named)


@pytest.mark.parametrize(
    ("name", "kind", "arn"),
    [
        ("iam-attach-role-policy", "role", OWN),
        ("iam-put-role-policy", "role", OWN),
        ("iam-create-policy-version", "policy", "arn:aws:iam::123456789012:policy/etl"),
        ("iam-set-default-version", "policy", "arn:aws:iam::123456789012:policy/etl"),
    ],
)
def test_a_role_that_may_change_itself_needs_no_other(name: str, kind: str, arn: str) -> None:
    path = PATHS[name]
    assert is_open(path, allow(*path.on_all, on=arn), itself={kind: [arn]})
    assert not is_open(path, allow(*path.on_all, on=arn), itself={kind: [f"{arn}-2"]})
    assert not is_open(path, allow(*path.on_all, on=arn))


def test_attaching_named_policies_is_no_path_and_any_of_aws_is() -> None:
    path = PATHS["iam-attach-role-policy"]

    def attaching(operator: str, arn: str) -> dict[str, Any]:
        return allow("iam:AttachRolePolicy", Condition={operator: {"iam:PolicyARN": arn}})

    assert not is_open(path, attaching("ArnEquals", "arn:aws:iam::123456789012:policy/reader"))
    assert not is_open(path, attaching("ArnLike", "arn:aws:iam::aws:policy/Amazon*"))
    assert is_open(path, attaching("ArnLike", "arn:aws:iam::aws:policy/*"))
    assert is_open(path, attaching("StringLike", "*"))


def test_a_boundary_on_what_is_changed_shuts_a_path() -> None:
    bounded = {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/limit"}}
    assert not is_open(PATHS["iam-put-role-policy"], allow("iam:PutRolePolicy", Condition=bounded))


def test_a_condition_that_is_not_known_leaves_a_doubt() -> None:
    unknown = allow("lambda:UpdateFunctionCode", Condition={"StringEquals": {"acme:tenant": "7"}})
    (opening,) = escalations.openings([own(unknown)])
    assert opening.doubtful
    (opening,) = escalations.openings([own(unknown, allow("lambda:UpdateFunctionCode"))])
    assert not opening.doubtful


@each
def test_all_of_a_kind_is_everything(path: Path) -> None:
    given = [allow(action, on=all_of_its_kinds(action)) for action in path.on_all]
    assert is_open(path, *given, allow(*path.on_any, "s3:ListBucket"))


def all_of_its_kinds(action: str) -> list[str]:
    """The ARNs of all resources that AWS's reference has for an action, of all names."""
    service, _, name = action.partition(":")
    formats = [row["resource_arn_format"] for row in get_action_data(service, name)[service]]
    named = {re.sub(r"\$\{[^}]*\}", "*", arn) for arn in formats} - {"*"}
    return sorted(named) or ["*"]


@each
def test_the_table_speaks_of_actions_that_aws_has(path: Path) -> None:
    for action in path.actions:
        service, _, name = action.partition(":")
        found = get_action_data(service, name)
        assert found, action
        assert found[service][0]["action"] == action
    assert path.kind in ("escalation", "data")
    assert path.itself in ("", "role", "policy")
    assert bool(path.passed_to) is ("iam:PassRole" in path.actions)
    assert path.how


def test_names_are_each_their_own() -> None:
    assert len(PATHS) == len(escalations.paths()) > 41
