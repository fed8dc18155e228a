"""AWS Database Migration Service."""

from wa_audit.collect.kinds import Call, Kind

_GONE = ("ResourceNotFoundFault",)
# Every engine's settings can name a secret.
_SECRET = (
    "[MongoDbSettings, RedshiftSettings, PostgreSQLSettings, MySQLSettings, OracleSettings, SybaseSettings,"
    " MicrosoftSQLServerSettings, IBMDb2Settings, DocDbSettings, GcpMySQLSettings][]"
    ".SecretsManagerSecretId | [0]"
)


def _tags(arn: str) -> Call:
    return Call(
        operation="ListTagsForResource",
        args={"ResourceArn": arn},
        take="TagList",
        into="Tags",
        gone=_GONE,
        optional=True,
    )


KINDS = (
    Kind(
        "AWS::DMS::ReplicationInstance",
        service="dms",
        list=Call(
            operation="DescribeReplicationInstances",
            params={"MaxRecords": 100},
            take="ReplicationInstances",
            keep="ReplicationInstanceArn ReplicationInstanceIdentifier ReplicationInstanceClass "
            "ReplicationInstanceStatus InstanceCreateTime VpcSecurityGroups ReplicationSubnetGroup MultiAZ "
            "EngineVersion AutoMinorVersionUpgrade KmsKeyId PubliclyAccessible",
            drop="ReplicationSubnetGroup.ReplicationSubnetGroupDescription",
        ),
        name="ReplicationInstanceIdentifier",
        arn="{ReplicationInstanceArn}",
        details=(_tags("ReplicationInstanceArn"),),
    ),
    Kind(
        "AWS::DMS::ReplicationTask",
        service="dms",
        # An instance with tasks cannot be deleted:
        # https://docs.aws.amazon.com/dms/latest/APIReference/API_DeleteReplicationInstance.html
        within="AWS::DMS::ReplicationInstance",
        # Table mappings and settings are the user's own text and are not even sent.
        list=Call(
            operation="DescribeReplicationTasks",
            params={"MaxRecords": 100, "WithoutSettings": True},
            take="ReplicationTasks",
            keep="ReplicationTaskArn ReplicationTaskIdentifier SourceEndpointArn TargetEndpointArn "
            "ReplicationInstanceArn MigrationType Status StopReason ReplicationTaskCreationDate "
            "ReplicationTaskStartDate",
        ),
        name="ReplicationTaskIdentifier",
        arn="{ReplicationTaskArn}",
        details=(_tags("ReplicationTaskArn"),),
    ),
    Kind(
        "AWS::DMS::Endpoint",
        service="dms",
        # User names, servers, connection attributes and the engines' own settings are not kept.
        list=Call(
            operation="DescribeEndpoints",
            params={"MaxRecords": 100},
            take="Endpoints[].{EndpointArn: EndpointArn, EndpointIdentifier: EndpointIdentifier,"
            " EndpointType: EndpointType, EngineName: EngineName, Status: Status, KmsKeyId: KmsKeyId,"
            " CertificateArn: CertificateArn, SslMode: SslMode, ServiceAccessRoleArn: ServiceAccessRoleArn,"
            " S3Settings: S3Settings.{BucketName: BucketName, BucketFolder: BucketFolder,"
            " ServiceAccessRoleArn: ServiceAccessRoleArn, EncryptionMode: EncryptionMode,"
            " ServerSideEncryptionKmsKeyId: ServerSideEncryptionKmsKeyId, DataFormat: DataFormat},"
            " KinesisSettings: KinesisSettings.{StreamArn: StreamArn,"
            " ServiceAccessRoleArn: ServiceAccessRoleArn},"
            f" SecretsManagerSecretId: {_SECRET}}}",
            keep="EndpointArn EndpointIdentifier EndpointType EngineName Status KmsKeyId CertificateArn "
            "SslMode ServiceAccessRoleArn S3Settings KinesisSettings SecretsManagerSecretId",
        ),
        name="EndpointIdentifier",
        arn="{EndpointArn}",
        details=(_tags("EndpointArn"),),
    ),
)
