"""Nightly reporting: EMR → S3 → Glue workflow → a CSV that the finance team opens.

The nightly cluster is as it should be. The analysts' cluster beside it runs day and night on a release
from years ago.
"""

from __future__ import annotations

import json

from wa_audit.demo_account.account import SECOND_REGION, Account, Json, allow, pairs, tls_only
from wa_audit.demo_account.clickstream import table
from wa_audit.demo_account.foundation import ALERTS, LOGS, TERRAFORM

TAGS = {"project": "reporting", "owner": "finance-data", "environment": "production"}

WAREHOUSE, EMR_LOGS = "acme-reporting-warehouse", "acme-reporting-emr-logs"
LEGACY = "acme-legacy-exports"


def seed(account: Account) -> None:
    buckets(account)
    roles(account)
    clusters(account)
    catalog(account)
    workflow(account)
    alarms(account)
    stacks(account)


def buckets(account: Account) -> None:
    account.bucket(
        WAREHOUSE,
        key=account.keys["acme-data"],
        versioning="Enabled",
        lifecycle=[
            {
                "ID": "old-versions",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 60},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }
        ],
        policy=[tls_only(WAREHOUSE)],
        logs_to=LOGS,
        tags=TAGS | TERRAFORM,
    )
    account.bucket(
        EMR_LOGS,
        lifecycle=[
            {
                "ID": "expire",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "Expiration": {"Days": 60},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }
        ],
        policy=[tls_only(EMR_LOGS)],
        tags=TAGS | TERRAFORM,
    )
    # From the time when everything ran in Frankfurt. The nightly job still reads it across regions.
    account.bucket(LEGACY, region=SECOND_REGION, private=False, tags={"owner": "unknown"})


def roles(account: Account) -> None:
    own = TAGS | TERRAFORM
    lake = allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{WAREHOUSE}/*")
    account.role(
        "acme-reporting-emr",
        service="elasticmapreduce",
        managed=("service-role/AmazonEMRServicePolicy_v2",),
        tags=own,
    )
    account.role("acme-reporting-emr-nodes", service="ec2", inline={"lake": [lake]}, tags=own)
    account.role(
        "acme-adhoc-emr",
        service="elasticmapreduce",
        managed=("service-role/AmazonElasticMapReduceRole",),
        tags=TAGS,
    )
    # So that "no notebook ever fails for lack of a permission".
    account.role("acme-adhoc-emr-nodes", service="ec2", managed=("AdministratorAccess",), tags=TAGS)
    for name in ("acme-reporting-emr-nodes", "acme-adhoc-emr-nodes"):
        account.do("iam:CreateInstanceProfile", InstanceProfileName=name)
        account.do("iam:AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=name)
    account.role(
        "acme-reporting-glue",
        service="glue",
        inline={"lake": [lake, allow("s3:GetObject", f"arn:aws:s3:::{LEGACY}/*")]},
        managed=("service-role/AWSGlueServiceRole",),
        tags=own,
    )


def clusters(account: Account) -> None:
    key = account.keys["acme-data"]
    account.do(
        "emr:CreateSecurityConfiguration",
        Name="acme-emr-encrypted",
        SecurityConfiguration=json.dumps(
            {
                "EncryptionConfiguration": {
                    "EnableAtRestEncryption": True,
                    "EnableInTransitEncryption": True,
                    "AtRestEncryptionConfiguration": {
                        "S3EncryptionConfiguration": {"EncryptionMode": "SSE-KMS", "AwsKmsKey": key},
                        "LocalDiskEncryptionConfiguration": {
                            "EncryptionKeyProviderType": "AwsKms",
                            "AwsKmsKey": key,
                        },
                    },
                    "InTransitEncryptionConfiguration": {
                        "TLSCertificateConfiguration": {
                            "CertificateProviderType": "PEM",
                            "S3Object": f"s3://{WAREHOUSE}/certificates/emr.zip",
                        }
                    },
                }
            }
        ),
    )
    good = account.do(
        "emr:RunJobFlow",
        Name="acme-nightly-reporting",
        ReleaseLabel="emr-7.14.0",
        LogUri=f"s3://{EMR_LOGS}/nightly/",
        SecurityConfiguration="acme-emr-encrypted",
        ServiceRole="acme-reporting-emr",
        JobFlowRole="acme-reporting-emr-nodes",
        Applications=[{"Name": "Spark"}],
        Configurations=[
            {
                "Classification": "spark-defaults",
                "Properties": {
                    # Two of them fill a core node, and four a task node.
                    "spark.executor.memory": "10g",
                    "spark.executor.cores": "2",
                    "spark.dynamicAllocation.enabled": "true",
                    "spark.dynamicAllocation.maxExecutors": "40",
                },
            },
        ],
        StepConcurrencyLevel=1,
        VisibleToAllUsers=True,
        Instances={
            "KeepJobFlowAliveWhenNoSteps": True,
            "TerminationProtected": False,
            "InstanceGroups": [
                _group("primary", "MASTER", "m7g.xlarge", 1),
                _group("core", "CORE", "r7g.xlarge", 2),
                _group("task", "TASK", "r7g.2xlarge", 6, spot=True),
            ],
        },
        Tags=pairs(TAGS | TERRAFORM),
    )
    account.do(
        "emr:PutManagedScalingPolicy",
        ClusterId=good.get("JobFlowId", ""),
        ManagedScalingPolicy={
            "ComputeLimits": {
                "UnitType": "Instances",
                "MinimumCapacityUnits": 2,
                "MaximumCapacityUnits": 20,
                "MaximumCoreCapacityUnits": 4,
            }
        },
    )
    account.do(
        "emr:PutAutoTerminationPolicy",
        ClusterId=good.get("JobFlowId", ""),
        AutoTerminationPolicy={"IdleTimeout": 3600},
    )
    # Always on, by hand, the primary node on Spot, and each notebook takes all the memory there is.
    account.do(
        "emr:RunJobFlow",
        Name="acme-adhoc-analytics",
        ReleaseLabel="emr-5.36.0",
        ServiceRole="acme-adhoc-emr",
        JobFlowRole="acme-adhoc-emr-nodes",
        Applications=[{"Name": "Spark"}, {"Name": "Hive"}],
        Configurations=[
            {"Classification": "spark", "Properties": {"maximizeResourceAllocation": "true"}},
            {
                "Classification": "spark-defaults",
                "Properties": {
                    "spark.dynamicAllocation.enabled": "false",
                    # All that the data sheet promises, of which a node keeps a quarter for itself.
                    "spark.executor.memory": "28g",
                },
            },
        ],
        StepConcurrencyLevel=5,
        VisibleToAllUsers=True,
        Instances={
            "KeepJobFlowAliveWhenNoSteps": True,
            "TerminationProtected": True,
            "InstanceGroups": [
                _group("primary", "MASTER", "m5.xlarge", 1, spot=True),
                _group("core", "CORE", "m5.2xlarge", 8),
            ],
        },
        Tags=pairs(TAGS),
    )


def catalog(account: Account) -> None:
    account.do("glue:CreateDatabase", DatabaseInput={"Name": "acme_reporting"})
    table(
        account,
        "acme_reporting",
        "daily_revenue",
        location=f"s3://{WAREHOUSE}/daily_revenue/",
        classification="csv",
        gigabytes=14,
    )
    table(
        account,
        "acme_reporting",
        "margins",
        location=f"s3://{WAREHOUSE}/margins/",
        classification="parquet",
        gigabytes=3,
    )
    account.do(
        "glue:CreateCrawler",
        Name="acme-reporting-warehouse",
        Role=account.role_arn("acme-reporting-glue"),
        DatabaseName="acme_reporting",
        Targets={"S3Targets": [{"Path": f"s3://{WAREHOUSE}/"}]},
        Tags=TAGS,
    )


def workflow(account: Account) -> None:
    account.do(
        "glue:CreateJob",
        Name="acme-reporting-kpis",
        Role=account.role_arn("acme-reporting-glue"),
        Command={
            "Name": "pythonshell",
            "PythonVersion": "3.9",
            "ScriptLocation": f"s3://{WAREHOUSE}/scripts/kpis.py",
        },
        MaxCapacity=0.0625,
        MaxRetries=1,
        Timeout=30,
        SecurityConfiguration="acme-encrypted",
        DefaultArguments={
            "--enable-metrics": "true",
            "--report_secret_arn": account.arn("secretsmanager", "secret:kpi"),
        },
        Tags=TAGS | TERRAFORM,
    )
    account.do(
        "glue:CreateJob",
        Name="acme-reporting-revenue",
        Role=account.role_arn("acme-reporting-glue"),
        Command={
            "Name": "glueetl",
            "PythonVersion": "3",
            "ScriptLocation": f"s3://{LEGACY}/scripts/revenue.py",
        },
        GlueVersion="4.0",
        WorkerType="G.2X",
        NumberOfWorkers=8,
        MaxRetries=5,
        Timeout=240,
        ExecutionProperty={"MaxConcurrentRuns": 1},
        SecurityConfiguration="acme-encrypted",
        DefaultArguments={
            "--job-bookmark-option": "job-bookmark-disable",
            "--TempDir": f"s3://{LEGACY}/temp/",
            "--enable-spark-ui": "true",
            "--spark-event-logs-path": f"s3://{EMR_LOGS}/spark-ui/",
        },
        Tags=TAGS,
    )
    account.do("glue:CreateWorkflow", Name="acme-nightly", MaxConcurrentRuns=1, Tags=TAGS | TERRAFORM)
    account.do(
        "glue:CreateTrigger",
        Name="acme-nightly-start",
        WorkflowName="acme-nightly",
        Type="SCHEDULED",
        Schedule="cron(0 2 * * ? *)",
        Actions=[{"JobName": "acme-reporting-revenue"}],
        StartOnCreation=True,
        Tags=TAGS | TERRAFORM,
    )
    account.do(
        "glue:CreateTrigger",
        Name="acme-nightly-kpis",
        WorkflowName="acme-nightly",
        Type="CONDITIONAL",
        Predicate={
            "Logical": "AND",
            "Conditions": [
                {"LogicalOperator": "EQUALS", "JobName": "acme-reporting-revenue", "State": "SUCCEEDED"}
            ],
        },
        Actions=[{"JobName": "acme-reporting-kpis"}],
        StartOnCreation=True,
        Tags=TAGS | TERRAFORM,
    )
    account.do("glue:CreateWorkflow", Name="acme-month-end", Tags=TAGS)
    account.do(
        "glue:CreateTrigger",
        Name="acme-month-end-start",
        WorkflowName="acme-month-end",
        Type="SCHEDULED",
        Schedule="cron(0 4 1 * ? *)",
        Actions=[{"JobName": "acme-reporting-revenue"}, {"JobName": "acme-reporting-kpis"}],
        StartOnCreation=True,
        Tags=TAGS,
    )


def alarms(account: Account) -> None:
    account.alarm(
        "acme-nightly-reporting-idle",
        "AWS/ElasticMapReduce",
        "IsIdle",
        actions=(account.arn("sns", ALERTS),),
        threshold=1,
        statistic="Minimum",
    )
    # Goes to a topic that nobody has subscribed to.
    account.alarm(
        "acme-reporting-revenue-failed",
        "Glue",
        "glue.driver.aggregate.numFailedTasks",
        actions=(account.arn("sns", "acme-reporting-alerts"),),
        threshold=1,
        statistic="Sum",
        JobName="acme-reporting-revenue",
    )


def stacks(account: Account) -> None:
    """What is left in CloudFormation: most of the platform is Terraform's, or nobody's."""
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Requests": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    "QueueName": "acme-reporting-requests",
                    "SqsManagedSseEnabled": True,
                },
            }
        },
    }
    account.do(
        "cloudformation:CreateStack",
        StackName="acme-reporting-queues",
        TemplateBody=json.dumps(template),
        Tags=pairs({"project": "reporting"}),
    )
    # Stuck since an update of its topic failed and could not be undone.
    account.do(
        "cloudformation:CreateStack",
        StackName="acme-reporting-alerts",
        TemplateBody=json.dumps(
            {
                "Resources": {
                    "Refreshed": {
                        "Type": "AWS::SNS::Topic",
                        "Properties": {"TopicName": "acme-reporting-refreshed"},
                    }
                }
            }
        ),
        Tags=pairs({"project": "reporting"}),
    )


def _group(name: str, role: str, kind: str, count: int, *, spot: bool = False) -> Json:
    return {
        "Name": name,
        "InstanceRole": role,
        "InstanceType": kind,
        "InstanceCount": count,
        "Market": "SPOT" if spot else "ON_DEMAND",
    }
