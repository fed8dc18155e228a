"""The IAM action behind every operation, and the exact policy that an auditor needs.

Most actions are the operation's own name under IAM's prefix for the service; the tables hold the rest.
Source: the Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

_PREFIXES = {
    "emr": "elasticmapreduce",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
    "s3control": "s3",
}

_ACTIONS = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBucketIntelligentTieringConfigurations": "s3:GetIntelligentTieringConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    # One action for everything about a budget:
    # https://docs.aws.amazon.com/cost-management/latest/userguide/billing-permissions-ref.html
    "budgets:DescribeBudgets": "budgets:ViewBudget",
    "budgets:DescribeNotificationsForBudget": "budgets:ViewBudget",
    "budgets:DescribeSubscribersForNotification": "budgets:ViewBudget",
}


# What AWS does on the caller's behalf within an operation, and demands a permission of its own for.
# https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html: the database's user
# is that of the caller's IAM identity.
_ALSO = {"redshift-data:ExecuteStatement": ("redshift:GetClusterCredentialsWithIAM",)}


def actions(operation: str) -> tuple[str, ...]:
    """Every IAM action that an operation needs, its own first."""
    return action(operation), *_ALSO.get(operation, ())


def refused(operation: str, words: str) -> str:
    """The IAM action that an operation lacks, where AWS says in these words that it was refused."""
    return next((name for name in _ALSO.get(operation, ()) if name in words), action(operation))


def action(operation: str) -> str:
    """The IAM action that `sqs:ListQueues`, boto3's service and the API's operation, needs."""
    if operation in _ACTIONS:
        return _ACTIONS[operation]
    service, _, name = operation.partition(":")
    return f"{_PREFIXES.get(service, service)}:{name}"


# Who is asking needs no permission, and a role is taken on with one that is granted to the caller:
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
NOT_GRANTED = frozenset({"sts:GetCallerIdentity", "sts:AssumeRole"})
ALL_REGIONS = "ec2:DescribeRegions"

# What a managed policy holds, white space not counted:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MOST_CHARACTERS = 6144


def policies(operations: Iterable[str]) -> list[dict[str, Any]]:
    """The managed policies that allow exactly these operations, and the list of regions for `--all-regions`.

    One, but for more actions than a managed policy holds. A service's actions stay together where they can.
    """
    needed = _needed(operations)
    made: list[list[str]] = []
    regions = [{"Sid": "WaAuditAllRegions", "Effect": "Allow", "Action": [ALL_REGIONS], "Resource": "*"}]
    for _, group in groupby(needed, key=lambda name: name.partition(":")[0]):
        for part in _fitting(list(group)):
            if made and _size(_document(made[-1] + part, regions)) <= MOST_CHARACTERS:
                made[-1] += part
            else:
                made.append(part)
    return [_document(part, [] if number else regions) for number, part in enumerate(made or [[]])]


def policy(operations: Iterable[str]) -> dict[str, Any]:
    """One policy that allows these operations, however long it is."""
    return _document(_needed(operations), [])


def _needed(operations: Iterable[str]) -> list[str]:
    return sorted({name for operation in operations for name in actions(operation)})


def _fitting(actions: list[str]) -> list[list[str]]:
    """The actions, halved until each part fits into a policy."""
    if len(actions) < 2 or _size(_document(actions, [])) <= MOST_CHARACTERS // 2:
        return [actions]
    half = len(actions) // 2
    return _fitting(actions[:half]) + _fitting(actions[half:])


def _document(actions: list[str], more: list[dict[str, Any]]) -> dict[str, Any]:
    read = {"Sid": "WaAuditRead", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [read, *more] if actions else more}


def _size(document: dict[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":")))
