"""The rows: which field of which type declares which relation.

`Row(type, kind, target)` says that a resource of the type stands in the relation to what the path names.
Where a resource only proves a relation between two others (an event source mapping between a queue and a
function), `source` names the path of the first. A path is `Field.field[].field`, with a conversion after `|`
(see `convert`) that turns what stands there into ARNs; `@` is the resource itself. `needs` names the types
that a conversion looks up, and `to` the services, as ARNs spell them, that the targets are of, where these are
fewer than any: what could not be read of a row makes nothing else unknown.

What has no ARN is known by a URI: `kafka://host:9092`, `https://host`, `nfs://server/path`.
"""

from __future__ import annotations

from typing import NamedTuple

from wa_audit.aws import references


class Row(NamedTuple):
    type: str
    kind: str
    target: str
    source: str = ""
    needs: tuple[str, ...] = ()
    to: str = ""


FLOWS = {
    "triggers": 1,
    "starts": 1,
    "delivers-to": 1,
    "writes-to": 1,
    "replicates-to": 1,
    "backs-up-to": 1,
    "transforms-with": 1,
    "reads-from": -1,
    "lies-in": -1,
    "uses": 0,
}
"""The relations along which data, or the event that it has come, moves: from source to target (1), from target
to source (-1), or either way, which configuration does not say (0)."""

# Services: what settings refer to, what IoT rules send to, where functions send what came of a call.
_REFERRED = " ".join(sorted(references.SERVICES))
_IOT = "dynamodb firehose iotevents kafka kinesis lambda s3 sns sqs states"
_DESTINATIONS = "sqs sns lambda events s3"
_FIREHOSE = "AWS::KinesisFirehose::DeliveryStream"
_MACHINE = "AWS::StepFunctions::StateMachine"
_LOCATION = ("AWS::DataSync::Location",)
_ENDPOINT = ("AWS::DMS::Endpoint",)
_MSK = ("AWS::MSK::Cluster",)
_THROUGH = ("AWS::Glue::Connection", "AWS::MSK::Cluster")
_POLICY = ("AWS::IAM::ManagedPolicy",)
_SECRET = ("AWS::SecretsManager::Secret",)
_VPC_ENDPOINT = ("AWS::EC2::VPCEndpoint",)

# fmt: off
ROWS = (
    # what gives up to what
    Row("AWS::SQS::Queue",                 "dead-letters-to", "RedrivePolicy.deadLetterTargetArn", to="sqs"),
    Row("AWS::SNS::Subscription",          "dead-letters-to", "RedrivePolicy.deadLetterTargetArn", to="sqs"),
    Row("AWS::Lambda::Function",           "dead-letters-to", "DeadLetterConfig.TargetArn", to="sqs sns"),
    Row("AWS::Lambda::Function",           "dead-letters-to", "EventInvokeConfigs[].DestinationConfig.OnFailure.Destination", to=_DESTINATIONS),
    Row("AWS::Lambda::EventSourceMapping", "dead-letters-to", "DestinationConfig.OnFailure.Destination", to="sqs sns s3 kafka"),
    Row("AWS::Events::Rule",               "dead-letters-to", "Targets[].DeadLetterConfig.Arn", to="sqs"),
    Row("AWS::Scheduler::Schedule",        "dead-letters-to", "Target.DeadLetterConfig.Arn", to="sqs"),
    Row("AWS::Pipes::Pipe",                "dead-letters-to", "SourceParameters|deadletters", to="sqs sns"),
    Row("AWS::IoT::TopicRule",             "dead-letters-to", "errorAction|iot", to=_IOT),

    # what starts what
    Row("AWS::Lambda::EventSourceMapping", "triggers", "FunctionArn", source="EventSourceArn", to="lambda"),
    Row("AWS::Lambda::EventSourceMapping", "triggers", "FunctionArn", source="SelfManagedEventSource|brokers", to="lambda"),
    Row("AWS::Events::Rule",               "triggers", "Targets[].Arn"),
    Row("AWS::Events::Rule",               "triggers", "Targets[].EcsParameters.TaskDefinitionArn|taskdef"),
    Row("AWS::Events::Rule",               "triggers", "@", source="EventPattern|matched", needs=("AWS::S3::Bucket",), to="events"),
    Row("AWS::Scheduler::Schedule",        "triggers", "Target.Arn"),
    Row("AWS::Scheduler::Schedule",        "triggers", "Target.EcsParameters.TaskDefinitionArn|taskdef"),
    Row("AWS::SNS::Subscription",          "triggers", "Endpoint", source="TopicArn", to="lambda sqs firehose"),
    Row("AWS::S3::Bucket",                 "triggers", "Notifications.LambdaFunctionConfigurations[].LambdaFunctionArn", to="lambda"),
    Row("AWS::S3::Bucket",                 "triggers", "Notifications.QueueConfigurations[].QueueArn", to="sqs"),
    Row("AWS::S3::Bucket",                 "triggers", "Notifications.TopicConfigurations[].TopicArn", to="sns"),
    Row("AWS::Glue::Trigger",              "triggers", "Actions[].JobName|job"),
    Row("AWS::Glue::Trigger",              "triggers", "Actions[].CrawlerName|crawler"),
    Row("AWS::Glue::Trigger",              "triggers", "@", source="Predicate.Conditions[].JobName|job", to="glue"),
    Row("AWS::Glue::Trigger",              "triggers", "@", source="Predicate.Conditions[].CrawlerName|crawler", to="glue"),
    Row("AWS::Glue::Trigger",              "triggers", "@", source="WorkflowName|workflow", to="glue"),
    Row("AWS::Pipes::Pipe",                "triggers", "@", source="Source|stream", to="pipes"),
    Row(_MACHINE,                          "starts", "definition|started", to="athena ecs elasticmapreduce emr-serverless glue lambda redshift states"),
    Row("AWS::ECS::Service",               "starts", "taskDefinition|taskdef"),

    # where data goes
    Row("AWS::Lambda::Function",           "delivers-to", "EventInvokeConfigs[].DestinationConfig.OnSuccess.Destination", to=_DESTINATIONS),
    Row("AWS::Pipes::Pipe",                "delivers-to", "Target"),
    Row("AWS::Pipes::Pipe",                "transforms-with", "Enrichment", to="lambda states events"),
    Row("AWS::IoT::TopicRule",             "delivers-to", "actions|iot", to=_IOT),
    Row(_FIREHOSE,                         "delivers-to", "Destinations[].ExtendedS3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "delivers-to", "Destinations[].S3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "delivers-to", "Destinations[].RedshiftDestinationDescription.S3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "delivers-to", "Destinations[].AmazonopensearchserviceDestinationDescription.DomainARN", to="es"),
    Row(_FIREHOSE,                         "delivers-to", "Destinations[].ElasticsearchDestinationDescription.DomainARN", to="es"),
    Row(_FIREHOSE,                         "delivers-to", "Destinations[].AmazonOpenSearchServerlessDestinationDescription.CollectionEndpoint|endpoint"),
    Row(_FIREHOSE,                         "delivers-to", "Destinations[].IcebergDestinationDescription|iceberg"),
    Row(_FIREHOSE,                         "delivers-to", "Destinations[].SnowflakeDestinationDescription.AccountUrl|endpoint"),
    Row(_FIREHOSE,                         "delivers-to", "Destinations|references", to="redshift redshift-serverless"),
    Row(_FIREHOSE,                         "backs-up-to", "Destinations[].ExtendedS3DestinationDescription.S3BackupDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "backs-up-to", "Destinations[].RedshiftDestinationDescription.S3BackupDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "backs-up-to", "Destinations[].AmazonopensearchserviceDestinationDescription.S3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "backs-up-to", "Destinations[].ElasticsearchDestinationDescription.S3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "backs-up-to", "Destinations[].AmazonOpenSearchServerlessDestinationDescription.S3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "backs-up-to", "Destinations[].HttpEndpointDestinationDescription.S3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "backs-up-to", "Destinations[].SplunkDestinationDescription.S3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "backs-up-to", "Destinations[].SnowflakeDestinationDescription.S3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "backs-up-to", "Destinations[].IcebergDestinationDescription.S3DestinationDescription.BucketARN", to="s3"),
    Row(_FIREHOSE,                         "reads-from", "Source.KinesisStreamSourceDescription.KinesisStreamARN", to="kinesis"),
    Row(_FIREHOSE,                         "reads-from", "Source.MSKSourceDescription.MSKClusterARN", to="kafka"),
    Row(_FIREHOSE,                         "reads-from", "Source.DatabaseSourceDescription|followed"),
    Row(_FIREHOSE,                         "transforms-with", "Destinations|functions"),
    Row(_MACHINE,                          "writes-to", "definition|written", to="dynamodb events firehose kinesis s3 sns sqs"),
    Row(_MACHINE,                          "reads-from", "definition|read", to="dynamodb s3 sqs"),
    Row("AWS::S3::Bucket",                 "replicates-to", "Replication.Rules[].Destination.Bucket", to="s3"),
    Row("AWS::DynamoDB::Table",            "replicates-to", "Replicas[].RegionName|replica"),
    Row("AWS::Glue::Table",                "lies-in", "StorageDescriptor.Location|bucket"),
    Row("AWS::Glue::Crawler",              "reads-from", "Targets.S3Targets[].Path|bucket"),
    Row("AWS::Glue::Crawler",              "reads-from", "Targets.DynamoDBTargets[].Path|table"),
    Row("AWS::Glue::Crawler",              "reads-from", "Targets.CatalogTargets[].DatabaseName|database"),
    Row("AWS::Glue::Crawler",              "writes-to", "DatabaseName|database"),
    Row("AWS::Glue::Table",                "uses", "DatabaseName|database"),
    Row("AWS::Glue::Database",             "uses", "TargetDatabase.DatabaseName|database"),
    Row("AWS::Glue::Job",                  "uses", "DefaultArguments|references", to=_REFERRED),
    Row("AWS::Glue::Job",                  "uses", "Connections.Connections[]|connection"),
    Row("AWS::Glue::Job",                  "uses", "Connections.Connections[]|through", needs=_THROUGH, to="kafka redshift redshift-serverless"),
    Row("AWS::Glue::Crawler",              "reads-from", "Targets.JdbcTargets[].ConnectionName|connection"),
    Row("AWS::Lambda::Function",           "uses", "Environment|references", to=_REFERRED),
    Row("AWS::ECS::TaskDefinition",        "uses", "containerDefinitions|references", to=_REFERRED),
    Row("AWS::KafkaConnect::Connector",    "uses", "connectorConfiguration|connector", to="s3 kinesis"),
    Row("AWS::KafkaConnect::Connector",    "uses", "kafkaCluster.apacheKafkaCluster.bootstrapServers|broker", needs=_MSK, to="kafka"),
    Row("AWS::DataSync::Task",             "reads-from", "SourceLocationArn|location", needs=_LOCATION, to="s3 datasync"),
    Row("AWS::DataSync::Task",             "delivers-to", "DestinationLocationArn|location", needs=_LOCATION, to="s3 datasync"),
    Row("AWS::DMS::ReplicationTask",       "reads-from", "SourceEndpointArn|dms", needs=_ENDPOINT, to="s3 kinesis dms"),
    Row("AWS::DMS::ReplicationTask",       "delivers-to", "TargetEndpointArn|dms", needs=_ENDPOINT, to="s3 kinesis dms"),
    Row("AWS::EMR::Cluster",               "uses", "Steps|references", to="athena dynamodb es firehose glue kinesis s3 sns sqs"),
    Row("AWS::Kinesis::StreamConsumer",    "reads-from", "ConsumerARN", to="kinesis"),
    Row("AWS::Redshift::DataShare",        "delivers-to", "Consumers[]|consumer", source="ProducerArn|namespace", needs=("AWS::Redshift::Cluster",), to="redshift"),
    Row("AWS::QuickSight::DataSource",     "reads-from", "DataSourceParameters|quicksight", to="athena redshift redshift-serverless rds s3"),
    Row("AWS::QuickSight::DataSet",        "reads-from", "DataSources[]", to="quicksight"),

    # who copies what away
    Row("AWS::Backup::ProtectedResource",  "backs-up", "ResourceArn"),

    # scratch: written by a service for itself
    Row("AWS::Athena::WorkGroup",          "scratches-in", "Configuration.ResultConfiguration.OutputLocation|bucket"),
    Row("AWS::Glue::Job",                  "scratches-in", "DefaultArguments.--TempDir|bucket"),
    Row("AWS::Glue::Job",                  "logs-to", "DefaultArguments.--spark-event-logs-path|bucket"),
    Row("AWS::Glue::Job",                  "runs-code-from", "Command.ScriptLocation|bucket"),
    Row("AWS::EMR::Cluster",               "logs-to", "LogUri|bucket"),
    Row("AWS::S3::Bucket",                 "logs-to", "LoggingEnabled.TargetBucket|bucket"),
    Row("AWS::Redshift::Cluster",          "logs-to", "LoggingStatus.BucketName|bucket"),
    Row("AWS::MSK::Cluster",               "logs-to", "Provisioned.LoggingInfo.BrokerLogs.S3.Bucket|bucket"),
    Row("AWS::Pipes::Pipe",                "logs-to", "LogConfiguration.S3LogDestination.BucketName|bucket"),
    Row("AWS::DataSync::Task",             "logs-to", "CloudWatchLogGroupArn", to="logs"),
    Row(_MACHINE,                          "logs-to", "loggingConfiguration.destinations[].cloudWatchLogsLogGroup.logGroupArn", to="logs"),
    Row("AWS::Lambda::Function",           "logs-to", "LoggingConfig.LogGroup|loggroup"),

    # who runs as whom
    Row("AWS::Lambda::Function",           "runs-as", "Role|role"),
    Row("AWS::Glue::Job",                  "runs-as", "Role|role"),
    Row("AWS::Glue::Crawler",              "runs-as", "Role|role"),
    Row(_MACHINE,                          "runs-as", "roleArn|role"),
    Row("AWS::Events::Rule",               "runs-as", "RoleArn|role"),
    Row("AWS::Events::Rule",               "runs-as", "Targets[].RoleArn|role"),
    Row("AWS::Scheduler::Schedule",        "runs-as", "Target.RoleArn|role"),
    Row("AWS::Pipes::Pipe",                "runs-as", "RoleArn|role"),
    Row("AWS::EMR::Cluster",               "runs-as", "ServiceRole|role"),
    Row("AWS::EMR::Cluster",               "runs-as", "AutoScalingRole|role"),
    Row("AWS::EMR::Cluster",               "runs-as", "Ec2InstanceAttributes.IamInstanceProfile|role"),
    Row(_FIREHOSE,                         "runs-as", "Destinations|roles"),
    Row(_FIREHOSE,                         "runs-as", "Source.KinesisStreamSourceDescription.RoleARN|role"),
    Row(_FIREHOSE,                         "runs-as", "Source.MSKSourceDescription.AuthenticationConfiguration.RoleARN|role"),
    Row("AWS::IoT::TopicRule",             "runs-as", "actions|roles"),
    Row("AWS::IoT::TopicRule",             "runs-as", "errorAction|roles"),
    Row("AWS::S3::Bucket",                 "runs-as", "Replication.Role|role"),
    Row("AWS::KafkaConnect::Connector",    "runs-as", "serviceExecutionRoleArn|role"),
    Row("AWS::ECS::TaskDefinition",        "runs-as", "taskRoleArn|role"),
    Row("AWS::ECS::TaskDefinition",        "runs-as", "executionRoleArn|role"),
    Row("AWS::Redshift::Cluster",          "runs-as", "IamRoles[].IamRoleArn|role"),
    Row("AWS::RedshiftServerless::Namespace", "runs-as", "iamRoles[]|rolein"),
    Row("AWS::DMS::Endpoint",              "runs-as", "ServiceAccessRoleArn|role"),
    Row("AWS::LakeFormation::Resource",    "runs-as", "RoleArn|role"),

    # what a role's policies let it touch, where they name it
    Row("AWS::IAM::Role",                  "may-read", "RolePolicyList|readable"),
    Row("AWS::IAM::Role",                  "may-read", "AttachedManagedPolicies|readable", needs=_POLICY),
    Row("AWS::IAM::Role",                  "may-write", "RolePolicyList|writable"),
    Row("AWS::IAM::Role",                  "may-write", "AttachedManagedPolicies|writable", needs=_POLICY),

    # what encrypts with which key
    Row("AWS::S3::Bucket",                 "encrypts-with", "Encryption[].ApplyServerSideEncryptionByDefault.KMSMasterKeyID|key"),
    Row("AWS::SQS::Queue",                 "encrypts-with", "KmsMasterKeyId|key"),
    Row("AWS::SNS::Topic",                 "encrypts-with", "KmsMasterKeyId|key"),
    Row("AWS::Lambda::Function",           "encrypts-with", "KMSKeyArn|key"),
    Row("AWS::Kinesis::Stream",            "encrypts-with", "KeyId|key"),
    Row(_FIREHOSE,                         "encrypts-with", "DeliveryStreamEncryptionConfiguration.KeyARN|key"),
    Row("AWS::DynamoDB::Table",            "encrypts-with", "SSEDescription.KMSMasterKeyArn|key"),
    Row(_MACHINE,                          "encrypts-with", "encryptionConfiguration.kmsKeyId|key"),
    Row("AWS::Athena::WorkGroup",          "encrypts-with", "Configuration.ResultConfiguration.EncryptionConfiguration.KmsKey|key"),
    Row("AWS::EMR::Cluster",               "encrypts-with", "LogEncryptionKmsKeyId|key"),
    Row("AWS::Glue::SecurityConfiguration", "encrypts-with", "EncryptionConfiguration.S3Encryption[].KmsKeyArn|key"),
    Row("AWS::Glue::SecurityConfiguration", "encrypts-with", "EncryptionConfiguration.CloudWatchEncryption.KmsKeyArn|key"),
    Row("AWS::Glue::SecurityConfiguration", "encrypts-with", "EncryptionConfiguration.JobBookmarksEncryption.KmsKeyArn|key"),
    Row("AWS::Glue::DataCatalogEncryptionSettings", "encrypts-with", "EncryptionAtRest.SseAwsKmsKeyId|key"),
    Row("AWS::MSK::Cluster",               "encrypts-with", "Provisioned.EncryptionInfo.EncryptionAtRest.DataVolumeKMSKeyId|key"),
    Row("AWS::Redshift::Cluster",          "encrypts-with", "KmsKeyId|key"),
    Row("AWS::RedshiftServerless::Namespace", "encrypts-with", "kmsKeyId|key"),
    Row("AWS::OpenSearchService::Domain",  "encrypts-with", "EncryptionAtRestOptions.KmsKeyId|key"),
    Row("AWS::Logs::LogGroup",             "encrypts-with", "kmsKeyId|key"),
    Row("AWS::XRay::EncryptionConfig",     "encrypts-with", "KeyId|key"),
    Row("AWS::Glue::Job",                  "secured-by", "SecurityConfiguration|secconf"),
    Row("AWS::Glue::Crawler",              "secured-by", "CrawlerSecurityConfiguration|secconf"),

    # what logs in with which secret
    Row("AWS::Glue::Connection",           "authenticates-with", "ConnectionProperties.SECRET_ID|secret", needs=_SECRET),
    Row("AWS::Glue::Connection",           "authenticates-with", "ConnectionProperties.KAFKA_SASL_SCRAM_SECRETS_ARN|secret", needs=_SECRET),
    Row("AWS::Glue::Connection",           "authenticates-with", "AuthenticationConfiguration.SecretArn|secret", needs=_SECRET),
    Row(_FIREHOSE,                         "authenticates-with", "Destinations[].RedshiftDestinationDescription.SecretsManagerConfiguration.SecretARN|secret", needs=_SECRET),
    Row(_FIREHOSE,                         "authenticates-with", "Destinations[].HttpEndpointDestinationDescription.SecretsManagerConfiguration.SecretARN|secret", needs=_SECRET),
    Row(_FIREHOSE,                         "authenticates-with", "Destinations[].SnowflakeDestinationDescription.SecretsManagerConfiguration.SecretARN|secret", needs=_SECRET),
    Row(_FIREHOSE,                         "authenticates-with", "Destinations[].SplunkDestinationDescription.SecretsManagerConfiguration.SecretARN|secret", needs=_SECRET),
    Row("AWS::DMS::Endpoint",              "authenticates-with", "SecretsManagerSecretId|secret", needs=_SECRET),
    Row("AWS::ECS::TaskDefinition",        "authenticates-with", "containerDefinitions[].secrets[].valueFrom|secret", needs=_SECRET),
    Row("AWS::QuickSight::DataSource",     "authenticates-with", "SecretArn|secret", needs=_SECRET),
    Row("AWS::Redshift::Cluster",          "authenticates-with", "MasterPasswordSecretArn|secret", needs=_SECRET),
    Row("AWS::RedshiftServerless::Namespace", "authenticates-with", "adminPasswordSecretArn|secret", needs=_SECRET),

    # where it stands in the network
    Row("AWS::Lambda::Function",           "placed-in", "VpcConfig.SubnetIds[]|subnet"),
    Row("AWS::EMR::Cluster",               "placed-in", "Ec2InstanceAttributes.Ec2SubnetId|subnet"),
    Row("AWS::MSK::Cluster",               "placed-in", "Provisioned.BrokerNodeGroupInfo.ClientSubnets[]|subnet"),
    Row("AWS::OpenSearchService::Domain",  "placed-in", "VPCOptions.SubnetIds[]|subnet"),
    Row("AWS::RedshiftServerless::Workgroup", "placed-in", "subnetIds[]|subnet"),
    Row("AWS::ECS::Service",               "placed-in", "networkConfiguration.awsvpcConfiguration.subnets[]|subnet"),
    Row("AWS::Glue::Connection",           "placed-in", "PhysicalConnectionRequirements.SubnetId|subnet"),
    Row("AWS::EC2::VPCEndpoint",           "placed-in", "SubnetIds[]|subnet"),
    Row("AWS::Redshift::Cluster",          "placed-in", "ClusterSubnetGroupName|subnetgroup", needs=("AWS::Redshift::ClusterSubnetGroup",)),
    Row("AWS::EMRServerless::Application", "placed-in", "networkConfiguration.subnetIds[]|subnet"),
    Row("AWS::KafkaConnect::Connector",    "placed-in", "kafkaCluster.apacheKafkaCluster.vpc.subnets[]|subnet"),
    Row("AWS::DMS::ReplicationInstance",   "placed-in", "ReplicationSubnetGroup.Subnets[].SubnetIdentifier|subnet"),

    # what stands behind which firewall
    Row("AWS::Lambda::Function",           "guarded-by", "VpcConfig.SecurityGroupIds[]|group"),
    Row("AWS::EMR::Cluster",               "guarded-by", "Ec2InstanceAttributes.EmrManagedMasterSecurityGroup|group"),
    Row("AWS::EMR::Cluster",               "guarded-by", "Ec2InstanceAttributes.EmrManagedSlaveSecurityGroup|group"),
    Row("AWS::EMR::Cluster",               "guarded-by", "Ec2InstanceAttributes.ServiceAccessSecurityGroup|group"),
    Row("AWS::EMR::Cluster",               "guarded-by", "Ec2InstanceAttributes.AdditionalMasterSecurityGroups[]|group"),
    Row("AWS::EMR::Cluster",               "guarded-by", "Ec2InstanceAttributes.AdditionalSlaveSecurityGroups[]|group"),
    Row("AWS::MSK::Cluster",               "guarded-by", "Provisioned.BrokerNodeGroupInfo.SecurityGroups[]|group"),
    Row("AWS::MSK::Cluster",               "guarded-by", "Serverless.VpcConfigs[].SecurityGroupIds[]|group"),
    Row("AWS::OpenSearchService::Domain",  "guarded-by", "VPCOptions.SecurityGroupIds[]|group"),
    Row("AWS::Redshift::Cluster",          "guarded-by", "VpcSecurityGroups[].VpcSecurityGroupId|group"),
    Row("AWS::RedshiftServerless::Workgroup", "guarded-by", "securityGroupIds[]|group"),
    Row("AWS::ECS::Service",               "guarded-by", "networkConfiguration.awsvpcConfiguration.securityGroups[]|group"),
    Row("AWS::Glue::Connection",           "guarded-by", "PhysicalConnectionRequirements.SecurityGroupIdList[]|group"),
    Row("AWS::EMRServerless::Application", "guarded-by", "networkConfiguration.securityGroupIds[]|group"),
    Row("AWS::KafkaConnect::Connector",    "guarded-by", "kafkaCluster.apacheKafkaCluster.vpc.securityGroups[]|group"),
    Row("AWS::DMS::ReplicationInstance",   "guarded-by", "VpcSecurityGroups[].VpcSecurityGroupId|group"),

    Row("AWS::Lambda::Function",           "reaches-through", "VpcConfig|endpoints", needs=_VPC_ENDPOINT, to="ec2"),

    # who hears of it, and what built it
    Row("AWS::CloudWatch::Alarm",          "notifies", "AlarmActions[]"),
    Row("AWS::CloudWatch::CompositeAlarm", "notifies", "AlarmActions[]"),
    Row("AWS::Events::Rule",               "told-of", "EventPattern|failures"),
    Row("AWS::CloudWatch::Alarm",          "watches", "@|watched"),
    Row("AWS::CloudFormation::Stack",      "builds", "Resources|built"),
    Row("AWS::LakeFormation::Resource",    "governs", "ResourceArn|bucket"),
)
# fmt: on
