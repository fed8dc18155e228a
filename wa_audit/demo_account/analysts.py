"""What analysts work with: who may see which table, their data sets; and how near to its limits all of it is.

In the second Region the lake is governed by tags, in the first most of it is still open to whomever IAM lets
in. `Analysts` answers for what an emulator has not got: QuickSight's data sets, and AWS's quotas.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from wa_audit.aws import times
from wa_audit.demo_account.account import SECOND_REGION, Account, Json
from wa_audit.demo_account.answers import answer
from wa_audit.demo_account.foundation import TERRAFORM

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

TAGS = {"project": "analysts", "owner": "analytics", "environment": "production"}
EVERYBODY = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
DROPS = "acme-sensors-drops"
# Which are governed by a tag, of the databases in the second Region.
DOMAINS = {"acme_orders_eu": True, "acme_returns_eu": True, "acme_stock_eu": True, "acme_scratch_eu": False}
_EVERY_DAY = range(12, 14 * 24, 24)
# Name, how its last refresh ended and when, and how often it is to be refreshed.
DATA_SETS = (
    ("revenue", "COMPLETED", timedelta(hours=6), "DAILY"),
    ("margins", "FAILED", timedelta(hours=6), "DAILY"),
    ("stock", "COMPLETED", timedelta(days=12), "HOURLY"),
)
_PLACE = "arn:aws:redshift-serverless:eu-west-1:123456789012"
# A sandbox to ask questions in, by operation: what the answer is called, and what stands in it.
SERVERLESS: dict[str, tuple[str, Json]] = {
    "ListNamespaces": (
        "namespaces",
        {
            "namespaceArn": f"{_PLACE}:namespace/7d1f2c3b",
            "namespaceName": "acme-sandbox",
            "namespaceId": "7d1f2c3b",
            "status": "AVAILABLE",
            "kmsKeyId": "AWS_OWNED_KMS_KEY",
            "iamRoles": [],
            "logExports": ["userlog"],
        },
    ),
    "ListWorkgroups": (
        "workgroups",
        {
            "workgroupArn": f"{_PLACE}:workgroup/5e6f7a8b",
            "workgroupName": "acme-sandbox",
            "workgroupId": "5e6f7a8b",
            "namespaceName": "acme-sandbox",
            "status": "AVAILABLE",
            "baseCapacity": 8,
            "configParameters": [{"parameterKey": "require_ssl", "parameterValue": "true"}],
            "enhancedVpcRouting": False,
            "publiclyAccessible": False,
            "securityGroupIds": [],
            "subnetIds": [],
        },
    ),
    "ListSnapshotCopyConfigurations": ("snapshotCopyConfigurations", {}),
    "ListTagsForResource": ("tags", {"key": "project", "value": "analysts"}),
}
# Service, name, value, and what the metric of its use calls service and resource.
QUOTAS = (
    ("firehose", "Firehose streams per Region", 5_000, "Firehose", "DeliveryStreams"),
    ("kinesis", "Shards per Region", 50, "Kinesis", "OpenShards"),
)


def seed(account: Account) -> None:
    governance(account)
    drops(account)
    brokers(account)
    use(account)


def governance(account: Account) -> None:
    """Whoever audits may see all of both lakes; but for that, the first Region's is as AWS set it."""
    defaults = [{"Principal": EVERYBODY, "Permissions": ["ALL"]}]
    account.do(
        "lakeformation:PutDataLakeSettings",
        DataLakeSettings={
            "DataLakeAdmins": [],
            "ReadOnlyAdmins": [{"DataLakePrincipalIdentifier": account.auditor}],
            "CreateDatabaseDefaultPermissions": defaults,
            "CreateTableDefaultPermissions": defaults,
        },
    )
    for name in ("acme_stock", "acme_scratch"):
        account.do("glue:CreateDatabase", DatabaseInput={"Name": name}, Tags=TAGS)
    here = {"region": SECOND_REGION}
    account.do("lakeformation:CreateLFTag", **here, TagKey="domain", TagValues=["orders", "stock"])
    for name, tagged in DOMAINS.items():
        account.do("glue:CreateDatabase", **here, DatabaseInput={"Name": name}, Tags=TAGS)
        if tagged:
            account.do(
                "lakeformation:AddLFTagsToResource",
                **here,
                Resource={"Database": {"Name": name}},
                LFTags=[{"TagKey": "domain", "TagValues": ["orders"]}],
            )
    for resource in (
        {"Database": {"Name": "acme_reporting"}},
        {"Table": {"DatabaseName": "acme_reporting", "TableWildcard": {}}},
        {"Table": {"DatabaseName": "acme_clickstream_curated", "Name": "sessions"}},
    ):
        account.do(
            "lakeformation:GrantPermissions", Principal=EVERYBODY, Resource=resource, Permissions=["ALL"]
        )
    account.do(
        "lakeformation:GrantPermissions",
        **here,
        Principal={"DataLakePrincipalIdentifier": account.role_arn("acme-lake-admin")},
        Resource={"Database": {"Name": "acme_orders_eu"}},
        Permissions=["DESCRIBE"],
    )


def drops(account: Account) -> None:
    """What the sensors drop, forty gigabytes of it, and no table says what it is."""
    role = account.role("acme-sensors-drops", service="firehose", tags=TAGS | TERRAFORM)
    account.bucket(DROPS, tags=TAGS | TERRAFORM)
    account.do(
        "firehose:CreateDeliveryStream",
        DeliveryStreamName=DROPS,
        DeliveryStreamType="DirectPut",
        DeliveryStreamEncryptionConfigurationInput={"KeyType": "AWS_OWNED_CMK"},
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{DROPS}",
            "Prefix": "raw/",
            "ErrorOutputPrefix": "errors/",
            "CompressionFormat": "GZIP",
        },
        Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
    )
    account.metric(
        "AWS/S3",
        "BucketSizeBytes",
        40 * 2**30,
        hours=_EVERY_DAY,
        BucketName=DROPS,
        StorageType="StandardStorage",
    )


def brokers(account: Account) -> None:
    """The new bus gets more storage by itself; nobody remembers the old one."""
    clusters = account.do("kafka:ListClustersV2").get("ClusterInfoList", ())
    for cluster in clusters:
        if cluster["ClusterName"] != "acme-events":
            continue
        storage = {
            "ServiceNamespace": "kafka",
            "ResourceId": cluster["ClusterArn"],
            "ScalableDimension": "kafka:broker-storage:VolumeSize",
        }
        account.do(
            "application-autoscaling:RegisterScalableTarget", **storage, MinCapacity=1, MaxCapacity=2000
        )
        account.do(
            "application-autoscaling:PutScalingPolicy",
            PolicyName="acme-events-storage",
            PolicyType="TargetTrackingScaling",
            **storage,
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 60,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "KafkaBrokerStorageUtilization"},
                "DisableScaleIn": True,
            },
        )


def use(account: Account) -> None:
    """The most that was used of what the quotas allow."""
    for service, resource, used in (("Kinesis", "OpenShards", 46), ("Firehose", "DeliveryStreams", 12)):
        account.metric(
            "AWS/Usage",
            "ResourceCount",
            used,
            hours=_EVERY_DAY,
            Class="None",
            Resource=resource,
            Service=service,
            Type="Resource",
        )


class Analysts:
    """Listens to the clients of one boto3 session, made after `install`."""

    def install(self, events: Any) -> None:
        events.register("before-call.quicksight.ListDataSets", _data_sets)
        events.register("before-call.quicksight.DescribeDataSet", _data_set)
        events.register("before-call.quicksight.ListIngestions", _ingestions)
        events.register("before-call.quicksight.ListRefreshSchedules", _refresh_schedules)
        events.register("before-call.lakeformation.GetResourceLFTags", _untagged)
        for operation in SERVERLESS:
            events.register(f"before-call.redshift-serverless.{operation}", _serverless)
        events.register("after-call.redshift.DescribeClusterSnapshots", _snapshots)
        events.register("before-call.service-quotas.ListServiceQuotas", _quotas)


def _untagged(params: Json, **_: Any) -> tuple[AWSResponse, Json] | None:
    """Moto breaks down over a database without tags."""
    name = json.loads(params["body"])["Resource"]["Database"]["Name"]
    return None if DOMAINS.get(name) else answer({})


def _serverless(model: Any, context: Json, **_: Any) -> tuple[AWSResponse, Json]:
    """Moto has no Redshift Serverless. What there is, is in the first Region."""
    field, row = SERVERLESS[model.name]
    rows = [] if context.get("client_region") == SECOND_REGION or not row else [row]
    return _parsed({field: rows})


def _snapshots(parsed: Json, **_: Any) -> None:
    """The warehouse's own of last night, which moto never makes."""
    made = {
        "SnapshotIdentifier": "rs:acme-warehouse-nightly",
        "ClusterIdentifier": "acme-warehouse",
        "SnapshotCreateTime": times.now() - timedelta(hours=5),
        "Status": "available",
        "SnapshotType": "automated",
    }
    parsed.setdefault("Snapshots", []).append(made)


def _data_sets(context: Json, **_: Any) -> tuple[AWSResponse, Json]:
    """All of them are in the first Region."""
    if context.get("client_region") == SECOND_REGION:
        return answer({"DataSetSummaries": []})
    rows = [
        {
            "Arn": f"arn:aws:quicksight:{context['client_region']}:123456789012:dataset/{name}",
            "DataSetId": name,
            "Name": name,
            "ImportMode": "SPICE",
            "CreatedTime": times.now() - timedelta(days=200),
        }
        for name, *_ in DATA_SETS
    ]
    return _parsed({"DataSetSummaries": rows})


def _data_set(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    source = {"DataSourceArn": "arn:aws:quicksight:eu-west-1:123456789012:datasource/dw"}
    return answer({"DataSet": {"PhysicalTableMap": {"own": {"RelationalTable": source}}}})


def _ingestions(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    status, ago = _of(params)[1:3]
    row: Json = {
        "IngestionId": "1",
        "IngestionStatus": status,
        "CreatedTime": times.now() - ago,
        "RequestSource": "SCHEDULED",
        "RequestType": "FULL_REFRESH",
    }
    if status == "FAILED":
        row["ErrorInfo"] = {"Type": "SQL_SCHEMA_MISMATCH_ERROR"}
    return _parsed({"Ingestions": [row]})


def _refresh_schedules(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    often = _of(params)[3]
    row: Json = {
        "ScheduleId": "1",
        "ScheduleFrequency": {"Interval": often},
        "StartAfterDateTime": times.now() - timedelta(days=190),
        "RefreshType": "FULL_REFRESH",
    }
    return _parsed({"RefreshSchedules": [row]})


def _of(params: Json) -> tuple[str, str, timedelta, str]:
    """The data set that a call's path names: `/accounts/…/data-sets/revenue/ingestions`."""
    name = params["url_path"].partition("/data-sets/")[2].partition("/")[0]
    return next(row for row in DATA_SETS if row[0] == name)


def _quotas(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    service = json.loads(params["body"])["ServiceCode"]
    return answer({"Quotas": [_quota(*row) for row in QUOTAS if row[0] == service]})


def _quota(code: str, name: str, value: float, service: str, counted: str) -> Json:
    return {
        "ServiceCode": code,
        "QuotaCode": f"L-{counted}",
        "QuotaName": name,
        "Value": float(value),
        "Adjustable": True,
        "UsageMetric": {
            "MetricNamespace": "AWS/Usage",
            "MetricName": "ResourceCount",
            "MetricDimensions": {
                "Class": "None",
                "Resource": counted,
                "Service": service,
                "Type": "Resource",
            },
            "MetricStatisticRecommendation": "Maximum",
        },
    }


def _parsed(found: Json) -> tuple[AWSResponse, Json]:
    """An answer that holds times, which no JSON does."""
    response, _ = answer({})
    return response, {**found, "ResponseMetadata": {"HTTPStatusCode": 200}}
