"""The rows against moto, an implementation of AWS's APIs that is not ours.

One account holds one resource of every type that moto can hold. It is collected whole, through the real
session, engine and guard, and everything that moto does not implement must be named as such.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any
from unittest import mock

import boto3
import pytest
from moto import mock_aws

from wa_audit.collect import collect, waiting
from wa_audit.collect.kinds import all_kinds, by_type
from wa_audit.collect.session import AwsSession
from wa_audit.inventory import ACCOUNT_TYPE, Inventory
from wa_audit.model import Reason, Resource

ACCOUNT = "123456789012"
REGION = "eu-west-1"
TAGS = [{"Key": "team", "Value": "data"}]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/etl"
ALLOW = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}
)


class Seeds:
    """Makes the account. Each method makes one service's resources; they are called in their order."""

    def __init__(self, session: boto3.session.Session) -> None:
        self._session = session
        self.made: dict[str, Any] = {}
        for name in vars(type(self)):
            if not name.startswith("_"):
                getattr(self, name)()

    def _client(self, service: str) -> Any:
        return self._session.client(service)

    def iam(self) -> None:
        iam = self._client("iam")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
        iam.create_role(RoleName="etl", AssumeRolePolicyDocument=json.dumps(trust), Tags=TAGS)
        iam.create_policy(PolicyName="read", PolicyDocument=ALLOW)
        iam.create_instance_profile(InstanceProfileName="worker")
        iam.add_role_to_instance_profile(InstanceProfileName="worker", RoleName="etl")

    def network(self) -> None:
        ec2 = self._client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="etl", Description="canary", VpcId=vpc)["GroupId"]
        anyone = {
            "IpProtocol": "tcp",
            "FromPort": 5439,
            "ToPort": 5439,
            "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        }
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[anyone])
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        endpoint = ec2.create_vpc_endpoint(
            VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[table]
        )["VpcEndpoint"]["VpcEndpointId"]
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
        interface = ec2.create_network_interface(SubnetId=subnet, Groups=[group])
        image = ec2.describe_images()["Images"][0]["ImageId"]
        instance = ec2.run_instances(
            ImageId=image, MinCount=1, MaxCount=1, InstanceType="m5.large", SubnetId=subnet
        )["Instances"][0]["InstanceId"]
        self.made |= {
            "vpc": vpc,
            "subnet": subnet,
            "group": group,
            "table": table,
            "endpoint": endpoint,
            "nat": nat,
            "interface": interface["NetworkInterface"]["NetworkInterfaceId"],
            "instance": instance,
        }

    def s3(self) -> None:
        s3 = self._client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        block = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        self._client("s3control").put_public_access_block(
            AccountId=ACCOUNT, PublicAccessBlockConfiguration=block
        )

    def athena(self) -> None:
        athena = self._client("athena")
        athena.create_work_group(Name="analysts", Tags=TAGS)
        athena.create_capacity_reservation(Name="reserved", TargetDpus=24, Tags=TAGS)

    def backup(self) -> None:
        backup = self._client("backup")
        self.made["vault"] = backup.create_backup_vault(BackupVaultName="vault")["BackupVaultArn"]
        rule = {"RuleName": "daily", "TargetBackupVaultName": "vault", "Lifecycle": {"DeleteAfterDays": 35}}
        plan = {"BackupPlanName": "plan", "Rules": [rule]}
        self.made["plan"] = backup.create_backup_plan(BackupPlan=plan)["BackupPlanArn"]

    def budgets(self) -> None:
        notification = {
            "NotificationType": "ACTUAL",
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": 80.0,
            "ThresholdType": "PERCENTAGE",
        }
        person = {"SubscriptionType": "EMAIL", "Address": "canary@example.com"}
        self._client("budgets").create_budget(
            AccountId=ACCOUNT,
            Budget={
                "BudgetName": "month",
                "BudgetType": "COST",
                "TimeUnit": "MONTHLY",
                "BudgetLimit": {"Amount": "100", "Unit": "USD"},
            },
            NotificationsWithSubscribers=[{"Notification": notification, "Subscribers": [person]}],
        )

    def cloudformation(self) -> None:
        template = {
            "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}}}
        }
        stack = self._client("cloudformation").create_stack(
            StackName="pipeline", TemplateBody=json.dumps(template)
        )
        self.made["stack"] = stack["StackId"]

    def cloudtrail(self) -> None:
        self._client("s3").create_bucket(
            Bucket="trails", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        cloudtrail = self._client("cloudtrail")
        cloudtrail.create_trail(Name="main", S3BucketName="trails", IsMultiRegionTrail=True)
        cloudtrail.start_logging(Name="main")
        cloudtrail.put_event_selectors(
            TrailName="main", EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True}]
        )

    def cloudwatch(self) -> None:
        cloudwatch = self._client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName="age",
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=600,
            ComparisonOperator="GreaterThanThreshold",
        )
        metric = {
            "type": "metric",
            "properties": {"metrics": [["AWS/Glue", "glue.driver"]], "title": "canary"},
        }
        cloudwatch.put_dashboard(DashboardName="board", DashboardBody=json.dumps({"widgets": [metric]}))

    def config(self) -> None:
        config = self._client("config")
        config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": ROLE})
        config.put_delivery_channel(DeliveryChannel={"name": "channel", "s3BucketName": "trails"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")

    def datasync(self) -> None:
        datasync = self._client("datasync")
        locations = [
            datasync.create_location_s3(
                S3BucketArn=f"arn:aws:s3:::{bucket}", S3Config={"BucketAccessRoleArn": ROLE}
            )["LocationArn"]
            for bucket in ("lake", "trails")
        ]
        task = datasync.create_task(
            Name="copy", SourceLocationArn=locations[0], DestinationLocationArn=locations[1]
        )["TaskArn"]
        datasync.start_task_execution(TaskArn=task)
        self.made |= {"task": task, "location": locations[0]}

    def dms(self) -> None:
        dms = self._client("dms")
        instance = dms.create_replication_instance(
            ReplicationInstanceIdentifier="copier", ReplicationInstanceClass="dms.t3.medium", Tags=TAGS
        )["ReplicationInstance"]["ReplicationInstanceArn"]
        ends = [
            dms.create_endpoint(
                EndpointIdentifier=name,
                EndpointType=kind,
                EngineName="postgres",
                Username="canary",
                Password="canary",
                ServerName="db",
                Port=5432,
                DatabaseName="d",
                SslMode="require",
            )["Endpoint"]["EndpointArn"]
            for name, kind in (("from", "source"), ("to", "target"))
        ]
        task = dms.create_replication_task(
            ReplicationTaskIdentifier="copying",
            SourceEndpointArn=ends[0],
            TargetEndpointArn=ends[1],
            ReplicationInstanceArn=instance,
            MigrationType="full-load",
            TableMappings=json.dumps({"rules": ["canary"]}),
        )["ReplicationTask"]["ReplicationTaskArn"]
        self.made |= {"copier": instance, "from": ends[0], "copying": task}

    def dynamodb(self) -> None:
        self._client("dynamodb").create_table(
            TableName="state",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        )
        target = {
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/state",
            "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
        }
        scaling = self._client("application-autoscaling")
        scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=9)
        scaling.put_scaling_policy(
            **target,
            PolicyName="half",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={"TargetValue": 50.0},
        )

    def ecs(self) -> None:
        ecs = self._client("ecs")
        ecs.create_cluster(clusterName="main", tags=[{"key": "team", "value": "data"}])
        ecs.register_task_definition(
            family="loader",
            taskRoleArn=ROLE,
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            networkMode="awsvpc",
            containerDefinitions=[
                {
                    "name": "app",
                    "image": "loader:1",
                    "memory": 512,
                    "command": ["canary"],
                    "environment": [{"name": "TOKEN", "value": "canary"}],
                }
            ],
        )
        ecs.create_service(
            cluster="main",
            serviceName="loading",
            taskDefinition="loader",
            desiredCount=1,
            launchType="FARGATE",
        )

    def emr(self) -> None:
        emr = self._client("emr")
        self.made["cluster"] = emr.run_job_flow(
            Name="spark",
            ReleaseLabel="emr-7.3.0",
            Instances={
                "MasterInstanceType": "m5.xlarge",
                "SlaveInstanceType": "m5.xlarge",
                "InstanceCount": 2,
                "KeepJobFlowAliveWhenNoSteps": True,
            },
            JobFlowRole="worker",
            ServiceRole="etl",
            Tags=TAGS,
        )["JobFlowId"]
        emr.put_block_public_access_configuration(
            BlockPublicAccessConfiguration={
                "BlockPublicSecurityGroupRules": True,
                "PermittedPublicSecurityGroupRuleRanges": [{"MinRange": 22, "MaxRange": 22}],
            }
        )

    def emr_serverless(self) -> None:
        self.made["application"] = self._client("emr-serverless").create_application(
            name="adhoc", releaseLabel="emr-7.3.0", type="SPARK", tags={"team": "data"}
        )["arn"]

    def events(self) -> None:
        events = self._client("events")
        events.create_event_bus(Name="data")
        events.put_rule(Name="failed", EventPattern=json.dumps({"source": ["aws.glue"]}))
        events.put_targets(
            Rule="failed",
            Targets=[{"Id": "t", "Arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms", "Input": '"canary"'}],
        )

    def firehose(self) -> None:
        self._client("firehose").create_delivery_stream(
            DeliveryStreamName="landing",
            ExtendedS3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake"},
        )

    def glue(self) -> None:
        glue = self._client("glue")
        command = {"Name": "glueetl", "ScriptLocation": "s3://lake/etl.py"}
        glue.create_job(
            Name="etl",
            Role=ROLE,
            Command=command,
            DefaultArguments={"--key": "canary"},
            Tags={"team": "data"},
        )
        glue.start_job_run(JobName="etl")
        glue.create_database(DatabaseInput={"Name": "lake"})
        glue.create_table(
            DatabaseName="lake",
            TableInput={
                "Name": "orders",
                "TableType": "EXTERNAL_TABLE",
                "PartitionKeys": [{"Name": "day", "Type": "string"}],
                "StorageDescriptor": {"Location": "s3://lake/orders/"},
                "Parameters": {"classification": "parquet"},
            },
        )
        for day in ("1", "2"):
            glue.create_partition(DatabaseName="lake", TableName="orders", PartitionInput={"Values": [day]})
        glue.create_crawler(
            Name="crawl", Role=ROLE, DatabaseName="lake", Targets={"S3Targets": [{"Path": "s3://lake"}]}
        )
        glue.create_trigger(
            Name="nightly", Type="SCHEDULED", Schedule="cron(0 1 * * ? *)", Actions=[{"JobName": "etl"}]
        )
        glue.create_workflow(Name="flow", DefaultRunProperties={"password": "canary"})
        properties = {"JDBC_CONNECTION_URL": "jdbc:postgresql://db/x", "USERNAME": "u", "PASSWORD": "canary"}
        glue.create_connection(
            ConnectionInput={
                "Name": "warehouse",
                "ConnectionType": "JDBC",
                "ConnectionProperties": properties,
            }
        )
        glue.create_security_configuration(
            Name="sealed", EncryptionConfiguration={"S3Encryption": [{"S3EncryptionMode": "SSE-S3"}]}
        )

    def iot(self) -> None:
        iot = self._client("iot")
        into = {"firehose": {"roleArn": ROLE, "deliveryStreamName": "landing"}}
        http = {
            "http": {"url": "https://example.com", "headers": [{"key": "Authorization", "value": "canary"}]}
        }
        iot.create_topic_rule(ruleName="ingest", topicRulePayload={"sql": "canary", "actions": [into, http]})
        iot.create_policy(policyName="device", policyDocument=ALLOW)
        certificate = iot.create_keys_and_certificate(setAsActive=True)["certificateArn"]
        iot.attach_policy(policyName="device", target=certificate)
        self.made["certificate"] = certificate

    def kafka(self) -> None:
        self.made["brokers"] = self._client("kafka").create_cluster_v2(
            ClusterName="brokers",
            Tags={"team": "data"},
            Provisioned={
                "BrokerNodeGroupInfo": {"ClientSubnets": ["subnet-1"], "InstanceType": "kafka.m5.large"},
                "KafkaVersion": "3.6.0",
                "NumberOfBrokerNodes": 3,
                "ConfigurationInfo": {
                    "Arn": f"arn:aws:kafka:{REGION}:{ACCOUNT}:configuration/c/1",
                    "Revision": 1,
                },
            },
        )["ClusterArn"]

    def kinesis(self) -> None:
        kinesis = self._client("kinesis")
        kinesis.create_stream(StreamName="clicks", ShardCount=1)
        self.made["consumer"] = kinesis.register_stream_consumer(
            StreamARN=f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks", ConsumerName="reader"
        )["Consumer"]["ConsumerARN"]

    def kms(self) -> None:
        kms = self._client("kms")
        self.made["key"] = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/lake", TargetKeyId=self.made["key"])

    def lakeformation(self) -> None:
        lake = self._client("lakeformation")
        lake.put_data_lake_settings(
            DataLakeSettings={"DataLakeAdmins": [{"DataLakePrincipalIdentifier": ROLE}]}
        )
        lake.register_resource(ResourceArn="arn:aws:s3:::lake", RoleArn=ROLE)
        lake.create_lf_tag(TagKey="domain", TagValues=["sales"])
        lake.grant_permissions(
            Principal={"DataLakePrincipalIdentifier": ROLE},
            Resource={"Database": {"Name": "lake"}},
            Permissions=["DESCRIBE"],
        )
        lake.add_lf_tags_to_resource(
            Resource={"Database": {"CatalogId": ACCOUNT, "Name": "lake"}},
            LFTags=[{"CatalogId": ACCOUNT, "TagKey": "domain", "TagValues": ["sales"]}],
        )

    def lambda_(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("app.py", "def handler(event, context): ...")
        client = self._client("lambda")
        client.create_function(
            FunctionName="load",
            Runtime="python3.12",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": {"TOKEN": "canary"}},
        )
        client.add_permission(
            FunctionName="load",
            StatementId="url",
            Action="lambda:InvokeFunctionUrl",
            Principal="*",
            FunctionUrlAuthType="NONE",
        )
        queue = self._client("sqs").create_queue(QueueName="work", tags={"team": "data"})["QueueUrl"]
        self.made["queue"] = queue
        self.made["mapping"] = client.create_event_source_mapping(
            FunctionName="load", EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"
        )["UUID"]

    def logs(self) -> None:
        logs = self._client("logs")
        logs.create_log_group(logGroupName="/aws/lambda/load")
        logs.put_retention_policy(logGroupName="/aws/lambda/load", retentionInDays=30)

    def opensearch(self) -> None:
        self._client("opensearch").create_domain(
            DomainName="search", EncryptionAtRestOptions={"Enabled": True}, TagList=TAGS
        )

    def organizations(self) -> None:
        self.made["organization"] = self._client("organizations").create_organization()["Organization"]["Id"]

    def pipes(self) -> None:
        stream = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"
        self._client("pipes").create_pipe(
            Name="pipe",
            RoleArn=ROLE,
            Source=stream,
            Target=f"arn:aws:sqs:{REGION}:{ACCOUNT}:work",
            TargetParameters={"InputTemplate": "canary"},
            SourceParameters={"KinesisStreamParameters": {"StartingPosition": "LATEST", "BatchSize": 9}},
        )

    def quicksight(self) -> None:
        quicksight = self._client("quicksight")
        quicksight.create_data_source(
            AwsAccountId=ACCOUNT,
            DataSourceId="warehouse",
            Name="warehouse",
            Type="POSTGRESQL",
            DataSourceParameters={"PostgreSqlParameters": {"Host": "canary", "Port": 5432, "Database": "d"}},
            SslProperties={"DisableSsl": False},
        )
        quicksight.update_account_settings(AwsAccountId=ACCOUNT, DefaultNamespace="default")

    def redshift(self) -> None:
        redshift = self._client("redshift")
        redshift.create_cluster_parameter_group(
            ParameterGroupName="strict", ParameterGroupFamily="redshift-1.0", Description="canary"
        )
        redshift.create_cluster_subnet_group(
            ClusterSubnetGroupName="inside", Description="canary", SubnetIds=[self.made["subnet"]], Tags=TAGS
        )
        redshift.create_cluster(
            ClusterIdentifier="warehouse",
            NodeType="ra3.large",
            MasterUsername="canary",
            MasterUserPassword="Canary123456",
            ClusterParameterGroupName="strict",
            Encrypted=True,
            Tags=TAGS,
        )
        redshift.create_cluster_snapshot(SnapshotIdentifier="monday", ClusterIdentifier="warehouse")

    def scheduler(self) -> None:
        scheduler = self._client("scheduler")
        scheduler.create_schedule_group(Name="jobs", Tags=TAGS)
        scheduler.create_schedule(
            Name="hourly",
            GroupName="jobs",
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:load",
                "RoleArn": ROLE,
                "Input": '{"password": "canary"}',
                "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"},
            },
        )

    def secretsmanager(self) -> None:
        self.made["secret"] = self._client("secretsmanager").create_secret(
            Name="warehouse", SecretString="canary", Description="canary", Tags=TAGS
        )["ARN"]

    def sns(self) -> None:
        sns = self._client("sns")
        topic = sns.create_topic(Name="alarms", Tags=TAGS)["TopicArn"]
        subscription = sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:work",
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        self.made["subscription"] = subscription.rpartition(":")[2]

    def stepfunctions(self) -> None:
        definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        self._client("stepfunctions").create_state_machine(
            name="flow", definition=json.dumps(definition), roleArn=ROLE
        )


# What moto knows of a service, but does not implement. In AWS, each of these answers.
NOT_IMPLEMENTED = frozenset(
    """
    athena:GetCapacityAssignmentConfiguration backup:ListProtectedResources
    budgets:DescribeSubscribersForNotification ce:GetAnomalyMonitors ce:GetAnomalySubscriptions
    ce:ListCostAllocationTags cloudtrail:ListEventDataStores datasync:ListTagsForResource
    emr:GetAutoTerminationPolicy emr:GetManagedScalingPolicy emr:ListSecurityConfigurations
    glue:GetResourcePolicies glue:ListDataQualityResults glue:ListDataQualityRulesets
    iot:ListTagsForResource kafka:DescribeConfigurationRevision kafka:ListConfigurations
    kafka:ListKafkaVersions kafkaconnect:ListConnectors lakeformation:ListLakeFormationOptIns
    lambda:GetAccountSettings lambda:ListFunctionUrlConfigs quicksight:ListDataSets
    redshift-serverless:ListNamespaces redshift-serverless:ListSnapshotCopyConfigurations
    redshift-serverless:ListUsageLimits redshift-serverless:ListWorkgroups redshift:DescribeDataShares
    redshift:DescribeUsageLimits
    service-quotas:ListServiceQuotas xray:GetEncryptionConfig xray:GetGroups xray:GetSamplingRules
    """.split()
)
# What moto lists and cannot make.
NOT_MADE = frozenset(
    {
        "AWS::CE::CostAndUsage",
        "AWS::CE::ServiceCost",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::XRay::EncryptionConfig",
        "AWS::XRay::Group",
        "AWS::XRay::SamplingRule",
    }
)

AT = f"{REGION}:{ACCOUNT}"
OWN = {"Tags": {"team": "data"}}
DATABASE = {"Database": {"Name": "lake"}}
# fmt: off
FOUND: list[tuple[str, str, str, dict[str, Any]]] = [
    # type, ARN after "arn:aws:" (with what the seeds made in braces), name, some fields
    ("AWS::ApplicationAutoScaling::ScalableTarget",
     f"application-autoscaling:{AT}:scalable-target/dynamodb/table/state/dynamodb:table:ReadCapacityUnits",
     "dynamodb:table:ReadCapacityUnits", {"MaxCapacity": 9}),
    ("AWS::Athena::CapacityReservation", f"athena:{AT}:capacity-reservation/reserved", "reserved",
     {"TargetDpus": 24}),
    ("AWS::Athena::WorkGroup", f"athena:{AT}:workgroup/analysts", "analysts", OWN),
    ("AWS::Backup::BackupPlan", "{plan}", "plan", {}),
    ("AWS::Backup::BackupVault", "{vault}", "vault", {"Locked": False}),
    ("AWS::Budgets::Budget", f"budgets::{ACCOUNT}:budget/month", "month",
     {"BudgetType": "COST", "BudgetLimit": {"Amount": "100", "Unit": "USD"}}),
    ("AWS::Budgets::Notification", f"budgets::{ACCOUNT}:notification/c11a5e6e4065", "ACTUAL",
     {"BudgetName": "month"}),
    ("AWS::CloudFormation::Stack", "{stack}", "pipeline", {"StackStatus": "CREATE_COMPLETE"}),
    ("AWS::CloudTrail::Trail", f"cloudtrail:{AT}:trail/main", "main",
     {"IsMultiRegionTrail": True,
      "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}),
    ("AWS::CloudWatch::Alarm", f"cloudwatch:{AT}:alarm:age", "age", {"Threshold": 600.0}),
    ("AWS::CloudWatch::Dashboard", f"cloudwatch::{ACCOUNT}:dashboard/board", "board",
     {"DashboardBody": {"Namespaces": ["AWS/Glue"], "Expressions": [], "Alarms": []}}),
    ("AWS::Config::ConfigurationRecorder", f"config:{AT}:configuration-recorder/default", "default",
     {"roleARN": ROLE}),
    ("AWS::Config::DeliveryChannel", f"config:{AT}:delivery-channel/channel", "channel",
     {"s3BucketName": "trails"}),
    ("AWS::DMS::Endpoint", "{from}", "from", {"SslMode": "require", "EngineName": "postgres"}),
    ("AWS::DMS::ReplicationInstance", "{copier}", "copier", OWN),
    ("AWS::DMS::ReplicationTask", "{copying}", "copying", {"MigrationType": "full-load"}),
    ("AWS::DataSync::Location", "{location}", "loc-00000000000000001", {"LocationUri": "s3://lake"}),
    ("AWS::DataSync::Task", "{task}", "copy", {"LastExecution": {"Status": "INITIALIZING"}}),
    ("AWS::DynamoDB::Table", f"dynamodb:{AT}:table/state", "state", {"TableStatus": "ACTIVE"}),
    ("AWS::EC2::Instance", f"ec2:{AT}:instance/{{instance}}", "{instance}", {"InstanceType": "m5.large"}),
    ("AWS::EC2::NatGateway", f"ec2:{AT}:natgateway/{{nat}}", "{nat}", {"State": "available"}),
    ("AWS::EC2::NetworkInterface", f"ec2:{AT}:network-interface/{{interface}}", "{interface}",
     {"InterfaceType": "interface"}),
    ("AWS::EC2::RouteTable", f"ec2:{AT}:route-table/{{table}}", "{table}", {}),
    ("AWS::EC2::SecurityGroup", f"ec2:{AT}:security-group/{{group}}", "{group}", {"GroupName": "etl"}),
    ("AWS::EC2::Subnet", f"ec2:{AT}:subnet/{{subnet}}", "{subnet}", {"State": "available"}),
    ("AWS::EC2::VPC", f"ec2:{AT}:vpc/{{vpc}}", "{vpc}", {"CidrBlock": "10.0.0.0/16"}),
    ("AWS::EC2::VPCEndpoint", f"ec2:{AT}:vpc-endpoint/{{endpoint}}", "{endpoint}",
     {"ServiceName": f"com.amazonaws.{REGION}.s3"}),
    ("AWS::ECS::Cluster", f"ecs:{AT}:cluster/main", "main", OWN),
    ("AWS::ECS::Service", f"ecs:{AT}:service/main/loading", "loading",
     {"launchType": "FARGATE", "clusterArn": f"arn:aws:ecs:{AT}:cluster/main"}),
    ("AWS::ECS::TaskDefinition", f"ecs:{AT}:task-definition/loader", "loader", {"taskRoleArn": ROLE}),
    ("AWS::EMR::BlockPublicAccessConfiguration", f"elasticmapreduce:{AT}:block-public-access",
     "block-public-access", {"PermittedPublicSecurityGroupRuleRanges": [{"MinRange": 22, "MaxRange": 22}]}),
    ("AWS::EMR::Cluster", f"elasticmapreduce:{AT}:cluster/{{cluster}}", "spark",
     {**OWN, "InstanceTypes": [{"InstanceType": "m5.xlarge", "VCpus": 4, "MemoryMiB": 16384}]}),
    ("AWS::EMR::ReleaseLabel", f"elasticmapreduce:{AT}:release-label/emr-7.0.0", "emr-7.0.0", {}),
    ("AWS::EMRServerless::Application", "{application}", "adhoc",
     {**OWN, "autoStopConfiguration": {"enabled": True, "idleTimeoutMinutes": 15}}),
    ("AWS::Events::EventBus", f"events:{AT}:event-bus/data", "data", {}),
    ("AWS::Events::Rule", f"events:{AT}:rule/failed", "failed",
     {"Targets": [{"Id": "t", "Arn": f"arn:aws:sns:{AT}:alarms"}]}),
    ("AWS::Glue::Connection", f"glue:{AT}:connection/warehouse", "warehouse",
     {"ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:postgresql://db/x", "USERNAME": "literal"}}),
    ("AWS::Glue::Crawler", f"glue:{AT}:crawler/crawl", "crawl", {"DatabaseName": "lake"}),
    ("AWS::Glue::DataCatalogEncryptionSettings", f"glue:{AT}:catalog", "catalog",
     {"EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"}}),
    ("AWS::Glue::Database", f"glue:{AT}:database/lake", "lake",
     {"LFTags": [{"TagKey": "domain", "TagValues": ["sales"]}]}),
    ("AWS::Glue::Job", f"glue:{AT}:job/etl", "etl", {**OWN, "DefaultArguments": {"--key": "literal"}}),
    ("AWS::Glue::SecurityConfiguration", f"glue:{AT}:security-configuration/sealed", "sealed", {}),
    ("AWS::Glue::Table", f"glue:{AT}:table/lake/orders", "orders",
     {"PartitionKeys": ["day"], "PartitionIndexes": [], "PartitionCounts": [2]}),
    ("AWS::Glue::Trigger", f"glue:{AT}:trigger/nightly", "nightly", {"Type": "SCHEDULED"}),
    ("AWS::Glue::Workflow", f"glue:{AT}:workflow/flow", "flow", {}),
    ("AWS::IAM::InstanceProfile", f"iam::{ACCOUNT}:instance-profile/worker", "worker", {"Roles": [ROLE]}),
    ("AWS::IAM::ManagedPolicy", f"iam::{ACCOUNT}:policy/read", "read", {"Document": json.loads(ALLOW)}),
    ("AWS::IAM::Role", f"iam::{ACCOUNT}:role/etl", "etl", OWN),
    ("AWS::IoT::Policy", f"iot:{AT}:policy/device", "device", {"policyDocument": json.loads(ALLOW)}),
    ("AWS::IoT::TopicRule", f"iot:{AT}:rule/ingest", "ingest",
     {"actions": [{"firehose": {"roleArn": ROLE, "deliveryStreamName": "landing"}},
                  {"http": {"url": "https://example.com"}}]}),
    ("AWS::KMS::Alias", f"kms:{AT}:alias/lake", "alias/lake", {}),
    ("AWS::KMS::Key", f"kms:{AT}:key/{{key}}", "alias/lake", {"Rotation": {"KeyRotationEnabled": False}}),
    ("AWS::Kinesis::Stream", f"kinesis:{AT}:stream/clicks", "clicks", {"OpenShardCount": 1}),
    ("AWS::Kinesis::StreamConsumer", "{consumer}", "reader", {"ConsumerStatus": "ACTIVE"}),
    ("AWS::KinesisFirehose::DeliveryStream", f"firehose:{AT}:deliverystream/landing", "landing", {}),
    ("AWS::LakeFormation::DataLakeSettings", f"lakeformation:{AT}:data-lake-settings", "settings",
     {"DataLakeAdmins": [{"DataLakePrincipalIdentifier": ROLE}]}),
    ("AWS::LakeFormation::Permissions", f"lakeformation:{AT}:permissions/965b16a3ea2c", "lake",
     {"Resource": DATABASE, "Permissions": ["DESCRIBE"]}),
    ("AWS::LakeFormation::Resource", f"lakeformation:{AT}:resource:arn:aws:s3:::lake", "lake",
     {"RoleArn": ROLE}),
    ("AWS::LakeFormation::Tag", f"lakeformation:{AT}:lf-tag:domain", "domain", {"TagValues": ["sales"]}),
    ("AWS::Lambda::EventSourceMapping", f"lambda:{AT}:event-source-mapping:{{mapping}}", "{mapping}",
     {"EventSourceArn": f"arn:aws:sqs:{AT}:work"}),
    ("AWS::Lambda::Function", f"lambda:{AT}:function:load", "load",
     {"Environment": {"Variables": {"TOKEN": "literal"}}}),
    ("AWS::Logs::LogGroup", f"logs:{AT}:log-group:/aws/lambda/load", "/aws/lambda/load",
     {"retentionInDays": 30}),
    ("AWS::MSK::Cluster", "{brokers}", "brokers", {**OWN, "ClusterType": "PROVISIONED"}),
    ("AWS::OpenSearchService::Domain", f"es:{AT}:domain/search", "search",
     {**OWN, "EncryptionAtRestOptions": {"Enabled": True}}),
    ("AWS::Organizations::Organization", f"organizations::{ACCOUNT}:organization/{{organization}}",
     "{organization}", {"FeatureSet": "ALL"}),
    ("AWS::Pipes::Pipe", f"pipes:{AT}:pipe/pipe", "pipe",
     {"SourceParameters": {"KinesisStreamParameters": {"BatchSize": 9, "StartingPosition": "LATEST"}}}),
    ("AWS::QuickSight::AccountSettings", f"quicksight::{ACCOUNT}:account-settings", "settings",
     {"PublicSharingEnabled": False}),
    ("AWS::QuickSight::DataSource", f"quicksight:{AT}:datasource/warehouse", "warehouse",
     {"SslProperties": {"DisableSsl": False}}),
    ("AWS::Redshift::Cluster", f"redshift:{AT}:cluster:warehouse", "warehouse", {**OWN, "Encrypted": True}),
    ("AWS::Redshift::ClusterParameterGroup", f"redshift:{AT}:parametergroup:strict", "strict", {}),
    ("AWS::Redshift::ClusterSubnetGroup", f"redshift:{AT}:subnetgroup:inside", "inside", OWN),
    ("AWS::Redshift::ClusterSnapshot", f"redshift:{AT}:snapshot:warehouse/monday", "monday",
     {"SnapshotType": "manual"}),
    ("AWS::S3::AccountPublicAccessBlock", f"s3::{ACCOUNT}:public-access-block", "account",
     {"BlockPublicAcls": True}),
    ("AWS::S3::Bucket", "s3:::lake", "lake", {"Versioning": {"Status": "Enabled"}}),
    ("AWS::SNS::Subscription", f"sns:{AT}:alarms:{{subscription}}", "{subscription}", {"Protocol": "sqs"}),
    ("AWS::SNS::Topic", f"sns:{AT}:alarms", "alarms", OWN),
    ("AWS::SQS::Queue", f"sqs:{AT}:work", "work", {**OWN, "VisibilityTimeout": 30}),
    ("AWS::Scheduler::Schedule", f"scheduler:{AT}:schedule/jobs/hourly", "hourly",
     {"ScheduleExpression": "rate(1 hour)"}),
    ("AWS::Scheduler::ScheduleGroup", f"scheduler:{AT}:schedule-group/jobs", "jobs", OWN),
    ("AWS::SecretsManager::Secret", "{secret}", "warehouse", OWN),
    ("AWS::StepFunctions::StateMachine", f"states:{AT}:stateMachine:flow", "flow", {"roleArn": ROLE}),
]
# fmt: on


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[Inventory, dict[str, str]]]:
    """The whole account as it was collected, and what the seeds made."""
    with mock_aws():
        session = boto3.session.Session(
            aws_access_key_id="example", aws_secret_access_key="example", region_name=REGION
        )
        made = Seeds(session).made
        plan = {kind.type: (kind, kind.details) for kind in all_kinds()}
        with mock.patch.object(waiting, "LONGEST", 0.0):
            yield collect(AwsSession(session), plan, [REGION]), made


def _filled(text: str, made: dict[str, str]) -> str:
    for name, value in made.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest.mark.parametrize(("type_", "arn", "name", "fields"), FOUND, ids=[row[0] for row in FOUND])
def test_a_resource_is_found_by_its_arn(
    account: tuple[Inventory, dict[str, str]], type_: str, arn: str, name: str, fields: dict[str, Any]
) -> None:
    inventory, made = account
    arn = _filled(arn, made)
    found = inventory.get(arn if arn.startswith("arn:") else f"arn:aws:{arn}")
    assert isinstance(found, Resource), [known.arn for known in inventory.known(type_)]
    kind = by_type()[type_]
    assert found.type == type_
    assert found.name == _filled(name, made)
    assert found.region == ("" if kind.scope == "global" and not kind.region else REGION)
    assert {field: found[field] for field in fields} == fields
    assert set(found.data) <= kind.fields


def test_every_type_is_found_or_known_to_be_missing() -> None:
    unlisted = {kind.type for kind in all_kinds() if kind.operation(kind.list) in NOT_IMPLEMENTED}
    assert {row[0] for row in FOUND} | unlisted | NOT_MADE == set(by_type())
    assert not {row[0] for row in FOUND} & (unlisted | NOT_MADE)


def test_what_moto_does_not_implement_is_a_gap_that_says_so(
    account: tuple[Inventory, dict[str, str]],
) -> None:
    inventory, _ = account
    gaps = [gap for kind in all_kinds() for gap in inventory.list_gaps(kind.type)]
    gaps += [gap for found in inventory for gap in found.gaps]
    told = {
        reason: {gap.operation for gap in gaps if gap.reason is reason}
        for reason in {gap.reason for gap in gaps}
    }
    # Moto runs no SQL: a statement is begun, and never done.
    assert told == {
        Reason.NOT_IMPLEMENTED: NOT_IMPLEMENTED,
        Reason.FAILED: {"redshift-data:DescribeStatement"},
    }


def test_no_text_of_a_user_is_kept(account: tuple[Inventory, dict[str, str]]) -> None:
    """Every free text that the seeds could place holds this word."""
    inventory, _ = account
    for found in inventory:
        if found.type != ACCOUNT_TYPE:
            assert "canary" not in json.dumps(found.data).lower(), found.type
