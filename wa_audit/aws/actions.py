"""What IAM actions act on: what "all resources" means for each, and which of them move or read data.

Actions, resource types and ARN forms are those of AWS's Service Authorization Reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from wa_audit.aws import wildcards

# Whose ARNs have no region, and of those whose have no account either.
_NO_REGION, _NO_ACCOUNT = frozenset({"iam", "s3"}), frozenset({"s3"})


# Compared as the object that it is: `reach` gives each out once.
@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What "all resources" means for an action: the services and resource parts of the ARNs that it takes.

    A pattern that takes all of any one part is within reach. A region or an account of its own does not make
    it narrower: it is everything there.
    """

    services: tuple[str, ...]
    parts: tuple[str, ...]

    def is_within(self, pattern: str) -> bool:
        """Whether an ARN pattern takes in all of it."""
        return _is_within(self, pattern)

    def ends_in(self, pattern: str) -> bool:
        """Whether nothing of it, in any region or account, lies outside an ARN pattern."""
        _, _, service, region, account, part = wildcards.arn_segments(pattern)
        return all(
            wildcards.covers(service, own)
            and wildcards.covers(region, "" if own in _NO_REGION else "*")
            and wildcards.covers(account, "" if own in _NO_ACCOUNT else "*")
            for own in self.services
        ) and all(wildcards.covers(part, own) for own in self.parts)


@lru_cache(maxsize=16384)
def _is_within(reach_: Reach, pattern: str) -> bool:
    _, _, service, _, _, part = wildcards.arn_segments(pattern)
    return any(wildcards.covers(service, own) for own in reach_.services) and any(
        wildcards.covers(part, own) for own in reach_.parts
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
# Actions that act on less than their service has, or on another's resources.
_ROLES, _USERS, _GROUPS = (Reach(("iam",), (f"{kind}/?*",)) for kind in ("role", "user", "group"))
_INSTANCES = Reach(("ec2", "ssm"), ("instance/?*", "managed-instance/?*"))
_IAM: Mapping[str, Reach] = {
    **dict.fromkeys("passrole attachrolepolicy putrolepolicy updateassumerolepolicy".split(), _ROLES),
    **dict.fromkeys(
        "attachuserpolicy putuserpolicy createaccesskey createloginprofile updateloginprofile".split(), _USERS
    ),
    **dict.fromkeys("attachgrouppolicy putgrouppolicy addusertogroup".split(), _GROUPS),
    **dict.fromkeys("createpolicyversion setdefaultpolicyversion".split(), Reach(("iam",), ("policy/?*",))),
}
_BY_ACTION: Mapping[str, Reach] = {
    **{f"iam:{name}": found for name, found in _IAM.items()},
    "airflow:createweblogintoken": Reach(("airflow",), ("role/?*/?*", "role/?*/Admin")),
    "ec2-instance-connect:sendsshpublickey": Reach(("ec2",), ("instance/?*",)),
    "ecs:executecommand": Reach(("ecs",), ("task/?*/?*", "cluster/?*")),
    "emr-containers:startjobrun": Reach(("emr-containers",), ("/virtualclusters/?*",)),
    "glue:putresourcepolicy": Reach(("glue",), ("catalog",)),
    "s3:putaccesspointpolicy": Reach(("s3",), ("accesspoint/?*",)),
    "sagemaker:createpresignednotebookinstanceurl": Reach(("sagemaker",), ("notebook-instance/?*",)),
    "ssm:sendcommand": _INSTANCES,
    "ssm:startsession": _INSTANCES,
}
# fmt: on


@lru_cache(maxsize=1024)
def reach(action: str) -> Reach:
    """What all resources are for an action, or for all actions of a service (`s3:*`)."""
    action = action.lower()
    if action in _BY_ACTION:
        return _BY_ACTION[action]
    service, _, name = action.partition(":")
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
