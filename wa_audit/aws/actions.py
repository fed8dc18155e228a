"""What IAM actions act on: what "all resources" means for each, and which of them move or read data.

Actions, resource types and ARN forms are those of AWS's Service Authorization Reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from wa_audit.aws import wildcards


@dataclass(frozen=True, slots=True)
class Reach:
    """What "all resources" means for an action: the services and resource parts of the ARNs that it takes.

    A pattern that takes all of any one part is within reach. A region or an account of its own does not make
    it narrower: it is everything there.
    """

    services: tuple[str, ...]
    parts: tuple[str, ...]

    def is_within(self, pattern: str) -> bool:
        """Whether an ARN pattern takes in all of it."""
        _, _, service, _, _, part = wildcards.arn_segments(pattern)
        return any(wildcards.covers(service, own) for own in self.services) and any(
            wildcards.covers(part, own) for own in self.parts
        )


EVERYTHING = Reach(("?*",), ("?*",))

# fmt: off
_PARTS: Mapping[str, Reach] = {
    "dynamodb":         Reach(("dynamodb",), ("table/?*",)),
    "ec2":              Reach(("ec2",), ("instance/?*", "security-group/?*", "network-interface/?*")),
    "elasticmapreduce": Reach(("elasticmapreduce",), ("cluster/?*",)),
    "firehose":         Reach(("firehose",), ("deliverystream/?*",)),
    "glue":             Reach(("glue",), ("table/?*/?*", "job/?*", "connection/?*")),
    "iam":              Reach(("iam",), ("role/?*", "user/?*", "group/?*", "policy/?*")),
    "kinesis":          Reach(("kinesis",), ("stream/?*",)),
    "kms":              Reach(("kms",), ("key/?*",)),
    "lambda":           Reach(("lambda",), ("function:?*",)),
    "logs":             Reach(("logs",), ("log-group:?*",)),
    "redshift":         Reach(("redshift",), ("cluster:?*", "namespace:?*", "dbuser:?*/?*")),
    "redshift-data":    Reach(("redshift", "redshift-serverless"), ("cluster:?*", "workgroup/?*")),
    "s3":               Reach(("s3",), ("?*", "?*/?*")),
    "secretsmanager":   Reach(("secretsmanager",), ("secret:?*",)),
    "states":           Reach(("states",), ("stateMachine:?*",)),
    "sts":              Reach(("iam",), ("role/?*",)),
}
# What an action of Glue acts on, by the end of its name; any other acts on tables.
_GLUE: Mapping[str, str] = {
    "connection": "connection/?*",
    "crawler": "crawler/?*",
    "database": "database/?*",
    "job": "job/?*",
    "registry": "registry/?*",
    "schema": "schema/?*",
    "trigger": "trigger/?*",
    "userdefinedfunction": "userDefinedFunction/?*/?*",
    "workflow": "workflow/?*",
}
# fmt: on


@lru_cache(maxsize=4096)
def reach(action: str) -> Reach:
    """What all resources are for an action, or for all actions of a service (`s3:*`)."""
    service, _, name = action.lower().partition(":")
    if (service, name) == ("iam", "passrole"):
        return Reach(("iam",), ("role/?*",))
    if service == "glue" and name.strip("*?"):
        part = next((part for end, part in _GLUE.items() if name.endswith(end)), "table/?*/?*")
        return Reach(("glue",), (part,))
    # Queues, topics and whatever else has no word for its type before its name.
    return _PARTS.get(service) or Reach((service,), ("?*",))


# Actions that write, delete or decrypt data, or read a secret, all of which can be given on single resources.
# Those that cannot (lakeformation:GetDataAccess, cloudwatch:PutMetricData, xray:Put*, s3:ListAllMyBuckets,
# sts:GetCallerIdentity, ec2:Describe* and ec2:CreateNetworkInterface with its kin, and Glue's actions on
# classifiers and security configurations) need Resource "*" and are not here.
DATA_ACTIONS = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "glue:BatchDeleteConnection",
    "glue:BatchDeletePartition",
    "glue:BatchDeleteTable",
    "glue:BatchDeleteTableVersion",
    "glue:BatchUpdatePartition",
    "glue:DeleteConnection",
    "glue:DeleteCrawler",
    "glue:DeleteDatabase",
    "glue:DeleteJob",
    "glue:DeletePartition",
    "glue:DeletePartitionIndex",
    "glue:DeleteRegistry",
    "glue:DeleteSchema",
    "glue:DeleteTable",
    "glue:DeleteTableVersion",
    "glue:DeleteTrigger",
    "glue:DeleteUserDefinedFunction",
    "glue:DeleteWorkflow",
    "glue:UpdateConnection",
    "glue:UpdateCrawler",
    "glue:UpdateDatabase",
    "glue:UpdateJob",
    "glue:UpdatePartition",
    "glue:UpdateRegistry",
    "glue:UpdateSchema",
    "glue:UpdateTable",
    "glue:UpdateTrigger",
    "glue:UpdateUserDefinedFunction",
    "glue:UpdateWorkflow",
    "kinesis:PutRecord",
    "kinesis:PutRecords",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "redshift-data:ExecuteStatement",
    "s3:DeleteObject",
    "s3:PutObject",
    "secretsmanager:GetSecretValue",
    "sqs:SendMessage",
)
