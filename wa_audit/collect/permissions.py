"""The IAM action behind every operation, and the exact policy that an auditor needs.

Most actions are the operation's own name under IAM's prefix for the service; the tables hold the rest.
Source: the Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_PREFIXES = {
    "emr": "elasticmapreduce",
    "opensearch": "es",
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


def action(operation: str) -> str:
    """The IAM action that `sqs:ListQueues`, boto3's service and the API's operation, needs."""
    if operation in _ACTIONS:
        return _ACTIONS[operation]
    service, _, name = operation.partition(":")
    return f"{_PREFIXES.get(service, service)}:{name}"


def policy(operations: Iterable[str]) -> dict[str, Any]:
    """The identity policy that allows exactly these operations."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "WaAuditRead",
                "Effect": "Allow",
                "Action": sorted({action(operation) for operation in operations}),
                "Resource": "*",
            }
        ],
    }
