"""The warehouse and its neighbours: Redshift, a Kafka cluster, search, and what is written down of it all.

Each stands twice: as it was built last year by somebody who had read the documentation, and as it was built
five years ago by somebody in a hurry.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.awsrequest import AWSResponse

from wa_audit.demo_account.account import Account, Json, allow, document, pairs
from wa_audit.demo_account.answers import answer
from wa_audit.demo_account.foundation import ALERTS, LOGS, TERRAFORM

TAGS = {"project": "warehouse", "owner": "analytics", "environment": "production"}
# What each cluster's own catalog says of external schemas: whether a superuser asks, the schema, its table,
# and how that is stored.
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
EXTERNAL_TABLES: dict[str, tuple[tuple[bool, str | None, str | None], ...]] = {
    "acme-warehouse": (
        (False, "acme_clickstream_curated", "page_views"),
        (False, "acme_clickstream_curated", "sessions"),
    ),
    "acme-legacy": ((True, None, None),),
}


def seed(account: Account) -> None:
    subnets = network(account)
    redshift(account)
    kafka(account, subnets)
    search(account)
    written_down(account)
    odds_and_ends(account)


def network(account: Account) -> list[str]:
    vpc = account.do("ec2:CreateVpc", CidrBlock="10.30.0.0/16").get("Vpc", {}).get("VpcId", "")
    return account.subnets(vpc, "10.30", zones="abc")


def redshift(account: Account) -> None:
    for name, values in (("acme-warehouse", ("true", "true")), ("acme-legacy", ("false", "false"))):
        account.do(
            "redshift:CreateClusterParameterGroup",
            ParameterGroupName=name,
            ParameterGroupFamily="redshift-2.0",
            Description=name,
        )
        names = ("require_ssl", "enable_user_activity_logging")
        account.do(
            "redshift:ModifyClusterParameterGroup",
            ParameterGroupName=name,
            Parameters=[
                {"ParameterName": parameter, "ParameterValue": value}
                for parameter, value in zip(names, values, strict=True)
            ],
        )
    common = {"MasterUsername": "admin", "MasterUserPassword": "Made-up-123"}
    account.do(
        "redshift:CreateCluster",
        **common,
        ClusterIdentifier="acme-warehouse",
        NodeType="ra3.xlplus",
        NumberOfNodes=2,
        ClusterType="multi-node",
        Encrypted=True,
        KmsKeyId=account.keys["acme-data"],
        PubliclyAccessible=False,
        EnhancedVpcRouting=True,
        AutomatedSnapshotRetentionPeriod=14,
        ClusterParameterGroupName="acme-warehouse",
        Tags=pairs(TAGS | TERRAFORM | {"criticality": "high"}),
    )
    account.do(
        "redshift:CreateCluster",
        **common,
        ClusterIdentifier="acme-legacy",
        NodeType="dc2.large",
        ClusterType="single-node",
        Encrypted=False,
        PubliclyAccessible=True,
        AutomatedSnapshotRetentionPeriod=1,
        ClusterParameterGroupName="acme-legacy",
        Tags=pairs(TAGS | {"criticality": "high"}),
    )
    account.do(
        "redshift:EnableLogging", ClusterIdentifier="acme-warehouse", BucketName=LOGS, S3KeyPrefix="dw"
    )
    account.do(
        "redshift:EnableSnapshotCopy",
        ClusterIdentifier="acme-warehouse",
        DestinationRegion="eu-central-1",
        SnapshotCopyGrantName="acme-warehouse",
    )


def kafka(account: Account, subnets: list[str]) -> None:
    nodes = {"InstanceType": "kafka.m7g.large", "ClientSubnets": subnets}
    account.do(
        "kafka:CreateClusterV2",
        ClusterName="acme-events",
        Tags=TAGS | TERRAFORM,
        Provisioned={
            "KafkaVersion": "3.8.x",
            "NumberOfBrokerNodes": 3,
            "BrokerNodeGroupInfo": nodes,
            "EncryptionInfo": {"EncryptionInTransit": {"ClientBroker": "TLS", "InCluster": True}},
            "ClientAuthentication": {"Sasl": {"Iam": {"Enabled": True}}},
            "LoggingInfo": {
                "BrokerLogs": {"CloudWatchLogs": {"Enabled": True, "LogGroup": "/aws/msk/acme-events"}}
            },
        },
    )
    account.do(
        "kafka:CreateClusterV2",
        ClusterName="acme-legacy-bus",
        Tags=TAGS,
        Provisioned={
            "KafkaVersion": "2.8.1",
            "NumberOfBrokerNodes": 2,
            "BrokerNodeGroupInfo": {
                "InstanceType": "kafka.m5.large",
                "ClientSubnets": subnets[:2],
                "ConnectivityInfo": {"PublicAccess": {"Type": "SERVICE_PROVIDED_EIPS"}},
            },
            "EncryptionInfo": {"EncryptionInTransit": {"ClientBroker": "TLS_PLAINTEXT", "InCluster": True}},
            "ClientAuthentication": {"Unauthenticated": {"Enabled": True}},
        },
    )


def search(account: Account) -> None:
    account.do(
        "opensearch:CreateDomain",
        DomainName="acme-search",
        EngineVersion="OpenSearch_2.19",
        ClusterConfig={
            "InstanceType": "r7g.large.search",
            "InstanceCount": 3,
            "DedicatedMasterEnabled": True,
            "DedicatedMasterCount": 3,
            "ZoneAwarenessEnabled": True,
            "ZoneAwarenessConfig": {"AvailabilityZoneCount": 3},
        },
        EncryptionAtRestOptions={"Enabled": True, "KmsKeyId": account.keys["acme-data"]},
        NodeToNodeEncryptionOptions={"Enabled": True},
        DomainEndpointOptions={"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"},
        AccessPolicies=document(
            allow("es:ESHttp*", "*", principal={"AWS": f"arn:aws:iam::{account.id}:root"})
        ),
        TagList=pairs(TAGS | TERRAFORM),
    )
    account.do(
        "opensearch:CreateDomain",
        DomainName="acme-legacy-logs",
        EngineVersion="Elasticsearch_7.10",
        ClusterConfig={"InstanceType": "t3.small.search", "InstanceCount": 1},
        EncryptionAtRestOptions={"Enabled": False},
        DomainEndpointOptions={"EnforceHTTPS": False, "TLSSecurityPolicy": "Policy-Min-TLS-1-0-2019-07"},
        AccessPolicies=document(allow("es:*", "*", principal="*")),
        TagList=pairs(TAGS),
    )


def written_down(account: Account) -> None:
    account.do(
        "cloudtrail:CreateTrail",
        Name="acme-audit",
        S3BucketName=LOGS,
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
    )
    account.do("cloudtrail:StartLogging", Name="acme-audit")
    account.do(
        "cloudtrail:PutEventSelectors",
        TrailName="acme-audit",
        EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}],
    )
    for name, days in (("/aws/lambda/acme-orders-intake", 30), ("/aws/lambda/acme-images-resize", 0)):
        account.do("logs:CreateLogGroup", logGroupName=name)
        if days:
            account.do("logs:PutRetentionPolicy", logGroupName=name, retentionInDays=days)


def odds_and_ends(account: Account) -> None:
    """A schedule and an IoT rule that lose nothing, and a trigger that somebody switched off."""
    role = account.role("acme-warehouse", service="scheduler", tags=TAGS)
    lost = account.queue("acme-warehouse-lost-dlq", tags=TAGS | TERRAFORM, MessageRetentionPeriod=1_209_600)
    account.do(
        "scheduler:CreateSchedule",
        Name="acme-warehouse-refresh",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": account.arn("lambda", "function:acme-images-moderate"),
            "RoleArn": role,
            "DeadLetterConfig": {"Arn": lost},
        },
    )
    account.do(
        "iot:CreateTopicRule",
        ruleName="acme_warehouse_scales",
        topicRulePayload={
            "sql": "SELECT * FROM 'scales/#'",
            "actions": [
                {
                    "sqs": {
                        "queueUrl": f"https://sqs.{account.region}.amazonaws.com/{account.id}/acme-warehouse-lost-dlq",
                        "roleArn": role,
                    }
                }
            ],
            "errorAction": {"sns": {"targetArn": account.arn("sns", ALERTS), "roleArn": role}},
        },
    )
    account.do(
        "glue:CreateTrigger",
        Name="acme-warehouse-yearly",
        Type="SCHEDULED",
        Schedule="cron(0 3 1 1 ? *)",
        StartOnCreation=False,
        Actions=[{"JobName": "acme-reporting-kpis"}],
        Tags=TAGS,
    )


class Catalogs:
    """Runs the clusters' SQL, which moto does not: a statement is known by its cluster's name. Listens to the
    clients of one boto3 session, made after `install`."""

    def install(self, events: Any) -> None:
        events.register("before-call.redshift-data.ExecuteStatement", _begin)
        events.register("before-call.redshift-data.DescribeStatement", _end)
        events.register("before-call.redshift-data.GetStatementResult", _rows)


def _begin(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    return answer({"Id": json.loads(params["body"])["ClusterIdentifier"]})


def _end(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    return answer({"Id": json.loads(params["body"])["Id"], "Status": "FINISHED"})


def _rows(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    tables = EXTERNAL_TABLES[json.loads(params["body"])["Id"]]
    return answer({"Records": [_row(*table) for table in tables]})


def _row(superuser: bool, schema: str | None, table: str | None) -> list[Json]:
    first: list[Json] = [{"booleanValue": superuser}, {"longValue": 1}]
    if schema is None or table is None:
        return first + [{"isNull": True}] * 8
    return [
        *first,
        {"stringValue": schema.removeprefix("acme_")},
        {"longValue": 1},
        {"stringValue": schema},
        {"stringValue": table},
        {"stringValue": f"{_PARQUET}.MapredParquetInputFormat"},
        {"stringValue": f"{_PARQUET}.serde.ParquetHiveSerDe"},
        {"booleanValue": True},
        {"longValue": 1} if table == "page_views" else {"isNull": True},
    ]
