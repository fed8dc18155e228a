"""The engine against brute force, over a small universe of actions, resources and requests.

Policies are drawn at random; every request of the universe is tried. What any request is allowed, the engine
must say; without conditions it must say exactly that.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.aws import brute
from wa_audit.aws import deputies, policy
from wa_audit.aws.policy import Policy

NONE = frozenset[str]()
ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "iam:PassRole", "sqs:SendMessage")
RESOURCES = (
    "arn:aws:s3:::data/ann/a",
    "arn:aws:s3:::data",
    "arn:aws:s3:::logs/b",
    "arn:aws:iam::123456789012:role/etl",
    "arn:aws:sqs:eu-west-1:123456789012:orders",
)
ACTION_PATTERNS = (
    *ACTIONS,
    *"* *:* s3:* S3:GET* s3:*Object s3:?etObject s3:?utObject s?:* iam:* sqs:Send* *:*Object".split(),
)
PLAIN_RESOURCES = (
    *RESOURCES,
    *"* arn:aws:s3:::* arn:aws:s3:::data/* arn:aws:s3:::*/? arn:aws:s3:::d?ta* arn:aws:s3".split(),
    *"arn:*:sqs:*:*:* arn:aws:iam::123456789012:role/* arn:aws:*:*:123456789012:* arn:aws:s3*data/*".split(),
)
VARIABLES = (
    "arn:aws:s3:::data/${aws:username}/*",
    "arn:aws:s3:::${aws:PrincipalTag/team}/*",
    "arn:aws:s3:::data/${*}",
)
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"BoolIfExists": {"aws:SecureTransport": "false"}},
    {"StringEquals": {"aws:PrincipalTag/team": "data"}},
    {"StringNotEquals": {"aws:PrincipalTag/team": "data"}},
    {"StringLikeIfExists": {"aws:PrincipalTag/team": "d*"}},
    {"ForAllValues:StringEquals": {"aws:PrincipalTag/team": "data"}},
    {"ForAnyValue:StringNotLike": {"aws:PrincipalTag/team": "d?ta"}},
    {"Null": {"aws:PrincipalTag/team": "true"}},
    {"StringEquals": {"aws:PrincipalTag/team": "${aws:username}"}},
)


def elements(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2)


@st.composite
def drawn(
    draw: st.DrawFn, resources: tuple[str, ...], conditions: tuple[dict[str, Any], ...]
) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    statement[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(elements(ACTION_PATTERNS))
    statement[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(elements(resources))
    if conditions and draw(st.booleans()):
        statement["Condition"] = draw(st.sampled_from(conditions))
    return statement


def documents(
    resources: tuple[str, ...] = PLAIN_RESOURCES, conditions: tuple[dict[str, Any], ...] = ()
) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(drawn(resources, conditions), max_size=3)
    return several.map(lambda found: {"Version": "2012-10-17", "Statement": found})


def engine_gives(
    document: dict[str, Any], boundary: dict[str, Any] | None, action: str, resource: str
) -> bool:
    limit = Policy("limit", policy.parse(boundary)) if boundary is not None else None
    return bool(policy.grants([Policy("p", policy.parse(document))], action, NONE, limit, on=resource))


@settings(max_examples=200, deadline=None)
@given(documents(), st.none() | documents())
def test_without_conditions_the_engine_says_what_is_allowed_and_nothing_else(
    document: dict[str, Any], boundary: dict[str, Any] | None
) -> None:
    for action in ACTIONS:
        for resource in RESOURCES:
            true = brute.allowed([document], brute.Request(action, resource), boundary)
            said = engine_gives(document, boundary, action, resource)
            assert said or not true, f"{action} on {resource} goes unsaid"
            if said != true:
                # Of AWS's two readings of an ARN, the wider holds for an Allow, the narrower for a Deny.
                assert "arn:aws:s3*data/*" in repr((document, boundary))


@settings(max_examples=200, deadline=None)
@given(
    documents((*PLAIN_RESOURCES, *VARIABLES), CONDITIONS),
    st.none() | documents((*PLAIN_RESOURCES, *VARIABLES), CONDITIONS),
)
def test_whatever_any_request_is_allowed_the_engine_says(
    document: dict[str, Any], boundary: dict[str, Any] | None
) -> None:
    every = list(brute.contexts([document, *([boundary] if boundary else [])]))
    for action in ACTIONS[:3]:
        for resource in RESOURCES[:3]:
            if not engine_gives(document, boundary, action, resource):
                assert not any(
                    brute.allowed([document], brute.Request(action, resource, context), boundary)
                    for context in every
                ), f"{action} on {resource} goes unsaid"


# What stands for all of S3: objects and buckets that no policy here names, beside those that it does.
ALL_OF_S3 = ("arn:aws:s3:::fresh9/x", "arn:aws:s3:::fresh9", *RESOURCES[:3])


@settings(max_examples=200, deadline=None)
@given(documents((*PLAIN_RESOURCES, *VARIABLES), CONDITIONS))
@pytest.mark.parametrize("pattern", ["s3:*", "s3:GetObject"])
def test_what_is_allowed_on_everything_the_engine_says(pattern: str, document: dict[str, Any]) -> None:
    if policy.grants([Policy("p", policy.parse(document))], pattern, NONE):
        return
    actions = ("s3:FreshAction", *ACTIONS[:3]) if pattern == "s3:*" else (pattern,)
    every = list(brute.contexts([document]))
    assert not all(
        any(brute.allowed([document], brute.Request(action, resource, context)) for context in every)
        for action in actions
        for resource in ALL_OF_S3
    )


# -- policies of resources ---------------------------------------------------------------------------

QUEUE = RESOURCES[4]
PRINCIPALS: tuple[Any, ...] = (
    "*",
    {"AWS": "*"},
    {"AWS": "123456789012"},
    {"AWS": ["arn:aws:iam::123456789012:root", "*"]},
    {"AWS": "arn:aws:iam::123456789012:role/etl"},
    {"Service": "sns.amazonaws.com"},
)
WHO = (
    {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    {"StringLike": {"aws:SourceAccount": "*"}},
    {"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}},
    {"StringNotEquals": {"aws:SourceAccount": "123456789012"}},
    {"ForAllValues:StringEquals": {"aws:SourceAccount": "123456789012"}},
    {"Null": {"aws:SourceAccount": "true"}},
    {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::landing"}},
    {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::landing*"}},
    {"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:123456789012:*"}},
    {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:*:orders"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
    {"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}},
    {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "192.0.2.0/24"]}},
    {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
    {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    {"StringEquals": {"acme:tenant": "7"}},
)


@st.composite
def drawn_for_a_resource(draw: st.DrawFn) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    statement[draw(st.sampled_from(["Principal"] * 4 + ["NotPrincipal"]))] = draw(st.sampled_from(PRINCIPALS))
    statement["Action"] = draw(elements(("*", "sqs:*", "sqs:SendMessage", "sqs:Receive*")))
    statement["Resource"] = draw(st.sampled_from(["*", QUEUE, "arn:aws:sqs:*:*:*"]))
    found = draw(st.lists(st.sampled_from(WHO), max_size=2))
    for condition in found:
        statement["Condition"] = {**statement.get("Condition", {}), **condition}
    return statement


RESOURCE_DOCUMENTS = st.lists(drawn_for_a_resource(), min_size=1, max_size=3).map(
    lambda found: {"Version": "2012-10-17", "Statement": found}
)


@settings(max_examples=300, deadline=None)
@given(RESOURCE_DOCUMENTS)
def test_whatever_a_stranger_is_allowed_is_said_to_be_public(document: dict[str, Any]) -> None:
    if policy.exposures(policy.parse(document), policy.is_public):
        return
    stranger = ("AWS", brute.STRANGE["aws:principalarn"])
    for context in brute.contexts([document], policy.WHO):
        for action in ("sqs:SendMessage", "sqs:FreshAction"):
            assert not brute.lets_in(document, brute.Request(action, QUEUE, context, stranger))


@settings(max_examples=200, deadline=None)
@given(RESOURCE_DOCUMENTS)
def test_whatever_a_service_is_allowed_for_a_stranger_is_said_to_be_unbound(document: dict[str, Any]) -> None:
    statements = policy.parse(document)
    if deputies.unbound(deputies.told_apart(statements)) or policy.exposures(statements, policy.is_public):
        return
    strange = policy.WHO - {"aws:principalisawsservice", "aws:principalservicename"}
    for context in brute.contexts([document], strange):
        request = brute.Request("sqs:SendMessage", QUEUE, context, ("Service", "sns.amazonaws.com"))
        assert not brute.lets_in(document, request)


# -- one known value ---------------------------------------------------------------------------------

PASSED = (
    {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
    {"StringLike": {"iam:PassedToService": ["lambda.*", "glue.*"]}},
    {"StringNotEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
    {"StringNotLikeIfExists": {"iam:PassedToService": "*.amazonaws.com"}},
    {"Null": {"iam:PassedToService": "true"}},
    {"StringEqualsIgnoreCase": {"iam:PassedToService": "GLUE.amazonaws.com"}},
)


@settings(max_examples=150, deadline=None)
@given(documents(PLAIN_RESOURCES, PASSED))
@pytest.mark.parametrize("service", ["glue.amazonaws.com", "ec2.amazonaws.com"])
def test_to_one_service_the_engine_says_what_may_be_passed(service: str, document: dict[str, Any]) -> None:
    own = policy.settled(Policy("p", policy.parse(document)), "iam:passedtoservice", service)
    request = brute.Request("iam:PassRole", RESOURCES[3], {"iam:passedtoservice": service})
    said = bool(policy.grants([own], "iam:PassRole", NONE, on=RESOURCES[3]))
    assert said or not brute.allowed([document], request)
    if said != brute.allowed([document], request):
        assert "arn:aws:s3*data/*" in repr(document)
