"""What keeps the platform in order: who may grant what in the lake, backups, copies of the old file server.

Beside it, two weeks of what the services would say of themselves: how full, how busy, how well delivered.
"""

from __future__ import annotations

import json

from wa_audit.demo_account.account import SECOND_REGION, Account, allow, document, pairs, tls_only
from wa_audit.demo_account.foundation import ALERTS, LOGS, TERRAFORM
from wa_audit.demo_account.reporting import WAREHOUSE

TAGS = {"owner": "platform", "environment": "production", "cost-center": "4711"}
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_EVERY_DAY = range(12, 14 * 24, 24)


def seed(account: Account) -> None:
    lake(account)
    tables(account)
    replicas(account)
    archive(account)
    backups(account)
    devices(account)
    watching(account)
    copies(account)
    applications(account)
    runs(account)
    metrics(account)


def lake(account: Account) -> None:
    """In the second Region somebody has looked after the lake, in the first everything is as AWS set it."""
    admin = account.role("acme-lake-admin", service="lakeformation", tags=TAGS | TERRAFORM)
    account.do("glue:CreateDatabase", region=SECOND_REGION, DatabaseInput={"Name": "acme_archive"}, Tags=TAGS)
    account.do(
        "lakeformation:PutDataLakeSettings",
        region=SECOND_REGION,
        DataLakeSettings={
            "DataLakeAdmins": [{"DataLakePrincipalIdentifier": admin}],
            "ReadOnlyAdmins": [{"DataLakePrincipalIdentifier": account.auditor}],
            "CreateDatabaseDefaultPermissions": [],
            "CreateTableDefaultPermissions": [],
        },
    )
    account.do(
        "lakeformation:RegisterResource", ResourceArn=f"arn:aws:s3:::{WAREHOUSE}", UseServiceLinkedRole=True
    )


def tables(account: Account) -> None:
    """Two Iceberg tables, of which Glue looks after one; a table of many small files, one of large ones."""
    for name, parameters in (
        ("orders_history", {"table_type": "ICEBERG"}),
        ("returns_history", {"table_type": "ICEBERG"}),
        ("scans", {"classification": "parquet", "objectCount": "48000", "sizeKey": str(48_000 * 2**20)}),
        (
            "stock",
            {
                "classification": "parquet",
                "objectCount": "2400",
                "sizeKey": str(2_400 * 200 * 2**20),
                "projection.enabled": "true",
            },
        ),
    ):
        account.do(
            "glue:CreateTable",
            DatabaseName="acme_reporting",
            TableInput={
                "Name": name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": parameters,
                "PartitionKeys": [] if "table_type" in parameters else [{"Name": "day", "Type": "date"}],
                "StorageDescriptor": {
                    "Location": f"s3://{WAREHOUSE}/{name}",
                    "Columns": [{"Name": "id", "Type": "string"}],
                    "SerdeInfo": {"SerializationLibrary": PARQUET},
                },
            },
        )


def archive(account: Account) -> None:
    account.bucket(
        "acme-compliance-archive",
        key=account.keys["acme-data"],
        versioning="Enabled",
        lifecycle=[
            {
                "ID": "cold",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "Transitions": [{"Days": 30, "StorageClass": "DEEP_ARCHIVE"}],
                "NoncurrentVersionExpiration": {"NoncurrentDays": 60},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }
        ],
        policy=[tls_only("acme-compliance-archive")],
        logs_to=LOGS,
        tags=TAGS | TERRAFORM | {"data-classification": "restricted"},
    )


def devices(account: Account) -> None:
    """A door may report on its own topic; the conveyor's old policy lets it do everything."""
    made = account.do("iot:CreateKeysAndCertificate", setAsActive=True)
    own = account.arn("iot", "topic/doors/${iot:Connection.Thing.ThingName}")
    for name, statement in (
        ("acme-doors", allow("iot:Publish", own)),
        ("acme-conveyor", allow("iot:*", "*")),
    ):
        account.do("iot:CreatePolicy", policyName=name, policyDocument=document(statement))
        account.do("iot:AttachPolicy", policyName=name, target=made.get("certificateArn", ""))


def watching(account: Account) -> None:
    """Silence on the main stream and lag on the bus are heard of; a dashboard shows what belongs together."""
    heard = (account.arn("sns", ALERTS),)
    account.alarm(
        "acme-clickstream-silent",
        "AWS/Kinesis",
        "IncomingRecords",
        actions=heard,
        threshold=1,
        comparison="LessThanThreshold",
        StreamName="acme-clickstream-events",
    )
    account.alarm(
        "acme-events-lag",
        "AWS/Kafka",
        "MaxOffsetLag",
        actions=heard,
        threshold=10_000,
        **{"Cluster Name": "acme-events"},
    )
    widgets = [
        {"type": "metric", "properties": {"metrics": [[space, name, key, value]], "region": account.region}}
        for space, name, key, value in (
            ("AWS/Kinesis", "IncomingRecords", "StreamName", "acme-clickstream-events"),
            ("AWS/Firehose", "DeliveryToS3.Success", "DeliveryStreamName", "acme-clickstream-to-lake"),
        )
    ]
    account.do(
        "cloudwatch:PutDashboard",
        DashboardName="acme-clickstream",
        DashboardBody=json.dumps({"widgets": widgets}),
    )


def replicas(account: Account) -> None:
    """The warehouse's copy takes along what KMS encrypts; that of the raw events does not."""
    copy = account.bucket(
        f"{WAREHOUSE}-dr", region=SECOND_REGION, versioning="Enabled", tags=TAGS | TERRAFORM
    )
    account.replicate(WAREHOUSE, copy, role="acme-clickstream-replication", key=account.keys["acme-data"])


def backups(account: Account) -> None:
    """The plan for orders leaves the Region and grows cold; the one for everything else does neither."""
    abroad = f"arn:aws:backup:{SECOND_REGION}:{account.id}:backup-vault:acme-dr"
    for name, life, copied, tags in (
        (
            "acme-orders",
            {"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": 365},
            [{"DestinationBackupVaultArn": abroad}],
            {"criticality": "high"},
        ),
        ("acme-everything", {"DeleteAfterDays": 730}, [], {"criticality": "high"}),
    ):
        rule = {
            "RuleName": "monthly",
            "TargetBackupVaultName": "Default",
            "ScheduleExpression": "cron(0 3 1 * ? *)",
            "Lifecycle": life,
            "CopyActions": copied,
        }
        account.do(
            "backup:CreateBackupPlan",
            BackupPlan={"BackupPlanName": name, "Rules": [rule]},
            BackupPlanTags=TAGS | tags,
        )


def copies(account: Account) -> None:
    """Two tasks from the old file server: scans are well kept, photos are copied whole and fail."""
    role = account.role("acme-datasync", service="datasync", tags=TAGS | TERRAFORM)
    source = account.do(
        "datasync:CreateLocationSmb",
        Subdirectory="/export",
        ServerHostname="files.acme.example",
        AuthenticationType="KERBEROS",
        AgentArns=[account.arn("datasync", "agent/agent-0b0ef90f4c5d6e7f8")],
    ).get("LocationArn", "")
    target = account.do(
        "datasync:CreateLocationS3",
        S3BucketArn=f"arn:aws:s3:::{WAREHOUSE}",
        S3Config={"BucketAccessRoleArn": role},
    ).get("LocationArn", "")
    for name, level, mode in (("acme-scans", "TRANSFER", "CHANGED"), ("acme-photos", "OFF", "ALL")):
        task = account.do(
            "datasync:CreateTask",
            Name=name,
            SourceLocationArn=source,
            DestinationLocationArn=target,
            Options={"LogLevel": level, "TransferMode": mode},
            CloudWatchLogGroupArn=account.arn("logs", "log-group:/aws/datasync"),
            Schedule={"ScheduleExpression": "cron(0 1 * * ? *)"},
            Tags=pairs(TAGS),
        )
        account.do("datasync:StartTaskExecution", TaskArn=task.get("TaskArn", ""))


def applications(account: Account) -> None:
    for name, stop in (
        ("acme-adhoc-spark", {"enabled": True, "idleTimeoutMinutes": 15}),
        ("acme-notebooks", {"enabled": False}),
    ):
        account.do(
            "emr-serverless:CreateApplication",
            name=name,
            releaseLabel="emr-7.3.0",
            type="SPARK",
            autoStopConfiguration=stop,
            initialCapacity={
                "DRIVER": {"workerCount": 1, "workerConfiguration": {"cpu": "2vCPU", "memory": "4GB"}}
            },
            tags=TAGS,
        )


def runs(account: Account) -> None:
    for job in ("acme-reporting-kpis", "acme-reporting-revenue"):
        account.do("glue:StartJobRun", JobName=job)


def metrics(account: Account) -> None:
    for cluster, brokers, taken, busy in (("acme-events", 3, 60_000, 20), ("acme-legacy-bus", 2, 20, 2)):
        for broker in range(1, brokers + 1):
            where = {"Cluster Name": cluster, "Broker ID": str(broker)}
            for metric, value in (("BytesInPerSec", taken), ("CpuUser", busy), ("CpuSystem", busy / 2)):
                account.metric("AWS/Kafka", metric, value, hours=_EVERY_DAY, **where)
    for cluster, connections, cpu in (("acme-warehouse", 40, 30), ("acme-legacy", 0, 1)):
        for metric, value in (("DatabaseConnections", connections), ("CPUUtilization", cpu)):
            account.metric("AWS/Redshift", metric, value, hours=_EVERY_DAY, ClusterIdentifier=cluster)
    for stream, share in (("acme-clickstream-to-lake", 1.0), ("acme-clickstream-mobile", 0.8)):
        for metric, value in (
            ("IncomingRecords", 90_000),
            ("IncomingBytes", 90_000_000),
            ("DeliveryToS3.Success", share),
            ("DeliveryToS3.DataFreshness", 310),
        ):
            account.metric("AWS/Firehose", metric, value, hours=_EVERY_DAY, DeliveryStreamName=stream)
    for bucket, size in (("acme-clickstream-raw", 4 * 2**40), ("acme-orders-exports", 2 * 2**40)):
        for metric, storage, value in (
            ("BucketSizeBytes", "StandardStorage", size),
            ("NumberOfObjects", "AllStorageTypes", 90_000),
        ):
            account.metric("AWS/S3", metric, value, hours=_EVERY_DAY, BucketName=bucket, StorageType=storage)
    # The counter is called for every few views.
    for function, times_a_day in (("acme-images-counter", 400_000), ("acme-orders-invoices", 900)):
        for metric, value in (("Invocations", times_a_day), ("Duration", 40)):
            account.metric("AWS/Lambda", metric, value, hours=_EVERY_DAY, FunctionName=function)
    account.metric("AWS/Lambda", "ConcurrentExecutions", 140, hours=_EVERY_DAY)
