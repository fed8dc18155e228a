"""Amazon MSK and MSK Connect."""

from wa_audit.collect.kinds import Call, Kind

# The settings of a broker that rules judge; nothing else is kept in full.
# https://docs.aws.amazon.com/msk/latest/developerguide/msk-configuration-properties.html
_SETTINGS = frozenset(
    "auto.create.topics.enable default.replication.factor min.insync.replicas num.partitions "
    "unclean.leader.election.enable log.retention.hours log.retention.minutes log.retention.ms "
    "allow.everyone.if.no.acl.found replica.lag.time.max.ms".split()
)
# What says where a connector reads and writes; credentials stand under other keys.
_CONNECTOR_SETTINGS = frozenset(
    "connector.class tasks.max topics topics.regex s3.bucket.name s3.region topics.dir format.class "
    "storage.class aws.region kinesis.stream".split()
)

KINDS = (
    Kind(
        "AWS::MSK::Cluster",
        service="kafka",
        list=Call(
            operation="ListClustersV2",
            params={"MaxResults": 100},
            take="ClusterInfoList",
            keep="ClusterArn ClusterName ClusterType CreationTime State Tags Provisioned Serverless",
            drop="Provisioned.ZookeeperConnectString Provisioned.ZookeeperConnectStringTls",
        ),
        name="ClusterName",
        arn="{ClusterArn}",
        details=(
            # Without a configuration of one's own, MSK's defaults hold and none is named.
            Call(
                operation="DescribeConfigurationRevision",
                args={
                    "Arn": "Provisioned.CurrentBrokerSoftwareInfo.ConfigurationArn",
                    "Revision": "Provisioned.CurrentBrokerSoftwareInfo.ConfigurationRevision",
                },
                when="Provisioned.CurrentBrokerSoftwareInfo.ConfigurationArn",
                take="ServerProperties",
                into="ServerProperties",
            ),
        ),
        properties=("ServerProperties",),
        secrets={"ServerProperties": _SETTINGS},
    ),
    Kind(
        "AWS::MSK::Configuration",
        service="kafka",
        list=Call(
            operation="ListConfigurations",
            params={"MaxResults": 100},
            take="Configurations",
            keep="Arn Name CreationTime KafkaVersions LatestRevision State",
            drop="LatestRevision.Description",
        ),
        arn="{Arn}",
        details=(
            Call(
                operation="DescribeConfigurationRevision",
                args={"Arn": "Arn", "Revision": "LatestRevision.Revision"},
                take="ServerProperties",
                into="ServerProperties",
                gone=("NotFoundException",),
            ),
        ),
        properties=("ServerProperties",),
        secrets={"ServerProperties": _SETTINGS},
    ),
    Kind(
        "AWS::MSK::KafkaVersion",
        service="kafka",
        within="AWS::MSK::Cluster",
        list=Call(
            operation="ListKafkaVersions",
            params={"MaxResults": 100},
            take="KafkaVersions",
            keep="Version Status",
        ),
        name="Version",
        # Apache Kafka's versions, as MSK offers them, have no ARN.
        arn="arn:{partition}:kafka:{region}:{account}:kafka-version/{Version}",
    ),
    Kind(
        "AWS::KafkaConnect::Connector",
        service="kafkaconnect",
        list=Call(
            operation="ListConnectors",
            params={"maxResults": 100},
            take="connectors",
            keep="connectorArn connectorName connectorState creationTime capacity kafkaCluster "
            "kafkaClusterClientAuthentication kafkaClusterEncryptionInTransit kafkaConnectVersion "
            "logDelivery plugins serviceExecutionRoleArn",
        ),
        name="connectorName",
        arn="{connectorArn}",
        details=(
            Call(
                operation="DescribeConnector",
                args={"connectorArn": "connectorArn"},
                take="connectorConfiguration",
                into="connectorConfiguration",
                gone=("NotFoundException",),
            ),
            Call(
                operation="ListTagsForResource",
                args={"resourceArn": "connectorArn"},
                take="tags",
                into="Tags",
                gone=("NotFoundException",),
                optional=True,
            ),
        ),
        secrets={"connectorConfiguration": _CONNECTOR_SETTINGS},
    ),
)
