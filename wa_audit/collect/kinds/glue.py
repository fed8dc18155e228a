"""AWS Glue: jobs and what starts them, crawlers, and the Data Catalog."""

from dataclasses import replace

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import tags

_GONE = ("EntityNotFoundException",)
_TAGS = Call(
    operation="GetTags", args={"ResourceArn": "arn"}, take="Tags", into="Tags", gone=_GONE, optional=True
)

# The arguments that Glue itself defines: settings, never secrets.
# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
GLUE_ARGUMENTS = frozenset(
    "--additional-python-modules --auto-scale-within-microbatch --class --conf "
    "--continuous-log-conversionPattern --continuous-log-logGroup --continuous-log-logStreamPrefix "
    "--custom-logGroup-prefix --datalake-formats --enable-auto-scaling --enable-continuous-cloudwatch-log "
    "--enable-continuous-log-filter --enable-glue-datacatalog --enable-job-insights "
    "--enable-lakeformation-fine-grained-access "
    "--enable-metrics --enable-observability-metrics --enable-rename-algorithm-v2 "
    "--enable-s3-parquet-optimized-committer --enable-spark-ui --execution-class --extra-files --extra-jars "
    "--extra-py-files --job-bookmark-option --job-bookmark-from --job-bookmark-to --job-language "
    "--python-modules-installer-option --scriptLocation --spark-event-logs-path --TempDir "
    "--use-postgres-driver --user-jars-first --write-shuffle-files-to-s3 --write-shuffle-spills-to-s3".split()
)
# Settings of a connection; user names, passwords and anything unknown are not among them.
CONNECTION_PROPERTIES = frozenset(
    "JDBC_ENFORCE_SSL JDBC_CONNECTION_URL SECRET_ID KAFKA_SSL_ENABLED KAFKA_BOOTSTRAP_SERVERS "
    "KAFKA_SASL_MECHANISM KAFKA_SASL_SCRAM_SECRETS_ARN KAFKA_CLIENT_KEYSTORE CONNECTION_URL HOST PORT "
    "CONNECTOR_TYPE SKIP_CUSTOM_JDBC_CERT_VALIDATION KAFKA_SKIP_CUSTOM_CERT_VALIDATION ENFORCE_SSL "
    "ROLE_ARN".split()
)

_TABLE_PARAMETERS = (
    "table_type metadata_location classification sizeKey compressionType EXTERNAL recordCount objectCount "
    '"spark.sql.sources.provider" "spark.sql.sources.schema.numPartCols" "hudi.table.type" '
    '"projection.enabled" has_encrypted_data '
    "UPDATED_BY_CRAWLER"
).split()
_PARAMETERS = ", ".join(
    f"{name if name.startswith(chr(34)) else chr(34) + name + chr(34)}: Parameters."
    f"{name if name.startswith(chr(34)) else chr(34) + name + chr(34)}"
    for name in _TABLE_PARAMETERS
)
_TABLE = {"DatabaseName": "DatabaseName", "TableName": "Name"}
_ENTRIES = ", ".join(
    f"{{catalogId: account, databaseName: DatabaseName, tableName: Name, type: '{type_}'}}"
    for type_ in ("compaction", "retention", "orphan_file_deletion")
)

KINDS = (
    Kind(
        "AWS::Glue::Job",
        service="glue",
        list=Call(
            operation="GetJobs",
            params={"MaxResults": 200},
            # Of a visual job's graph, the kinds of its nodes; what is in them is the user's own.
            take="Jobs[].merge(@, {NodeTypes: CodeGenConfigurationNodes.*.keys(@)[]})",
            keep="Name JobMode NodeTypes Role CreatedOn LastModifiedOn ExecutionProperty Command "
            "DefaultArguments NonOverridableArguments Connections MaxRetries Timeout MaxCapacity WorkerType "
            "NumberOfWorkers SecurityConfiguration NotificationProperty GlueVersion ExecutionClass "
            "MaintenanceWindow SourceControlDetails",
        ),
        arn="arn:{partition}:glue:{region}:{account}:job/{Name}",
        details=(
            # AWS gives the newest first: https://docs.aws.amazon.com/glue/latest/webapi/API_GetJobRuns.html
            # Arguments and error messages are not kept.
            Call(
                operation="GetJobRuns",
                args={"JobName": "Name"},
                params={"MaxResults": 200},
                take="JobRuns[].{Id: Id, PreviousRunId: PreviousRunId, Attempt: Attempt,"
                " StartedOn: StartedOn, CompletedOn: CompletedOn, JobRunState: JobRunState,"
                " ExecutionTime: ExecutionTime, ExecutionClass: ExecutionClass, DPUSeconds: DPUSeconds}",
                into="JobRuns",
                gone=_GONE,
                pages=1,
            ),
            replace(_TAGS, aid=tags("glue:job")),
        ),
        secrets={"DefaultArguments": GLUE_ARGUMENTS, "NonOverridableArguments": GLUE_ARGUMENTS},
    ),
    Kind(
        "AWS::Glue::Crawler",
        service="glue",
        list=Call(
            operation="GetCrawlers",
            params={"MaxResults": 1000},
            take="Crawlers",
            keep="Name Role Targets DatabaseName State Schedule LastCrawl CreationTime SchemaChangePolicy "
            "RecrawlPolicy CrawlerSecurityConfiguration",
        ),
        arn="arn:{partition}:glue:{region}:{account}:crawler/{Name}",
        details=(_TAGS,),
    ),
    Kind(
        "AWS::Glue::Trigger",
        service="glue",
        list=Call(
            operation="GetTriggers",
            params={"MaxResults": 200},
            take="Triggers",
            keep="Name WorkflowName Type State Schedule Actions Predicate",
        ),
        arn="arn:{partition}:glue:{region}:{account}:trigger/{Name}",
        details=(_TAGS,),
        secrets={"Actions[].Arguments": GLUE_ARGUMENTS},
    ),
    Kind(
        "AWS::Glue::Workflow",
        service="glue",
        list=Call(
            operation="ListWorkflows",
            params={"MaxResults": 25},
            take="Workflows[].{Name: @}",
            keep="Name",
        ),
        arn="arn:{partition}:glue:{region}:{account}:workflow/{Name}",
        details=(
            # Run properties are the user's own text, and an error may quote them: neither is kept.
            Call(
                operation="GetWorkflow",
                args={"Name": "Name"},
                take="Workflow.{CreatedOn: CreatedOn, LastModifiedOn: LastModifiedOn,"
                " MaxConcurrentRuns: MaxConcurrentRuns,"
                " LastRun: LastRun.{WorkflowRunId: WorkflowRunId, StartedOn: StartedOn,"
                " CompletedOn: CompletedOn, Status: Status, Statistics: Statistics}}",
                keep="CreatedOn LastModifiedOn LastRun MaxConcurrentRuns",
                gone=_GONE,
            ),
            _TAGS,
        ),
    ),
    Kind(
        "AWS::Glue::Connection",
        service="glue",
        # HidePassword: passwords never leave AWS.
        list=Call(
            operation="GetConnections",
            params={"HidePassword": True, "MaxResults": 200},
            take="ConnectionList",
            keep="Name ConnectionType ConnectionProperties PhysicalConnectionRequirements "
            "AuthenticationConfiguration Status",
        ),
        arn="arn:{partition}:glue:{region}:{account}:connection/{Name}",
        secrets={"ConnectionProperties": CONNECTION_PROPERTIES},
    ),
    Kind(
        "AWS::Glue::SecurityConfiguration",
        service="glue",
        list=Call(
            operation="GetSecurityConfigurations",
            params={"MaxResults": 200},
            take="SecurityConfigurations",
            keep="Name EncryptionConfiguration",
        ),
        arn="arn:{partition}:glue:{region}:{account}:security-configuration/{Name}",
    ),
    Kind(
        "AWS::Glue::DataCatalogEncryptionSettings",
        service="glue",
        list=Call(
            operation="GetDataCatalogEncryptionSettings",
            take="[DataCatalogEncryptionSettings]",
            keep="EncryptionAtRest ConnectionPasswordEncryption",
        ),
        name="'catalog'",
        arn="arn:{partition}:glue:{region}:{account}:catalog",
        details=(
            # Cross-account grants made through RAM add policies of their own, so all are read.
            Call(
                operation="GetResourcePolicies",
                take="GetResourcePoliciesResponseList[].PolicyInJson",
                into="ResourcePolicies",
                absent=_GONE,
            ),
        ),
        decode=("ResourcePolicies",),
    ),
    Kind(
        "AWS::Glue::Database",
        service="glue",
        list=Call(
            operation="GetDatabases",
            params={"MaxResults": 100},
            take="DatabaseList",
            keep="Name LocationUri TargetDatabase CreateTime CatalogId",
        ),
        arn="arn:{partition}:glue:{region}:{account}:database/{Name}",
        details=(
            # A database that bears no tag gets an answer without a list.
            Call(
                operation="GetResourceLFTags",
                service="lakeformation",
                args={"Resource": "{Database: {Name: Name}}"},
                take="LFTagOnDatabase[].{TagKey: TagKey, TagValues: TagValues}",
                into="LFTags",
                gone=_GONE,
                optional=True,
            ),
        ),
    ),
    Kind(
        "AWS::Glue::Table",
        service="glue",
        parent="AWS::Glue::Database",
        list=Call(
            operation="GetTables",
            args={"DatabaseName": "Name"},
            params={"MaxResults": 100},
            # Columns and their comments are not kept; what decides about a table's format is.
            take="TableList[].{Name: Name, DatabaseName: DatabaseName, TableType: TableType,"
            " CreateTime: CreateTime, UpdateTime: UpdateTime, LastAccessTime: LastAccessTime,"
            " PartitionKeys: PartitionKeys[].Name, TargetTable: TargetTable,"
            " FederatedTable: FederatedTable.{ConnectionName: ConnectionName},"
            " IcebergTableMetadata: IcebergTableMetadata, "
            f" Parameters: {{{_PARAMETERS}}},"
            " StorageDescriptor: StorageDescriptor.{Location: Location, InputFormat: InputFormat,"
            " OutputFormat: OutputFormat, Compressed: Compressed,"
            " SerdeInfo: SerdeInfo.{SerializationLibrary: SerializationLibrary}}}",
            keep="Name DatabaseName TableType CreateTime UpdateTime LastAccessTime PartitionKeys TargetTable "
            "FederatedTable IcebergTableMetadata Parameters StorageDescriptor",
            gone=_GONE,
        ),
        arn="arn:{partition}:glue:{region}:{account}:table/{DatabaseName}/{Name}",
        details=(
            Call(
                operation="BatchGetTableOptimizer",
                args={"Entries": f"[{_ENTRIES}]"},
                when="contains(['ICEBERG', 'iceberg', 'Iceberg'], Parameters.table_type || '')",
                failures="Failures[].error.ErrorCode",
                # The answer names each optimizer under the one list or under the other.
                take="(TableOptimizers || (Failures && `[]`))[].tableOptimizer.{type: type,"
                " enabled: configuration.enabled, configurationSource: configurationSource,"
                " lastRun: lastRun.{eventType: eventType, endTimestamp: endTimestamp}}",
                into="TableOptimizers",
                absent=_GONE,
            ),
            Call(
                operation="GetPartitionIndexes",
                args=_TABLE,
                when="PartitionKeys",
                take="PartitionIndexDescriptorList[].{IndexName: IndexName, IndexStatus: IndexStatus}",
                into="PartitionIndexes",
                gone=_GONE,
            ),
            # The partitions on each page, up to the eleven thousandth: rules ask whether there are too many
            # to go without an index, not how many there are.
            Call(
                operation="GetPartitions",
                args=_TABLE,
                params={"ExcludeColumnSchema": True, "MaxResults": 1000},
                when="PartitionKeys && Parameters.\"projection.enabled\" != 'true' && !PartitionIndexes",
                take="[length(Partitions)]",
                into="PartitionCounts",
                gone=_GONE,
                pages=11,
            ),
        ),
    ),
    Kind(
        "AWS::Glue::DataQualityRuleset",
        service="glue",
        within="AWS::Glue::Database",
        list=Call(
            operation="ListDataQualityRulesets",
            params={"MaxResults": 1000},
            take="Rulesets",
            keep="Name TargetTable CreatedOn LastModifiedOn RuleCount",
            token="NextToken",
            next="NextToken",
        ),
        arn="arn:{partition}:glue:{region}:{account}:dataQualityRuleset/{Name}",
    ),
    Kind(
        "AWS::Glue::DataQualityResult",
        service="glue",
        within="AWS::Glue::Database",
        list=Call(
            operation="ListDataQualityResults",
            args={"Filter": "{StartedAfter: month_ago}"},
            params={"MaxResults": 1000},
            take="Results[].{ResultId: ResultId, JobName: JobName, StartedOn: StartedOn,"
            " GlueTable: DataSource.GlueTable.{DatabaseName: DatabaseName, TableName: TableName}}",
            keep="ResultId JobName StartedOn GlueTable",
            token="NextToken",
            next="NextToken",
        ),
        name="ResultId",
        arn="arn:{partition}:glue:{region}:{account}:dataQualityResult/{ResultId}",
    ),
)
