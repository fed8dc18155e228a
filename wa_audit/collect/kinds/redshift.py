"""Amazon Redshift, provisioned and serverless."""

from wa_audit.collect import sql
from wa_audit.collect.kinds import Call, Kind

# The parameters that rules read; each group has some thirty.
_PARAMETERS = (
    '`["require_ssl", "enable_user_activity_logging", "max_concurrency_scaling_clusters",'
    ' "wlm_json_configuration"]`'
)
_GONE = ("ClusterNotFound",)
# The columns of `sql.EXTERNAL_TABLES`, in their order.
_EXTERNAL_TABLE = (
    "{Superuser: [0].booleanValue, Databases: [1].longValue, SchemaName: [2].stringValue,"
    " Kind: [3].longValue, DatabaseName: [4].stringValue, TableName: [5].stringValue,"
    " InputFormat: [6].stringValue, SerializationLibrary: [7].stringValue, InS3: [8].booleanValue,"
    " PartitionKeys: [9].longValue}"
)


def _tags(arn: str) -> Call:
    return Call(
        operation="ListTagsForResource",
        args={"resourceArn": arn},
        take="tags",
        into="Tags",
        gone=("ResourceNotFoundException",),
        optional=True,
    )


KINDS = (
    Kind(
        "AWS::Redshift::Cluster",
        service="redshift",
        # MasterUsername and PendingModifiedValues, which can hold a password, are not kept.
        list=Call(
            operation="DescribeClusters",
            params={"MaxRecords": 100},
            take="Clusters",
            keep="ClusterIdentifier ClusterNamespaceArn ClusterStatus ClusterCreateTime ClusterVersion "
            "NodeType NumberOfNodes AutomatedSnapshotRetentionPeriod ManualSnapshotRetentionPeriod "
            "VpcSecurityGroups ClusterParameterGroups ClusterSubnetGroupName VpcId AvailabilityZone MultiAZ "
            "PubliclyAccessible Encrypted KmsKeyId HsmStatus ClusterSnapshotCopyStatus EnhancedVpcRouting "
            "IamRoles DefaultIamRoleArn MasterPasswordSecretArn Endpoint DBName Tags",
            drop="Endpoint.VpcEndpoints",
        ),
        name="ClusterIdentifier",
        arn="arn:{partition}:redshift:{region}:{account}:cluster:{ClusterIdentifier}",
        details=(
            Call(
                operation="DescribeLoggingStatus",
                args={"ClusterIdentifier": "ClusterIdentifier"},
                take="{LoggingEnabled: LoggingEnabled, BucketName: BucketName,"
                " LastSuccessfulDeliveryTime: LastSuccessfulDeliveryTime, LastFailureTime: LastFailureTime,"
                " LogDestinationType: LogDestinationType, LogExports: LogExports}",
                into="LoggingStatus",
                gone=_GONE,
            ),
            # Without a user's name the database's user is that of the caller's IAM identity:
            # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
            # A cluster that is paused, or on its way there or back, answers no SQL.
            Call(
                operation="ExecuteStatement",
                service="redshift-data",
                args={"ClusterIdentifier": "ClusterIdentifier", "Database": "DBName"},
                params={"Sql": sql.EXTERNAL_TABLES, "StatementName": "wa-audit"},
                when="starts_with(ClusterStatus || '', 'available')",
                take="Id",
                into="StatementId",
            ),
            Call(
                operation="DescribeStatement",
                service="redshift-data",
                args={"Id": "StatementId"},
                when="StatementId",
                until='contains(`["FINISHED", "FAILED", "ABORTED"]`, Status)',
                failures="(Status == 'FAILED' || Status == 'ABORTED')"
                " && [join(': ', [Status, not_null(Error, 'no reason given')])]",
                take="Status",
                into="StatementStatus",
            ),
            Call(
                operation="GetStatementResult",
                service="redshift-data",
                args={"Id": "StatementId"},
                when="StatementStatus",
                take=f"Records[*].{_EXTERNAL_TABLE}",
                into="ExternalTables",
            ),
        ),
        passing=("StatementId", "StatementStatus"),
    ),
    Kind(
        "AWS::Redshift::ClusterParameterGroup",
        service="redshift",
        within="AWS::Redshift::Cluster",
        list=Call(
            operation="DescribeClusterParameterGroups",
            params={"MaxRecords": 100},
            take="ParameterGroups",
            keep="ParameterGroupName ParameterGroupFamily Tags",
        ),
        name="ParameterGroupName",
        arn="arn:{partition}:redshift:{region}:{account}:parametergroup:{ParameterGroupName}",
        details=(
            Call(
                operation="DescribeClusterParameters",
                args={"ParameterGroupName": "ParameterGroupName"},
                params={"MaxRecords": 100},
                take=f"Parameters[?contains({_PARAMETERS}, ParameterName)].{{ParameterName: ParameterName,"
                " ParameterValue: ParameterValue, Source: Source}",
                into="Parameters",
                gone=("ClusterParameterGroupNotFound",),
            ),
        ),
        scrub=("Parameters",),
    ),
    Kind(
        "AWS::Redshift::ClusterSubnetGroup",
        service="redshift",
        within="AWS::Redshift::Cluster",
        list=Call(
            operation="DescribeClusterSubnetGroups",
            params={"MaxRecords": 100},
            take="ClusterSubnetGroups[].{ClusterSubnetGroupName: ClusterSubnetGroupName, VpcId: VpcId,"
            " Subnets: Subnets[].{SubnetIdentifier: SubnetIdentifier,"
            " AvailabilityZone: SubnetAvailabilityZone.Name}, Tags: Tags}",
            keep="ClusterSubnetGroupName VpcId Subnets Tags",
        ),
        name="ClusterSubnetGroupName",
        arn="arn:{partition}:redshift:{region}:{account}:subnetgroup:{ClusterSubnetGroupName}",
    ),
    Kind(
        "AWS::Redshift::ClusterSnapshot",
        service="redshift",
        list=Call(
            operation="DescribeClusterSnapshots",
            params={"MaxRecords": 100},
            take="Snapshots",
            keep="SnapshotIdentifier ClusterIdentifier SnapshotCreateTime Status SnapshotType Encrypted "
            "KmsKeyId SourceRegion ManualSnapshotRetentionPeriod",
        ),
        name="SnapshotIdentifier",
        arn="arn:{partition}:redshift:{region}:{account}:snapshot:{ClusterIdentifier}/{SnapshotIdentifier}",
    ),
    Kind(
        "AWS::Redshift::UsageLimit",
        service="redshift",
        within="AWS::Redshift::Cluster",
        list=Call(
            operation="DescribeUsageLimits",
            params={"MaxRecords": 100},
            take="UsageLimits",
            keep="UsageLimitId ClusterIdentifier FeatureType LimitType Amount Period BreachAction",
        ),
        name="UsageLimitId",
        arn="arn:{partition}:redshift:{region}:{account}:usagelimit:{UsageLimitId}",
    ),
    Kind(
        "AWS::Redshift::DataShare",
        service="redshift",
        within="AWS::Redshift::Cluster AWS::RedshiftServerless::Namespace",
        list=Call(
            operation="DescribeDataShares",
            params={"MaxRecords": 100},
            take="DataShares[].{DataShareArn: DataShareArn, ProducerArn: ProducerArn,"
            " AllowPubliclyAccessibleConsumers: AllowPubliclyAccessibleConsumers,"
            " Consumers: DataShareAssociations[?Status == 'ACTIVE' || Status == 'AUTHORIZED']"
            ".ConsumerIdentifier}",
            keep="DataShareArn ProducerArn AllowPubliclyAccessibleConsumers Consumers",
            optional=True,
        ),
        name="DataShareArn",
        arn="{DataShareArn}",
    ),
    Kind(
        "AWS::RedshiftServerless::Workgroup",
        service="redshift-serverless",
        # A namespace with a workgroup cannot be deleted:
        # https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-console-namespace-delete.html
        within="AWS::RedshiftServerless::Namespace",
        list=Call(
            operation="ListWorkgroups",
            params={"maxResults": 100},
            take="workgroups",
            keep="workgroupArn workgroupName workgroupId namespaceName status creationDate baseCapacity "
            "maxCapacity configParameters enhancedVpcRouting publiclyAccessible securityGroupIds subnetIds "
            "port pricePerformanceTarget",
        ),
        name="workgroupName",
        arn="{workgroupArn}",
        details=(_tags("workgroupArn"),),
    ),
    Kind(
        "AWS::RedshiftServerless::Namespace",
        service="redshift-serverless",
        list=Call(
            operation="ListNamespaces",
            params={"maxResults": 100},
            take="namespaces",
            keep="namespaceArn namespaceName namespaceId status creationDate kmsKeyId iamRoles "
            "defaultIamRoleArn logExports adminPasswordSecretArn",
        ),
        name="namespaceName",
        arn="{namespaceArn}",
        details=(_tags("namespaceArn"),),
    ),
    Kind(
        "AWS::RedshiftServerless::SnapshotCopyConfiguration",
        service="redshift-serverless",
        within="AWS::RedshiftServerless::Namespace",
        list=Call(
            operation="ListSnapshotCopyConfigurations",
            params={"maxResults": 100},
            take="snapshotCopyConfigurations",
            keep="snapshotCopyConfigurationArn snapshotCopyConfigurationId namespaceName destinationRegion "
            "destinationKmsKeyId snapshotRetentionPeriod",
        ),
        name="snapshotCopyConfigurationId",
        arn="{snapshotCopyConfigurationArn}",
    ),
    Kind(
        "AWS::RedshiftServerless::UsageLimit",
        service="redshift-serverless",
        list=Call(
            operation="ListUsageLimits",
            params={"maxResults": 100},
            take="usageLimits",
            keep="usageLimitArn usageLimitId resourceArn usageType amount period breachAction",
        ),
        name="usageLimitId",
        arn="{usageLimitArn}",
    ),
)
