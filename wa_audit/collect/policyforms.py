"""The auditor's policies as what people deploy: JSON, a CloudFormation template, Terraform.

Each policy is one that IAM takes: `permissions.policies` splits what would be too long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import yaml

_ABOUT = (
    "What wa-audit reads with the selected rules, and nothing else. WaAuditAllRegions is needed by",
    "--all-regions alone. Who is asking, sts:GetCallerIdentity, needs no permission; --role-arn needs",
    "sts:AssumeRole on the role, granted to whoever runs wa-audit.",
)
_COMMENT = "".join(f"# {line}\n" for line in _ABOUT)
_TITLE = "What wa-audit reads"


def as_json(policies: Sequence[dict[str, Any]]) -> str:
    """The policy; a list of them where one would be longer than IAM allows."""
    return json.dumps(policies[0] if len(policies) == 1 else list(policies), indent=2)


def as_cloudformation(policies: Sequence[dict[str, Any]]) -> str:
    """A template of the policies and, where the parameter AuditorAccount is given, a role that has them.

    The role can be assumed from that account alone, with the external id that is given alike.
    """
    names = [f"WaAuditPolicy{_suffix(number, policies)}" for number in range(len(policies))]
    managed = {
        name: {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"Description": _TITLE, "PolicyDocument": policy},
        }
        for name, policy in zip(names, policies, strict=True)
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{_TITLE}, and optionally a read-only role to audit from another account",
        "Parameters": _PARAMETERS,
        "Rules": _RULES,
        "Conditions": {"WithRole": _GIVEN},
        "Resources": {**managed, "WaAuditRole": _role(names)},
        "Outputs": {
            **{f"{name}Arn": {"Value": {"Ref": name}} for name in names},
            "WaAuditRoleArn": {
                "Condition": "WithRole",
                "Description": "For wa-audit's --role-arn",
                "Value": {"Fn::GetAtt": ["WaAuditRole", "Arn"]},
            },
        },
    }
    return _COMMENT + yaml.dump(template, Dumper=_Plain, sort_keys=False, width=100).rstrip()


_GIVEN: dict[str, Any] = {"Fn::Not": [{"Fn::Equals": [{"Ref": "AuditorAccount"}, ""]}]}
_PARAMETERS = {
    "AuditorAccount": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": r"(\d{12})?",
        "Description": "Account that may assume the read-only role; empty for no role",
    },
    "ExternalId": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": r"([\w+=,.@:/-]{2,1224})?",
        "Description": "External id that whoever assumes the role must name, wa-audit's --external-id",
    },
}
# A role without an external id would trust whoever can make the other account act for them:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
_RULES = {
    "RoleHasExternalId": {
        "RuleCondition": _GIVEN,
        "Assertions": [
            {
                "Assert": {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExternalId"}, ""]}]},
                "AssertDescription": "The role needs an ExternalId",
            }
        ],
    }
}


def _role(policies: list[str]) -> dict[str, Any]:
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AuditorAccount}:root"}},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
    }
    return {
        "Type": "AWS::IAM::Role",
        "Condition": "WithRole",
        "Properties": {
            "Description": f"{_TITLE}, and nothing else",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "ManagedPolicyArns": [{"Ref": name} for name in policies],
        },
    }


class _Plain(yaml.SafeDumper):
    """YAML without anchors, which CloudFormation does not take for the same thing in two places."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_terraform(policies: Sequence[dict[str, Any]]) -> str:
    """A policy document and the policy made of it, for each."""
    blocks = [
        _terraform(f"wa_audit{_suffix(number, policies, '_')}", policy)
        for number, policy in enumerate(policies)
    ]
    return _COMMENT + "\n\n".join(blocks)


def _terraform(name: str, policy: dict[str, Any]) -> str:
    lines = [f'data "aws_iam_policy_document" "{name}" {{']
    for number, statement in enumerate(policy["Statement"]):
        lines += [
            *([""] if number else []),
            "  statement {",
            f'    sid       = "{statement["Sid"]}"',
            f'    effect    = "{statement["Effect"]}"',
            f'    resources = ["{statement["Resource"]}"]',
            "    actions = [",
            *(f'      "{action}",' for action in statement["Action"]),
            "    ]",
            "  }",
        ]
    lines += [
        "}",
        "",
        f'resource "aws_iam_policy" "{name}" {{',
        f'  name        = "{name.replace("_", "-")}"',
        f'  description = "{_TITLE}"',
        f"  policy      = data.aws_iam_policy_document.{name}.json",
        "}",
    ]
    return "\n".join(lines)


def _suffix(number: int, policies: Sequence[Any], between: str = "") -> str:
    """Nothing for the only one; else 1, 2, …"""
    return f"{between}{number + 1}" if len(policies) > 1 else ""


FORMS: Mapping[str, Callable[[Sequence[dict[str, Any]]], str]] = MappingProxyType(
    {"json": as_json, "cloudformation": as_cloudformation, "terraform": as_terraform}
)
