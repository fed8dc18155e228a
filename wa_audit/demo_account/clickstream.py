"""Clickstream: Kinesis → Lambda and Firehose → S3 → Glue → Athena.

The road from the browser to the curated tables is the platform team's best work. The short cuts beside
it, a debug stream and a by-hand audit log, are not.
"""

from __future__ import annotations

from wa_audit.demo_account.account import SECOND_REGION, Account, Json, allow, pairs, tls_only
from wa_audit.demo_account.foundation import ALERTS, LOGS, TERRAFORM

TAGS = {"project": "clickstream", "owner": "web-analytics", "environment": "production"}

RAW, CURATED = "acme-clickstream-raw", "acme-clickstream-curated"
RESULTS, SCRATCH = "acme-athena-results", "acme-glue-scratch"
PARQUET = (
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
)
TEXT = (
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
)
GIGABYTE = 1024**3


def seed(account: Account) -> None:
    buckets(account)
    roles(account)
    streams(account)
    functions(account)
    firehoses(account)
    tables(account)
    jobs(account)
    workgroups(account)
    alarms(account)


def buckets(account: Account) -> None:
    key = account.keys["acme-data"]
    dr = account.bucket(
        f"{RAW}-dr",
        region=SECOND_REGION,
        versioning="Enabled",
        lifecycle=[_keep(days=400)],
        policy=[tls_only(f"{RAW}-dr")],
        tags=TAGS | TERRAFORM,
    )
    account.bucket(
        RAW,
        key=key,
        versioning="Enabled",
        lifecycle=[
            _keep(
                days=730,
                Transitions=[
                    {"Days": 30, "StorageClass": "INTELLIGENT_TIERING"},
                    {"Days": 180, "StorageClass": "GLACIER_IR"},
                ],
            ),
            # What Firehose could not convert is looked at within a month, or never.
            {
                "ID": "errors",
                "Status": "Enabled",
                "Filter": {"Prefix": "errors"},
                "Expiration": {"Days": 30},
            },
        ],
        policy=[tls_only(RAW)],
        logs_to=LOGS,
        tags=TAGS | TERRAFORM | {"criticality": "high", "data-classification": "confidential"},
    )
    account.replicate(RAW, dr, role="acme-clickstream-replication")
    # Old versions pile up here: nothing ever removes them.
    account.bucket(
        CURATED,
        key=key,
        versioning="Enabled",
        lifecycle=[
            {
                "ID": "tier",
                "Status": "Enabled",
                "Filter": {"Prefix": "page_views/"},
                "Transitions": [{"Days": 60, "StorageClass": "STANDARD_IA"}],
            }
        ],
        policy=[tls_only(CURATED)],
        logs_to=LOGS,
        tags=TAGS | TERRAFORM,
    )
    account.bucket(
        RESULTS,
        key=key,
        lifecycle=[_keep(days=14)],
        policy=[tls_only(RESULTS)],
        tags=TAGS | TERRAFORM | {"wa-audit:data": "transient"},
    )
    # Made by the console for the first Glue job, and forgotten.
    account.bucket(SCRATCH, private=False, tags={})


def roles(account: Account) -> None:
    stream = account.arn("kinesis", "stream/acme-clickstream-events")
    own = TAGS | TERRAFORM
    use_key = allow(["kms:Decrypt", "kms:GenerateDataKey"], account.keys["acme-data"])
    read_stream = allow(
        ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"],
        stream,
    )
    write_raw = allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{RAW}/*")
    account.role(
        "acme-clickstream-replication",
        service="s3",
        inline={"replicate": [allow("s3:ReplicateObject", f"arn:aws:s3:::{RAW}-dr/*")]},
        tags=own,
    )
    account.role(
        "acme-clickstream-enricher",
        service="lambda",
        inline={
            "stream": [read_stream, use_key],
            "failures": [allow("sqs:SendMessage", account.arn("sqs", "acme-clickstream-failures"))],
            "firehose": [
                allow(
                    "firehose:PutRecordBatch",
                    account.arn("firehose", "deliverystream/acme-clickstream-to-lake"),
                )
            ],
        },
        managed=("service-role/AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess"),
        tags=own,
    )
    # "It works on every stream now": nobody narrowed it again.
    account.role(
        "acme-clickstream-debug",
        service="lambda",
        inline={"everything-kinesis": [allow("kinesis:*", "*"), allow("s3:PutObject", "*")]},
        managed=("service-role/AWSLambdaBasicExecutionRole",),
        tags=TAGS,
    )
    account.role(
        "acme-clickstream-firehose",
        service="firehose",
        inline={"deliver": [read_stream, write_raw, use_key]},
        tags=own,
    )
    account.role(
        "acme-clickstream-glue",
        service="glue",
        inline={
            "lake": [
                write_raw,
                allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{CURATED}/*"),
                use_key,
            ],
            "catalog": [
                allow(
                    ["glue:GetTable", "glue:GetPartitions", "glue:BatchCreatePartition"],
                    [
                        account.arn("glue", "catalog"),
                        account.arn("glue", "database/acme_clickstream_*"),
                        account.arn("glue", "table/acme_clickstream_*"),
                    ],
                )
            ],
        },
        tags=own,
    )
    account.role(
        "acme-glue-legacy",
        service="glue",
        managed=("AmazonS3FullAccess", "service-role/AWSGlueServiceRole"),
        tags=TAGS,
    )


def streams(account: Account) -> None:
    account.do(
        "kinesis:CreateStream",
        StreamName="acme-clickstream-events",
        StreamModeDetails={"StreamMode": "ON_DEMAND"},
        Tags=TAGS | TERRAFORM,
    )
    account.do(
        "kinesis:StartStreamEncryption",
        StreamName="acme-clickstream-events",
        EncryptionType="KMS",
        KeyId="alias/acme-data",
    )
    account.do(
        "kinesis:IncreaseStreamRetentionPeriod",
        StreamName="acme-clickstream-events",
        RetentionPeriodHours=168,
    )
    # The default: no encryption, and a day to notice that something is wrong.
    account.do("kinesis:CreateStream", StreamName="acme-clickstream-debug", ShardCount=2, Tags=TAGS)
    # Nobody has debugged anything for a while: of the one a million visits a day, of the other nothing.
    for stream, records in (("acme-clickstream-events", 1_000_000), ("acme-clickstream-debug", 0)):
        hours = range(12, 14 * 24, 24)
        account.metric("AWS/Kinesis", "IncomingRecords", records, hours=hours, StreamName=stream)


def functions(account: Account) -> None:
    events = account.arn("kinesis", "stream/acme-clickstream-events")
    failures = account.queue(
        "acme-clickstream-failures",
        MessageRetentionPeriod=1209600,
        SqsManagedSseEnabled=True,
        RedriveAllowPolicy={"redrivePermission": "allowAll"},
        tags=TAGS | TERRAFORM,
    )
    enricher = account.function(
        "acme-clickstream-enricher",
        runtime="python3.13",
        role=account.role_arn("acme-clickstream-enricher"),
        arm=True,
        MemorySize=512,
        Timeout=60,
        TracingConfig={"Mode": "Active"},
        Environment={"Variables": {"GEO_TABLE": "geo_blocks", "LOG_LEVEL": "INFO"}},
        tags=TAGS | TERRAFORM,
    )
    account.do(
        "lambda:PutFunctionConcurrency",
        FunctionName="acme-clickstream-enricher",
        ReservedConcurrentExecutions=50,
    )
    account.event_source(
        enricher,
        events,
        BatchSize=200,
        ParallelizationFactor=2,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=5,
        MaximumRecordAgeInSeconds=21600,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": failures}},
    )
    # Written in an afternoon to look at live traffic. A record that it cannot parse stops its shard.
    sampler = account.function(
        "acme-clickstream-sampler",
        runtime="nodejs18.x",
        role=account.role_arn("acme-clickstream-debug"),
        Timeout=120,
        tags=TAGS,
    )
    account.event_source(
        sampler,
        account.arn("kinesis", "stream/acme-clickstream-debug"),
        BatchSize=100,
        MaximumRetryAttempts=-1,
        BisectBatchOnFunctionError=False,
    )
    account.function(
        "acme-clickstream-anonymiser",
        runtime="python3.12",
        role=account.role_arn("acme-clickstream-enricher"),
        arm=True,
        Timeout=60,
        TracingConfig={"Mode": "Active"},
        tags=TAGS | TERRAFORM,
    )


def firehoses(account: Account) -> None:
    role = account.role_arn("acme-clickstream-firehose")
    anonymise = account.arn("lambda", "function:acme-clickstream-anonymiser")
    to_lake: Json = {
        "RoleARN": role,
        "BucketARN": f"arn:aws:s3:::{RAW}",
        "Prefix": "events/dt=!{timestamp:yyyy-MM-dd}/",
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
        "BufferingHints": {"SizeInMBs": 128, "IntervalInSeconds": 300},
        "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": account.keys["acme-data"]}},
        "S3BackupMode": "Enabled",
        "S3BackupConfiguration": {
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{RAW}",
            "Prefix": "source-records/",
        },
        "ProcessingConfiguration": {
            "Enabled": True,
            "Processors": [
                {
                    "Type": "Lambda",
                    "Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": anonymise}],
                }
            ],
        },
        "DataFormatConversionConfiguration": {
            "Enabled": True,
            "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
            "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "SNAPPY"}}},
            "SchemaConfiguration": {
                "DatabaseName": "acme_clickstream_raw",
                "TableName": "events",
                "Region": account.region,
                "RoleARN": role,
            },
        },
    }
    account.do(
        "firehose:CreateDeliveryStream",
        DeliveryStreamName="acme-clickstream-to-lake",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={
            "KinesisStreamARN": account.arn("kinesis", "stream/acme-clickstream-events"),
            "RoleARN": role,
        },
        ExtendedS3DestinationConfiguration=to_lake,
        Tags=pairs(TAGS | TERRAFORM),
    )
    # Mobile clients write to this one directly.
    account.do(
        "firehose:CreateDeliveryStream",
        DeliveryStreamName="acme-clickstream-mobile",
        DeliveryStreamType="DirectPut",
        DeliveryStreamEncryptionConfigurationInput={"KeyType": "AWS_OWNED_CMK"},
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{RAW}",
            "Prefix": "mobile/",
            "ErrorOutputPrefix": "errors-mobile/",
            "CompressionFormat": "GZIP",
            # Fresh, and in a thousand pieces a day.
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
        },
        Tags=pairs(TAGS | TERRAFORM),
    )
    # No encryption, JSON as it comes, a transformation without a copy of the source, errors among the data.
    account.do(
        "firehose:CreateDeliveryStream",
        DeliveryStreamName="acme-consent-audit",
        DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{CURATED}",
            "Prefix": "consent/",
            "CompressionFormat": "UNCOMPRESSED",
            "S3BackupMode": "Disabled",
            "ProcessingConfiguration": to_lake["ProcessingConfiguration"],
        },
        Tags=pairs(TAGS),
    )


def tables(account: Account) -> None:
    for database in ("acme_clickstream_raw", "acme_clickstream_curated"):
        account.do("glue:CreateDatabase", DatabaseInput={"Name": database})
    table(
        account,
        "acme_clickstream_raw",
        "events",
        location=f"s3://{RAW}/events/",
        classification="json",
        gigabytes=900,
        partitions=("dt",),
    )
    curated = "acme_clickstream_curated"
    table(
        account,
        curated,
        "page_views",
        location=f"s3://{CURATED}/page_views/",
        classification="parquet",
        gigabytes=640,
        partitions=("dt", "country"),
    )
    table(
        account,
        curated,
        "sessions",
        location=f"s3://{CURATED}/sessions/",
        classification="parquet",
        gigabytes=85,
    )
    table(
        account,
        curated,
        "consent_log",
        location=f"s3://{CURATED}/consent/",
        classification="json",
        gigabytes=22,
        partitions=("dt",),
    )
    account.do(
        "glue:CreateCrawler",
        Name="acme-clickstream-curated",
        Role=account.role_arn("acme-clickstream-glue"),
        DatabaseName=curated,
        Targets={"S3Targets": [{"Path": f"s3://{CURATED}/page_views/"}]},
        Schedule="cron(15 3 * * ? *)",
        SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
        RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"},
        CrawlerSecurityConfiguration="acme-encrypted",
        Tags=TAGS | TERRAFORM,
    )
    account.do("glue:StartCrawler", Name="acme-clickstream-curated")
    account.do(
        "glue:CreateCrawler",
        Name="acme-consent-log",
        Role=account.role_arn("acme-glue-legacy"),
        DatabaseName=curated,
        Targets={"S3Targets": [{"Path": f"s3://{CURATED}/consent/"}]},
        Tags=TAGS,
    )
    account.do("glue:StartCrawler", Name="acme-consent-log")


def table(
    account: Account,
    database: str,
    name: str,
    *,
    location: str,
    classification: str,
    gigabytes: int,
    partitions: tuple[str, ...] = (),
) -> None:
    """An external table as a crawler would write it, with its size."""
    inputs, outputs, *serde = PARQUET if classification == "parquet" else TEXT
    library = {
        "json": "org.openx.data.jsonserde.JsonSerDe",
        "csv": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    }
    account.do(
        "glue:CreateTable",
        DatabaseName=database,
        TableInput={
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": classification, "sizeKey": str(gigabytes * GIGABYTE)},
            "PartitionKeys": [{"Name": column, "Type": "string"} for column in partitions],
            "StorageDescriptor": {
                "Columns": [{"Name": "id", "Type": "string"}, {"Name": "payload", "Type": "string"}],
                "Location": location,
                "InputFormat": inputs,
                "OutputFormat": outputs,
                "SerdeInfo": {"SerializationLibrary": serde[0] if serde else library[classification]},
            },
        },
    )


def jobs(account: Account) -> None:
    role = account.role_arn("acme-clickstream-glue")
    account.do(
        "glue:CreateJob",
        Name="acme-clickstream-sessionise",
        Role=role,
        Command={
            "Name": "glueetl",
            "PythonVersion": "3",
            "ScriptLocation": f"s3://{RAW}/scripts/sessionise.py",
        },
        GlueVersion="5.0",
        WorkerType="G.1X",
        NumberOfWorkers=12,
        MaxRetries=2,
        Timeout=120,
        ExecutionProperty={"MaxConcurrentRuns": 1},
        SecurityConfiguration="acme-encrypted",
        DefaultArguments={
            "--job-bookmark-option": "job-bookmark-enable",
            "--enable-auto-scaling": "true",
            "--enable-metrics": "true",
            "--enable-observability-metrics": "true",
            "--TempDir": f"s3://{RESULTS}/glue-temp/",
            "--target_database": "acme_clickstream_curated",
        },
        Tags=TAGS | TERRAFORM,
    )
    # The oldest job of all. It runs, so nobody has touched it.
    account.do(
        "glue:CreateJob",
        Name="acme-clickstream-compact",
        Role=account.role_arn("acme-glue-legacy"),
        Command={
            "Name": "glueetl",
            "PythonVersion": "3",
            "ScriptLocation": f"s3://{SCRATCH}/scripts/compact.py",
        },
        GlueVersion="2.0",
        WorkerType="G.1X",
        NumberOfWorkers=20,
        MaxRetries=0,
        Timeout=2880,
        ExecutionProperty={"MaxConcurrentRuns": 1},
        DefaultArguments={"--TempDir": f"s3://{SCRATCH}/temp/", "--job-language": "python"},
        Tags=TAGS,
    )
    # Bookmarks and three runs at a time: the runs race for one bookmark.
    account.do(
        "glue:CreateJob",
        Name="acme-clickstream-backfill",
        Role=role,
        Command={
            "Name": "glueetl",
            "PythonVersion": "3",
            "ScriptLocation": f"s3://{RAW}/scripts/backfill.py",
        },
        GlueVersion="3.0",
        WorkerType="G.2X",
        NumberOfWorkers=10,
        MaxRetries=1,
        Timeout=360,
        ExecutionProperty={"MaxConcurrentRuns": 3},
        SecurityConfiguration="acme-s3-only",
        DefaultArguments={"--job-bookmark-option": "job-bookmark-enable"},
        Tags=TAGS,
    )
    action = [{"JobName": "acme-clickstream-sessionise"}]
    account.do(
        "glue:CreateTrigger",
        Name="acme-clickstream-hourly",
        Type="SCHEDULED",
        Schedule="cron(5 * * * ? *)",
        Actions=action,
        StartOnCreation=True,
        Tags=TAGS | TERRAFORM,
    )
    account.do(
        "glue:CreateTrigger",
        Name="acme-clickstream-compact-often",
        Type="SCHEDULED",
        Schedule="cron(0/5 * * * ? *)",
        Actions=[{"JobName": "acme-clickstream-compact"}],
        StartOnCreation=True,
        Tags=TAGS,
    )


def workgroups(account: Account) -> None:
    account.do(
        "athena:CreateWorkGroup",
        Name="acme-analysts",
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "PublishCloudWatchMetricsEnabled": True,
            "BytesScannedCutoffPerQuery": 200 * GIGABYTE,
            "ResultConfiguration": {
                "OutputLocation": f"s3://{RESULTS}/analysts/",
                "EncryptionConfiguration": {
                    "EncryptionOption": "SSE_KMS",
                    "KmsKey": account.keys["acme-data"],
                },
            },
        },
        Tags=pairs(TAGS | TERRAFORM),
    )
    # Its members choose where results go, in what form, and how much a query may scan.
    account.do(
        "athena:CreateWorkGroup",
        Name="acme-growth-adhoc",
        Configuration={
            "EnforceWorkGroupConfiguration": False,
            "PublishCloudWatchMetricsEnabled": False,
            "ResultConfiguration": {"OutputLocation": f"s3://{SCRATCH}/growth/"},
        },
        Tags=pairs(TAGS),
    )


def alarms(account: Account) -> None:
    alerts = (account.arn("sns", ALERTS),)
    account.alarm(
        "acme-clickstream-events-lag",
        "AWS/Kinesis",
        "GetRecords.IteratorAgeMilliseconds",
        actions=alerts,
        threshold=600000,
        StreamName="acme-clickstream-events",
    )
    account.alarm(
        "acme-clickstream-lake-freshness",
        "AWS/Firehose",
        "DeliveryToS3.DataFreshness",
        actions=alerts,
        threshold=900,
        DeliveryStreamName="acme-clickstream-to-lake",
    )
    account.alarm(
        "acme-clickstream-failures-waiting",
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        actions=alerts,
        threshold=1,
        QueueName="acme-clickstream-failures",
    )
    # Somebody watches this one on a dashboard, when they remember to.
    account.alarm(
        "acme-clickstream-enricher-errors",
        "AWS/Lambda",
        "Errors",
        actions=(),
        threshold=5,
        statistic="Sum",
        FunctionName="acme-clickstream-enricher",
    )


def _keep(*, days: int, **more: object) -> Json:
    """A lifecycle rule for a whole bucket: objects, their old versions, and uploads that never ended."""
    return {
        "ID": "keep",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": days},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        **more,
    }
