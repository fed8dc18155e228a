"""Policy documents: a table of statements, each with what it is and why."""

from __future__ import annotations

from typing import Any

import pytest

from wa_audit.aws import actions, conditions, policy
from wa_audit.aws.conditions import Narrowing
from wa_audit.aws.policy import Caller, Policy, Principal

OWN = "123456789012"
ORG = "o-a1b2c3d4e5"


def allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", **elements}


def deny(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "*", "Resource": "*", **elements}


def without(statement: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name not in names}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def identity(*statements: dict[str, Any], name: str = "inline") -> Policy:
    return Policy(name, policy.parse(document(*statements)))


# -- reading -----------------------------------------------------------------------------------------


def test_scalars_and_lists_are_read_alike() -> None:
    scalar = {"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": "*"}}
    listed = {
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"], "Principal": {"AWS": ["*"]}}
        ]
    }
    assert policy.parse(scalar) == policy.parse(listed)


def test_documents_that_say_the_same_are_taken_apart_once() -> None:
    assert policy.parse(document(allow(Sid="once"))) is policy.parse(document(allow(Sid="once")))


def test_a_document_that_has_changed_is_taken_apart_anew() -> None:
    changing = document(allow(Action="s3:GetObject"))
    assert policy.parse(changing)[0].actions == ("s3:GetObject",)
    changing["Statement"].append(deny(Action="s3:*"))
    assert [statement.allows for statement in policy.parse(changing)] == [True, False]


def test_a_document_that_json_cannot_hold_is_read_all_the_same() -> None:
    (statement,) = policy.parse(document(allow(Sid=object(), Action="s3:GetObject")))
    assert statement.actions == ("s3:GetObject",)


@pytest.mark.parametrize("wrong", ["*", ["*"], 1])
def test_what_is_no_document_is_refused_by_its_type(wrong: object) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=f"a mapping, not {type(wrong).__name__}"):
            policy.parse(wrong)


def test_every_element_is_read() -> None:
    (statement,) = policy.parse(
        document(
            {
                "Sid": "Mixed",
                "Effect": "Deny",
                "NotAction": "IAM:*",
                "NotResource": ["arn:aws:s3:::data"],
                "NotPrincipal": {"AWS": OWN, "Service": ["sns.amazonaws.com"]},
                "Condition": {"ForAnyValue:StringLikeIfExists": {"AWS:PrincipalOrgPaths": "o-1/*"}},
            }
        )
    )
    assert statement.label == "Mixed"
    assert (statement.allows, statement.other_actions, statement.other_resources) == (False, True, True)
    assert statement.actions == ("IAM:*",)
    assert statement.principals == (Principal("AWS", OWN), Principal("Service", "sns.amazonaws.com"))
    assert statement.callers == (policy.EVERYONE,)
    (condition,) = statement.conditions
    assert condition == conditions.Condition(
        "stringlike", "aws:principalorgpaths", ("o-1/*",), "foranyvalue", if_exists=True
    )


def test_booleans_and_numbers_in_conditions_become_text() -> None:
    (statement,) = policy.parse(
        document(
            allow(
                Condition={"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:TlsVersion": 1.2}}
            )
        )
    )
    assert [c.values for c in statement.conditions] == [("false",), ("1.2",)]


def test_a_statement_without_sid_is_called_by_its_place() -> None:
    assert [s.label for s in policy.parse(document(allow(), allow(Sid="b")))] == ["#1", "b"]


def test_no_document_has_no_statements() -> None:
    assert policy.parse(None) == ()
    assert policy.parse({}) == ()


@pytest.mark.parametrize("strange", ["{}", [], {"Statement": ["x"]}, {"Statement": [{"Action": "*"}]}])
def test_what_is_no_policy_is_refused(strange: object) -> None:
    with pytest.raises(ValueError, match="policy document"):
        policy.parse(strange)


# -- principals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "value", "kind", "account"),
    [
        ("AWS", "*", Caller.PUBLIC, ""),
        ("Federated", "*", Caller.PUBLIC, ""),
        ("AWS", "arn:aws:iam::*:root", Caller.PUBLIC, ""),
        ("AWS", OWN, Caller.ACCOUNT, OWN),
        ("AWS", f"arn:aws:iam::{OWN}:root", Caller.ACCOUNT, OWN),
        ("AWS", f"arn:aws-cn:iam::{OWN}:role/etl", Caller.ACCOUNT, OWN),
        ("AWS", f"arn:aws:sts::{OWN}:assumed-role/etl/session", Caller.ACCOUNT, OWN),
        ("AWS", "AROAEXAMPLEID12345678", Caller.DELETED, ""),
        ("AWS", "AIDAEXAMPLEID12345678", Caller.DELETED, ""),
        ("AWS", "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", Caller.OTHER, ""),
        ("Service", "glue.amazonaws.com", Caller.SERVICE, ""),
        ("Federated", f"arn:aws:iam::{OWN}:saml-provider/corp", Caller.FEDERATED, OWN),
        (
            "CanonicalUser",
            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be",
            Caller.CANONICAL,
            "",
        ),
    ],
)
def test_principals(type_: str, value: str, kind: Caller, account: str) -> None:
    assert (Principal(type_, value).kind, Principal(type_, value).account) == (kind, account)


@pytest.mark.parametrize(
    ("value", "root"),
    [(OWN, True), (f"arn:aws:iam::{OWN}:root", True), (f"arn:aws:iam::{OWN}:role/a", False)],
)
def test_account_roots(value: str, root: bool) -> None:
    assert Principal("AWS", value).is_account_root is root


# -- conditions --------------------------------------------------------------------------------------

R, V, U = Narrowing.RESTRICTIVE, Narrowing.VACUOUS, Narrowing.UNKNOWN


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param({}, V, id="no condition"),
        # who, by account and organization
        pytest.param({"StringEquals": {"aws:SourceAccount": OWN}}, R, id="a source account"),
        pytest.param({"StringEquals": {"AWS:SOURCEACCOUNT": OWN}}, R, id="keys know no case"),
        pytest.param({"StringLike": {"aws:SourceAccount": "*"}}, V, id="any source account"),
        pytest.param({"StringLike": {"aws:SourceAccount": "????????????"}}, V, id="any twelve digits"),
        pytest.param({"StringEquals": {"aws:SourceAccount": "*"}}, R, id="StringEquals knows no wildcard"),
        pytest.param(
            {"StringLike": {"aws:SourceAccount": [OWN, "*"]}}, V, id="one open alternative opens all"
        ),
        pytest.param({"StringEquals": {"AWS:SourceOwner": OWN}}, R, id="the default policy of a topic"),
        pytest.param({"StringEquals": {"aws:PrincipalOrgID": ORG}}, R, id="an organization"),
        pytest.param({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, V, id="any organization"),
        pytest.param(
            {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}}, V, id="IfExists lets the anonymous in"
        ),
        pytest.param(
            {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}, "Null": {"aws:PrincipalOrgID": "false"}},
            R,
            id="IfExists on a key that must be there",
        ),
        pytest.param({"Null": {"aws:PrincipalOrgID": "false"}}, V, id="any organization at all"),
        pytest.param({"Null": {"aws:PrincipalOrgID": "true"}}, V, id="no organization"),
        pytest.param({"StringNotEquals": {"aws:PrincipalOrgID": ORG}}, V, id="all but an organization"),
        pytest.param({"ForAllValues:StringEquals": {"aws:SourceAccount": OWN}}, V, id="ForAllValues of none"),
        pytest.param(
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/r-ab12/*"}},
            R,
            id="a part of an organization",
        ),
        pytest.param({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-*"}}, V, id="parts of any"),
        pytest.param({"StringEquals": {"kms:CallerAccount": OWN}}, R, id="a key's caller"),
        pytest.param(
            {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}, V, id="via, not who"
        ),
        pytest.param(
            {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com", "kms:CallerAccount": OWN}},
            R,
            id="via and who",
        ),
        # who, by ARN
        pytest.param({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::landing"}}, R, id="a bucket"),
        pytest.param(
            {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:landing"}},
            R,
            id="a bucket, as AWS's guides have it",
        ),
        pytest.param({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}, V, id="any bucket of anyone"),
        pytest.param({"ArnEquals": {"aws:SourceArn": "*"}}, V, id="ArnEquals knows wildcards"),
        pytest.param({"StringLike": {"aws:SourceArn": "arn:aws:sns:*"}}, V, id="any topic of anyone"),
        pytest.param(
            {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:orders"}}, V, id="anyone's topic of a name"
        ),
        pytest.param(
            {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{OWN}:*"}}, R, id="any topic of an account"
        ),
        pytest.param({"StringLike": {"aws:SourceArn": "arn:aws:*:*:*:*"}}, V, id="any ARN"),
        pytest.param({"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/etl"}}, R, id="a role"),
        pytest.param(
            {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/etl"}}, V, id="anyone's role of a name"
        ),
        pytest.param({"StringLike": {"aws:userid": "AROAEXAMPLEID:*"}}, R, id="sessions of a role"),
        pytest.param({"StringLike": {"aws:userid": "*:etl"}}, V, id="sessions of a name"),
        # who, by network
        pytest.param({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, R, id="an office"),
        pytest.param({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, V, id="the internet"),
        pytest.param(
            {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}, V, id="the internet in halves"
        ),
        pytest.param({"IpAddress": {"aws:SourceIp": "::/0"}}, V, id="the other internet"),
        pytest.param({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, V, id="all but an office"),
        pytest.param({"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}, R, id="an endpoint"),
        pytest.param({"StringLike": {"aws:SourceVpce": "vpce-*"}}, V, id="any endpoint"),
        pytest.param({"StringEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}}, R, id="a VPC"),
        pytest.param(
            {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}}, V, id="an address that every VPC can have"
        ),
        # neither who nor what
        pytest.param({"Bool": {"aws:SecureTransport": "true"}}, V, id="everybody who speaks TLS"),
        pytest.param({"StringLike": {"aws:Referer": "https://example.org/*"}}, V, id="a header"),
        pytest.param({"StringEquals": {"aws:PrincipalTag/team": "data"}}, V, id="a tag that anyone can bear"),
        pytest.param({"StringEquals": {"aws:ResourceTag/team": "data"}}, V, id="what, not who"),
        pytest.param({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}, V, id="a header of S3"),
        pytest.param({"Bool": {"aws:PrincipalIsAWSService": "true"}}, R, id="AWS services alone"),
        pytest.param({"Bool": {"aws:PrincipalIsAWSService": "false"}}, V, id="all but AWS services"),
        # not understood
        pytest.param({"StringEquals": {"acme:tenant": "7"}}, U, id="a key that no table has"),
        pytest.param({"StringLike": {"acme:tenant": "*"}}, V, id="any value of such a key"),
        pytest.param({"NumericEquals": {"aws:SourceAccount": OWN}}, U, id="an operator that does not fit"),
        pytest.param(
            {"StringEquals": {"acme:tenant": "7", "aws:SourceAccount": OWN}},
            R,
            id="one that narrows suffices",
        ),
    ],
)
def test_who(block: dict[str, Any], expected: Narrowing) -> None:
    assert conditions.narrowing(conditions.parse(block), policy.WHO) is expected


@pytest.mark.parametrize(
    ("block", "keys", "expected"),
    [
        pytest.param({"StringEquals": {"aws:ResourceTag/team": "data"}}, policy.WHAT, R, id="a tag"),
        pytest.param({"StringLike": {"aws:ResourceTag/team": "*"}}, policy.WHAT, V, id="any value of a tag"),
        pytest.param(
            {"StringEqualsIfExists": {"aws:ResourceTag/team": "data"}}, policy.WHAT, V, id="or no tag"
        ),
        pytest.param(
            {"StringEqualsIfExists": {"aws:ResourceAccount": OWN}}, policy.WHAT, R, id="always there"
        ),
        pytest.param(
            {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}, policy.WHAT, R, id="via a service"
        ),
        pytest.param(
            {"StringLike": {"kms:ViaService": "*.amazonaws.com"}}, policy.WHAT, V, id="via any service"
        ),
        pytest.param(
            {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["a"]}},
            policy.WHAT,
            R,
            id="items of a key",
        ),
        pytest.param({"StringEquals": {"kms:EncryptionContext:app": "etl"}}, policy.WHAT, R, id="a context"),
        pytest.param({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, policy.WHAT, V, id="who, not what"),
        pytest.param(
            {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
            policy.PASSED_TO,
            R,
            id="a service",
        ),
        pytest.param({"StringLike": {"iam:PassedToService": "*"}}, policy.PASSED_TO, V, id="any service"),
        pytest.param(
            {"StringLike": {"iam:PassedToService": "*.amazonaws.com"}},
            policy.PASSED_TO,
            V,
            id="any, spelt out",
        ),
        pytest.param(
            {"StringEqualsIfExists": {"iam:PassedToService": "glue.amazonaws.com"}},
            policy.PASSED_TO,
            R,
            id="PassRole always says to whom",
        ),
    ],
)
def test_what(block: dict[str, Any], keys: frozenset[str], expected: Narrowing) -> None:
    assert conditions.narrowing(conditions.parse(block), keys) is expected


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("repo:acme/etl:*", R),
        ("repo:acme/*", R),
        ("repo:*", V),
        ("*", V),
        ("system:serviceaccount:data:etl", R),
    ],
)
def test_federated_subjects(subject: str, expected: Narrowing) -> None:
    key = "token.actions.githubusercontent.com:sub"
    block = {"StringLike": {key: subject}}
    assert conditions.narrowing(conditions.parse(block), frozenset({key})) is expected


@pytest.mark.parametrize(
    ("block", "complement"),
    [
        ({"StringNotEquals": {"aws:PrincipalOrgID": ORG}}, {"StringEquals": {"aws:PrincipalOrgID": ORG}}),
        (
            {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG}},
            {"StringEquals": {"aws:PrincipalOrgID": ORG}},
        ),
        ({"NotIpAddress": {"aws:SourceIp": "1.2.3.0/24"}}, {"IpAddress": {"aws:SourceIp": "1.2.3.0/24"}}),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"BoolIfExists": {"aws:SecureTransport": "true"}}),
        ({"BoolIfExists": {"aws:SecureTransport": "false"}}, {"Bool": {"aws:SecureTransport": "true"}}),
        ({"Null": {"aws:SourceArn": "true"}}, {"Null": {"aws:SourceArn": "false"}}),
        (
            {"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": "o-1/*"}},
            {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}},
        ),
        ({"StringEquals": {"aws:SourceAccount": OWN}}, {}),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, {}),
    ],
)
def test_complements(block: dict[str, Any], complement: dict[str, Any]) -> None:
    (condition,) = conditions.parse(block)
    assert [c for c in [conditions.complement(condition)] if c] == list(conditions.parse(complement))


# -- reach -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "resource", "everything"),
    [
        ("s3:*", "*", True),
        ("s3:*", "arn:aws:s3:::*", True),
        ("s3:PutObject", "arn:aws:s3:::*/*", True),
        ("s3:PutObject", "arn:*:s3:::*", True),
        ("s3:PutObject", "arn:aws:s3:::data/*", False),
        ("s3:PutObject", "arn:aws:s3:::data-*/*", False),
        ("s3:PutObject", "arn:aws:sqs:*:*:*", False),
        ("sqs:*", "arn:*:sqs:*:*:*", True),
        ("sqs:*", f"arn:aws:sqs:eu-west-1:{OWN}:*", True),
        ("sqs:*", f"arn:aws:sqs:eu-west-1:{OWN}:orders", False),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/*", True),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table*", True),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/orders*", False),
        ("iam:PassRole", "*", True),
        ("iam:PassRole", "arn:aws:iam::*:role/*", True),
        ("iam:PassRole", f"arn:aws:iam::{OWN}:*", True),
        ("iam:PassRole", f"arn:aws:iam::{OWN}:role/service-role/*", False),
        ("iam:PassRole", "arn:aws:iam::*:user/*", False),
        ("glue:DeleteTable", "arn:aws:glue:*:*:table/*", True),
        ("glue:DeleteTable", "arn:aws:glue:*:*:table/sales/*", False),
        ("glue:DeleteTable", "arn:aws:glue:*:*:database/*", False),
        ("glue:DeleteDatabase", "arn:aws:glue:*:*:database/*", True),
        ("glue:UpdateUserDefinedFunction", "arn:aws:glue:*:*:userDefinedFunction/*", True),
        ("kms:Decrypt", f"arn:aws:kms:eu-west-1:{OWN}:key/*", True),
        ("kms:Decrypt", f"arn:aws:kms:eu-west-1:{OWN}:key/1234abcd", False),
        ("redshift-data:ExecuteStatement", "arn:aws:redshift:*:*:cluster:*", True),
        ("sts:*", "arn:aws:iam::*:role/*", True),
        ("states:*", "arn:aws:states:*:*:stateMachine:*", True),
        ("airflow:*", "arn:aws:airflow:*:*:*", True),
    ],
)
def test_what_all_resources_are(action: str, resource: str, everything: bool) -> None:
    assert actions.reach(action).is_within(resource) is everything


# -- what an identity is given -----------------------------------------------------------------------

NONE = frozenset[str]()


@pytest.mark.parametrize(
    ("statements", "action", "given"),
    [
        pytest.param([allow(Action="s3:*")], "s3:*", True, id="as written"),
        pytest.param([allow(Action="S3:*")], "s3:*", True, id="actions know no case"),
        pytest.param([allow(Action="*")], "s3:*", True, id="all of everything"),
        pytest.param([allow(Action="*:*")], "s3:*", True, id="all of everything, spelt out"),
        pytest.param([allow(Action="s3:?*")], "s3:*", True, id="no action has an empty name"),
        pytest.param([allow(Action="s3:Get*")], "s3:*", False, id="a part"),
        pytest.param([allow(Action="s3:Put*")], "s3:PutObject", True, id="one of a part"),
        pytest.param([allow(Action="s3:PutObjec?")], "s3:PutObject", True, id="a question mark"),
        pytest.param([allow(Action=["sqs:*", "s3:*"])], "s3:*", True, id="one of a list"),
        pytest.param([without(allow(NotAction="iam:*"), "Action")], "s3:*", True, id="all but others"),
        pytest.param([without(allow(NotAction="s3:*"), "Action")], "s3:*", False, id="all but these"),
        pytest.param(
            [without(allow(NotAction="s3:Delete*"), "Action")], "s3:*", False, id="all but some of these"
        ),
        pytest.param(
            [without(allow(NotAction="s3:Delete*"), "Action")], "s3:PutObject", True, id="not that one"
        ),
        pytest.param([allow(Action="s3:*", Resource="arn:aws:s3:::data/*")], "s3:*", False, id="a bucket"),
        pytest.param(
            [allow(Action="s3:*", Resource=["arn:aws:s3:::data/*", "arn:aws:s3:::*"])],
            "s3:*",
            True,
            id="and all",
        ),
        pytest.param(
            [without(allow(Action="s3:*", NotResource="arn:aws:s3:::secret/*"), "Resource")],
            "s3:*",
            True,
            id="all buckets but one",
        ),
        pytest.param(
            [without(allow(Action="s3:*", NotResource="arn:aws:s3:::*"), "Resource")],
            "s3:*",
            False,
            id="but all",
        ),
        pytest.param([allow(Action="s3:*"), deny(Action="s3:*")], "s3:*", False, id="denied"),
        pytest.param([allow(Action="s3:*"), deny()], "s3:*", False, id="denied with all"),
        pytest.param([allow(Action="s3:*"), deny(Action="s3:Delete*")], "s3:*", True, id="denied in part"),
        pytest.param(
            [allow(Action="s3:*"), deny(Action="s3:Delete*")],
            "s3:DeleteObject",
            False,
            id="that one is denied",
        ),
        pytest.param(
            [allow(Action="s3:*"), deny(Action="s3:*", Resource="arn:aws:s3:::secret/*")],
            "s3:*",
            True,
            id="denied on one bucket",
        ),
        pytest.param(
            [
                allow(Action="s3:*"),
                deny(Action="s3:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
            ],
            "s3:*",
            True,
            id="denied under a condition",
        ),
        pytest.param(
            [allow(Action="s3:*"), without(deny(NotAction="sqs:*"), "Action")],
            "s3:*",
            False,
            id="denied by NotAction",
        ),
        pytest.param(
            [allow(Action="s3:*"), without(deny(NotAction="s3:Get*"), "Action")],
            "s3:*",
            True,
            id="but for some",
        ),
        pytest.param(
            [allow(Action="s3:*"), without(deny(NotResource="arn:aws:s3:::data/*"), "Resource")],
            "s3:*",
            False,
            id="denied elsewhere: what is left is one bucket",
        ),
        pytest.param([deny(Action="s3:*")], "s3:*", False, id="a Deny gives nothing"),
    ],
)
def test_grants(statements: list[dict[str, Any]], action: str, given: bool) -> None:
    assert bool(policy.grants([identity(*statements)], action, NONE)) is given


@pytest.mark.parametrize(
    ("statements", "given"),
    [
        pytest.param([allow()], "*", id="AdministratorAccess"),
        pytest.param(
            [without(allow(NotAction=["iam:*", "account:*"]), "Action")], "NotAction", id="PowerUserAccess"
        ),
        pytest.param([without(allow(NotAction="*"), "Action")], "", id="all but all is nothing"),
        pytest.param([allow(Action="iam:*")], "iam:*", id="IAMFullAccess"),
        pytest.param([allow(Action="i*")], "i*", id="IAM and more"),
        pytest.param([allow(Action="iam:Get*")], "", id="reading IAM"),
        pytest.param([allow(Action="s3:*")], "", id="one service"),
        pytest.param([allow(Resource="arn:aws:s3:::*")], "", id="all actions, on buckets"),
        pytest.param([allow(Resource="arn:aws:*:*:*:*")], "*", id="all resources, spelt out"),
        pytest.param([allow(), deny(Action="iam:*")], "*", id="all but IAM is still no end"),
        pytest.param(
            [allow(), without(deny(NotAction="s3:*"), "Action")], "", id="a Deny that leaves one service"
        ),
        pytest.param([allow(), without(deny(NotAction="iam:*"), "Action")], "*", id="a Deny that leaves IAM"),
        pytest.param([allow(), deny()], "", id="all and nothing"),
        pytest.param(
            [allow(Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})], "*", id="in a region"
        ),
    ],
)
def test_full_grants(statements: list[dict[str, Any]], given: str) -> None:
    found = policy.full_grants([identity(*statements)], policy.WHAT)
    assert (found[0].action if found else "") == given


@pytest.mark.parametrize(
    ("boundary", "action", "given"),
    [
        pytest.param([allow()], "s3:*", True, id="bounds nothing"),
        pytest.param([allow(Action=["s3:*", "logs:*"])], "s3:*", True, id="bounds others"),
        pytest.param([allow(Action="s3:Get*")], "s3:*", False, id="bounds the actions"),
        pytest.param([allow(Resource="arn:aws:s3:::data/*")], "s3:*", False, id="bounds the resources"),
        pytest.param([allow(), deny(Action="s3:*")], "s3:*", False, id="denies"),
        pytest.param([], "s3:*", False, id="an empty boundary gives nothing"),
        pytest.param(
            [allow(Condition={"StringEquals": {"aws:ResourceTag/a": "b"}})], "s3:*", False, id="by tag"
        ),
    ],
)
def test_boundaries(boundary: list[dict[str, Any]], action: str, given: bool) -> None:
    found = policy.grants([identity(allow())], action, policy.WHAT, identity(*boundary))
    assert bool(found) is given


def test_a_boundary_by_notaction_bounds_what_it_leaves_out() -> None:
    boundary = identity(without(allow(NotAction="iam:*"), "Action"))
    assert policy.full_grants([identity(allow())], NONE, boundary)
    assert not policy.full_grants([identity(allow(Action="iam:*"))], NONE, boundary)
    assert not policy.full_grants([identity(allow())], NONE, identity(allow(Action=["s3:*", "glue:*"])))


def test_a_deny_in_one_policy_takes_from_another() -> None:
    policies = [identity(allow(Action="s3:*")), identity(deny(), name="AWSDenyAll")]
    assert not policy.grants(policies, "s3:*", NONE)


def test_a_condition_that_is_not_known_leaves_a_doubt() -> None:
    doubtful = allow(Action="s3:*", Condition={"StringEquals": {"acme:tenant": "7"}})
    (grant,) = policy.grants([identity(doubtful)], "s3:*", policy.WHAT)
    assert grant.doubtful
    (grant,) = policy.grants([identity(allow())], "s3:*", policy.WHAT, identity(doubtful))
    assert grant.doubtful


def test_a_deny_of_what_lies_outside_the_account_narrows_as_an_allow_within_it() -> None:
    outside = deny(Action="kms:*", Condition={"StringNotEquals": {"aws:ResourceAccount": OWN}})
    policies = [identity(allow(Action="kms:Decrypt"), outside)]
    assert policy.grants(policies, "kms:Decrypt", NONE)
    assert not policy.grants(policies, "kms:Decrypt", policy.WHAT)


def test_a_grant_on_some_resource_counts_where_asked_for() -> None:
    own = [identity(allow(Action="logs:*", Resource="arn:aws:logs:*:*:log-group:/aws/etl:*"))]
    assert not policy.grants(own, "logs:*", NONE)
    (grant,) = policy.grants(own, "logs:*", NONE, everywhere=False)
    assert grant.resource == "arn:aws:logs:*:*:log-group:/aws/etl:*"


@pytest.mark.parametrize(
    ("arn", "known"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", True),
        ("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", False),
        (f"arn:aws:iam::{OWN}:policy/AdministratorAccess", False),
    ],
)
def test_policies_known_by_name(arn: str, known: bool) -> None:
    assert (policy.by_name(arn) is not None) is known


# -- to whom a resource is open ----------------------------------------------------------------------

EVERYONE = {"Principal": "*"}
IN_ORG = {"StringEquals": {"aws:PrincipalOrgID": ORG}}
NOT_IN_ORG = {"StringNotEquals": {"aws:PrincipalOrgID": ORG}}


@pytest.mark.parametrize(
    ("statements", "exposed"),
    [
        pytest.param([allow(Principal="*")], True, id="everyone"),
        pytest.param([allow(Principal={"AWS": "*"})], True, id="everyone, with a type"),
        pytest.param([allow(Principal={"AWS": [OWN, "*"]})], True, id="everyone among others"),
        pytest.param([allow(NotPrincipal={"AWS": OWN})], True, id="everyone but one"),
        pytest.param([allow(Principal={"AWS": OWN})], False, id="an account"),
        pytest.param([allow(Principal={"Service": "sns.amazonaws.com"})], False, id="a service"),
        pytest.param([deny(Principal="*")], False, id="a Deny opens nothing"),
        pytest.param([allow(Principal="*", Condition=IN_ORG)], False, id="the organization"),
        pytest.param([allow(Principal="*"), deny(Principal="*")], False, id="opened and shut"),
        pytest.param([allow(Principal="*"), deny(Principal={"AWS": OWN})], True, id="shut for one"),
        pytest.param([allow(Principal="*"), deny(NotPrincipal={"AWS": OWN})], False, id="shut but for one"),
        pytest.param(
            [allow(Principal="*"), deny(NotPrincipal={"AWS": [OWN, "*"]})], True, id="shut but for all"
        ),
        pytest.param(
            [allow(Principal="*"), deny(Principal="*", Action="sqs:Send*")], True, id="shut in part"
        ),
        pytest.param(
            [allow(Principal="*", Action="sqs:SendMessage"), deny(Principal="*", Action="sqs:Send*")],
            False,
            id="shut for what was opened",
        ),
        pytest.param(
            [allow(Principal="*"), deny(Principal="*", Condition=NOT_IN_ORG)],
            False,
            id="shut outside the organization",
        ),
        pytest.param(
            [
                allow(Principal="*"),
                deny(Principal="*", Condition={**NOT_IN_ORG, "Bool": {"aws:SecureTransport": "false"}}),
            ],
            True,
            id="shut outside the organization without TLS",
        ),
        pytest.param(
            [
                allow(Principal="*"),
                deny(
                    Principal="*",
                    Condition={**NOT_IN_ORG, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
                ),
            ],
            False,
            id="shut outside the organization and AWS",
        ),
        pytest.param(
            [allow(Principal="*"), deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})],
            True,
            id="TLS alone",
        ),
        pytest.param(
            [allow(Principal="*", Condition=IN_ORG), allow(Principal="*")], True, id="one open suffices"
        ),
    ],
)
def test_public_exposures(statements: list[dict[str, Any]], exposed: bool) -> None:
    assert bool(policy.exposures(policy.parse(document(*statements)), policy.is_public)) is exposed


def test_an_exposure_names_its_statement_and_caller() -> None:
    statements = policy.parse(
        document(allow(Sid="Own", Principal={"AWS": OWN}), allow(Sid="Open", Principal={"AWS": [OWN, "*"]}))
    )
    (exposure,) = policy.exposures(statements, policy.is_public)
    assert (exposure.statement.label, exposure.principal, exposure.doubtful) == (
        "Open",
        policy.EVERYONE,
        False,
    )


def test_an_exposure_under_a_condition_that_is_not_known_is_doubtful() -> None:
    statements = policy.parse(document(allow(**EVERYONE, Condition={"StringEquals": {"acme:tenant": "7"}})))
    (exposure,) = policy.exposures(statements, policy.is_public)
    assert exposure.doubtful
