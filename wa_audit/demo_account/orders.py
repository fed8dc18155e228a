"""Orders: SNS and SQS → Lambda → DynamoDB and S3, with Step Functions over Glue jobs.

The intake, which takes the money, has dead-letter queues, alarms and tight roles. Invoices, refunds and
the partner feed grew beside it.
"""

from __future__ import annotations

import json

from wa_audit.demo_account.account import Account, Json, allow, document, pairs, tls_only
from wa_audit.demo_account.foundation import ALERTS, LOGS, TERRAFORM

TAGS = {"project": "orders", "owner": "commerce", "environment": "production"}

ARCHIVE, EXPORTS = "acme-orders-archive", "acme-orders-exports"
FORTNIGHT = 14 * 24 * 3600
PARTNER = "111122223333"  # AWS's own placeholder for somebody else's account


def seed(account: Account) -> None:
    buckets(account)
    roles(account)
    queues(account)
    topics(account)
    tables(account)
    functions(account)
    jobs(account)
    state_machines(account)
    rules(account)
    alarms(account)


def buckets(account: Account) -> None:
    # Seven years of orders, in one bucket and one region; its lifecycle rule was switched off.
    account.bucket(
        ARCHIVE,
        key=account.keys["acme-orders"],
        versioning="Suspended",
        lifecycle=[
            {
                "ID": "tier",
                "Status": "Disabled",
                "Filter": {"Prefix": ""},
                "Transitions": [{"Days": 90, "StorageClass": "GLACIER_IR"}],
            }
        ],
        policy=[tls_only(ARCHIVE, whole=False)],
        logs_to=LOGS,
        tags=TAGS | TERRAFORM | {"criticality": "high"},
    )
    # Opened for a partner's downloader, first to the partner, then to everybody.
    account.bucket(
        EXPORTS,
        private=False,
        policy=[
            allow(
                ["s3:GetObject", "s3:ListBucket"],
                [f"arn:aws:s3:::{EXPORTS}", f"arn:aws:s3:::{EXPORTS}/*"],
                sid="Partner",
                principal={"AWS": f"arn:aws:iam::{PARTNER}:root"},
            ),
            allow("s3:GetObject", f"arn:aws:s3:::{EXPORTS}/*", sid="Everybody", principal="*"),
        ],
        tags=TAGS,
    )


def roles(account: Account) -> None:
    own = TAGS | TERRAFORM
    logs = "service-role/AWSLambdaBasicExecutionRole"
    failures = allow("sqs:SendMessage", account.arn("sqs", "acme-orders-async-failures"))
    account.role(
        "acme-orders-intake",
        service="lambda",
        inline={
            "queue": [
                allow(
                    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                    account.arn("sqs", "acme-orders-intake"),
                )
            ],
            "table": [
                allow(
                    ["dynamodb:PutItem", "dynamodb:UpdateItem"], account.arn("dynamodb", "table/acme-orders")
                )
            ],
            "archive": [allow("s3:PutObject", f"arn:aws:s3:::{ARCHIVE}/*")],
            "failures": [failures],
        },
        managed=(logs, "AWSXRayDaemonWriteAccess"),
        tags=own,
    )
    account.role(
        "acme-orders-invoices",
        service="lambda",
        inline={"invoices": [allow(["dynamodb:PutItem", "s3:PutObject", "kms:Decrypt"], "*")]},
        managed=(logs, "AmazonSQSFullAccess"),
        tags=TAGS,
    )
    account.role(
        "acme-orders-partner-feed",
        trust={
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com", "AWS": f"arn:aws:iam::{PARTNER}:root"},
            "Action": "sts:AssumeRole",
        },
        inline={"feed": [allow("s3:PutObject", f"arn:aws:s3:::{EXPORTS}/*")]},
        managed=(logs,),
        tags=TAGS,
    )
    start_jobs = allow(
        ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"],
        [account.arn("glue", "job/acme-orders-load"), account.arn("glue", "job/acme-orders-dedupe")],
    )
    account.role(
        "acme-orders-fulfilment-flow",
        service="states",
        inline={
            "run": [
                start_jobs,
                allow("lambda:InvokeFunction", account.arn("lambda", "function:acme-orders-*")),
                allow("sns:Publish", account.arn("sns", ALERTS)),
                allow(
                    "iam:PassRole",
                    account.role_arn("acme-orders-glue"),
                    condition={"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
                ),
            ]
        },
        tags=own,
    )
    account.role(
        "acme-orders-reconcile-flow",
        service="states",
        inline={"run": [start_jobs, allow("iam:PassRole", "*"), allow("lambda:InvokeFunction", "*")]},
        tags=TAGS,
    )
    made = account.do(
        "iam:CreatePolicy",
        PolicyName="acme-orders-lake",
        PolicyDocument=document(
            allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{ARCHIVE}/*"),
            allow("s3:ListBucket", f"arn:aws:s3:::{ARCHIVE}"),
        ),
        Tags=pairs(own),
    )
    account.role(
        "acme-orders-glue",
        service="glue",
        managed=(
            made.get("Policy", {}).get("Arn", f"arn:aws:iam::{account.id}:policy/acme-orders-lake"),
            "service-role/AWSGlueServiceRole",
        ),
        tags=own,
    )
    account.role(
        "acme-events",
        service="events",
        inline={
            "start": [allow("states:StartExecution", account.arn("states", "stateMachine:acme-orders-*"))]
        },
        tags=own,
    )
    # Deploys the other teams' things; no pipeline runs as it.
    account.role("acme-ci-deploy", service="codebuild", inline={"deploy": [allow("*", "*")]}, tags=TAGS)


def queues(account: Account) -> None:
    own = TAGS | TERRAFORM
    dlq = account.queue(
        "acme-orders-intake-dlq", MessageRetentionPeriod=FORTNIGHT, SqsManagedSseEnabled=True, tags=own
    )
    account.queue(
        "acme-orders-intake",
        VisibilityTimeout=180,
        MessageRetentionPeriod=4 * 24 * 3600,
        ReceiveMessageWaitTimeSeconds=20,
        SqsManagedSseEnabled=True,
        RedrivePolicy={"deadLetterTargetArn": dlq, "maxReceiveCount": 5},
        Policy=_deliver(account, "acme-orders-intake", account.arn("sns", "acme-orders-events")),
        tags=own,
    )
    # One hiccup and the invoice is dead, and it has spent its life in the other queue by then.
    dlq = account.queue(
        "acme-orders-invoices-dlq",
        MessageRetentionPeriod=4 * 24 * 3600,
        SqsManagedSseEnabled=False,
        tags=TAGS,
    )
    # Three of them lie there since the day before yesterday.
    found = account.do("sqs:GetQueueUrl", QueueName="acme-orders-invoices-dlq")
    for number in range(3):
        message = {"QueueUrl": found.get("QueueUrl", ""), "MessageBody": f"invoice {number}"}
        account.do("sqs:SendMessage", **message)
    account.metric(
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        3,
        hours=range(-1, 48),
        QueueName="acme-orders-invoices-dlq",
    )
    account.queue(
        "acme-orders-invoices",
        VisibilityTimeout=30,
        MessageRetentionPeriod=7 * 24 * 3600,
        SqsManagedSseEnabled=False,
        RedrivePolicy={"deadLetterTargetArn": dlq, "maxReceiveCount": 1},
        Policy=_deliver(account, "acme-orders-invoices", account.arn("sns", "acme-orders-events")),
        tags=TAGS,
    )
    account.queue(
        "acme-orders-refunds",
        SqsManagedSseEnabled=False,
        Policy=json.loads(
            document(
                allow(
                    "sqs:SendMessage",
                    account.arn("sqs", "acme-orders-refunds"),
                    sid="ShopFrontend",
                    principal="*",
                )
            )
        ),
        tags=TAGS,
    )
    account.queue(
        "acme-orders-async-failures",
        MessageRetentionPeriod=FORTNIGHT,
        SqsManagedSseEnabled=True,
        RedriveAllowPolicy={"redrivePermission": "allowAll"},
        tags=own,
    )
    # The dead-letter queue of the shipping labels was tidied away; the queue still points at it.
    gone = account.queue("acme-orders-labels-dlq", tags=TAGS)
    account.queue(
        "acme-orders-labels",
        VisibilityTimeout=120,
        SqsManagedSseEnabled=True,
        RedrivePolicy={"deadLetterTargetArn": gone, "maxReceiveCount": 5},
        tags=TAGS,
    )
    found = account.do("sqs:GetQueueUrl", QueueName="acme-orders-labels-dlq")
    account.do("sqs:DeleteQueue", QueueUrl=found.get("QueueUrl", ""))


def topics(account: Account) -> None:
    events = account.arn("sns", "acme-orders-events")
    account.do(
        "sns:CreateTopic",
        Name="acme-orders-events",
        Attributes={"KmsMasterKeyId": "alias/acme-data"},
        Tags=pairs(TAGS | TERRAFORM),
    )
    redrive = {"deadLetterTargetArn": account.arn("sqs", "acme-orders-async-failures")}
    account.do(
        "sns:Subscribe",
        TopicArn=events,
        Protocol="sqs",
        Endpoint=account.arn("sqs", "acme-orders-intake"),
        Attributes={"RawMessageDelivery": "true", "RedrivePolicy": json.dumps(redrive)},
    )
    account.do(
        "sns:Subscribe",
        TopicArn=events,
        Protocol="sqs",
        Endpoint=account.arn("sqs", "acme-orders-invoices"),
    )
    feed = account.arn("sns", "acme-orders-partner-feed")
    account.do("sns:CreateTopic", Name="acme-orders-partner-feed", Tags=pairs(TAGS))
    account.do(
        "sns:SetTopicAttributes",
        TopicArn=feed,
        AttributeName="Policy",
        AttributeValue=document(allow(["sns:Subscribe", "sns:Publish"], feed, sid="Partners", principal="*")),
    )


def tables(account: Account) -> None:
    account.do(
        "dynamodb:CreateTable",
        **_table("acme-orders"),
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": account.keys["acme-data"]},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        DeletionProtectionEnabled=True,
        Tags=pairs(TAGS | TERRAFORM),
    )
    account.do(
        "dynamodb:CreateTable",
        **_table("acme-order-stock"),
        ProvisionedThroughput={"ReadCapacityUnits": 50, "WriteCapacityUnits": 50},
        Tags=pairs(TAGS | TERRAFORM),
    )
    for name in ("acme-orders", "acme-order-stock"):
        account.do(
            "dynamodb:UpdateContinuousBackups",
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    for what in ("Read", "Write"):
        account.do(
            "application-autoscaling:RegisterScalableTarget",
            ServiceNamespace="dynamodb",
            ResourceId="table/acme-order-stock",
            ScalableDimension=f"dynamodb:table:{what}CapacityUnits",
            MinCapacity=10,
            MaxCapacity=400,
        )
    # Sized for the week before Christmas, all year; and a mistaken delete is for ever.
    account.do(
        "dynamodb:CreateTable",
        **_table("acme-order-carts"),
        ProvisionedThroughput={"ReadCapacityUnits": 400, "WriteCapacityUnits": 200},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        Tags=pairs(TAGS),
    )


def functions(account: Account) -> None:
    own = TAGS | TERRAFORM
    traced = {"Mode": "Active"}
    intake = account.function(
        "acme-orders-intake",
        runtime="python3.13",
        role=account.role_arn("acme-orders-intake"),
        arm=True,
        Timeout=30,
        TracingConfig=traced,
        Environment={"Variables": {"ORDERS_TABLE": "acme-orders", "ARCHIVE_BUCKET": ARCHIVE}},
        tags=own,
    )
    account.do(
        "lambda:PutFunctionConcurrency", FunctionName="acme-orders-intake", ReservedConcurrentExecutions=40
    )
    account.event_source(
        intake,
        account.arn("sqs", "acme-orders-intake"),
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 20},
    )
    # A key in plain sight, a runtime that AWS has given up, and three times the time that its queue waits.
    invoices = account.function(
        "acme-orders-invoices",
        runtime="python3.9",
        role=account.role_arn("acme-orders-invoices"),
        Timeout=90,
        MemorySize=1024,
        Environment={
            "Variables": {"INVOICE_API_KEY": "not-a-real-key-0000", "DB_PASSWORD": "not-a-real-password"}
        },
        tags=TAGS,
    )
    account.event_source(invoices, account.arn("sqs", "acme-orders-invoices"), BatchSize=10)
    notify = account.function(
        "acme-orders-notify",
        runtime="python3.13",
        role=account.role_arn("acme-orders-intake"),
        arm=True,
        Timeout=20,
        TracingConfig=traced,
        DeadLetterConfig={"TargetArn": account.arn("sqs", "acme-orders-async-failures")},
        tags=own,
    )
    _subscribe(account, notify, dead_letters="acme-orders-async-failures")
    loyalty = account.function(
        "acme-orders-loyalty",
        runtime="python3.13",
        role=account.role_arn("acme-orders-intake"),
        arm=True,
        TracingConfig=traced,
        tags=own,
    )
    account.do(
        "lambda:PutFunctionEventInvokeConfig",
        FunctionName="acme-orders-loyalty",
        MaximumRetryAttempts=2,
        MaximumEventAgeInSeconds=3600,
        DestinationConfig={"OnFailure": {"Destination": account.arn("sqs", "acme-orders-async-failures")}},
    )
    _may_call(account, loyalty, "events.amazonaws.com", account.arn("events", "rule/acme-orders-placed"))
    # Started by events; when it fails twice, the order is never scored and nobody hears of it.
    fraud = account.function(
        "acme-orders-fraud-score",
        runtime="python3.12",
        role=account.role_arn("acme-orders-intake"),
        Timeout=60,
        tags=TAGS,
    )
    _may_call(account, fraud, "events.amazonaws.com", account.arn("events", "rule/acme-orders-placed"))
    _subscribe(account, fraud)
    # Its failures go to a queue that no longer exists.
    account.function(
        "acme-orders-cart-expiry",
        runtime="python3.12",
        role=account.role_arn("acme-orders-invoices"),
        DeadLetterConfig={"TargetArn": account.arn("sqs", "acme-orders-labels-dlq")},
        tags=TAGS,
    )
    webhook = account.function(
        "acme-orders-partner-webhook",
        runtime="nodejs20.x",
        role=account.role_arn("acme-orders-partner-feed"),
        Environment={"Variables": {"PARTNER_TOKEN_ARN": account.arn("secretsmanager", "secret:partner-x")}},
        tags=TAGS,
    )
    account.do("lambda:CreateFunctionUrlConfig", FunctionName="acme-orders-partner-webhook", AuthType="NONE")
    account.do(
        "lambda:AddPermission",
        FunctionName=webhook,
        StatementId="public-url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    stream = account.do("dynamodb:DescribeTable", TableName="acme-order-carts").get("Table", {})
    account.event_source(
        account.arn("lambda", "function:acme-orders-cart-expiry"),
        stream.get("LatestStreamArn", account.arn("dynamodb", "table/acme-order-carts/stream/latest")),
        BatchSize=100,
    )


def jobs(account: Account) -> None:
    role = account.role_arn("acme-orders-glue")
    for name, retries, timeout, security in (
        ("acme-orders-load", 0, 60, "acme-encrypted"),
        ("acme-orders-dedupe", 0, 2880, ""),
    ):
        account.do(
            "glue:CreateJob",
            Name=name,
            Role=role,
            Command={
                "Name": "glueetl",
                "PythonVersion": "3",
                "ScriptLocation": f"s3://{ARCHIVE}/scripts/{name}.py",
            },
            GlueVersion="4.0",
            WorkerType="G.1X",
            NumberOfWorkers=3,
            MaxRetries=retries,
            Timeout=timeout,
            ExecutionProperty={"MaxConcurrentRuns": 1},
            Connections={"Connections": ["acme-orders-postgres" if security else "acme-legacy-mysql"]},
            DefaultArguments=(
                {"--job-bookmark-option": "job-bookmark-enable", "--enable-metrics": "true"}
                if security
                else {"--db_password": "not-a-real-password"}
            ),
            Tags=TAGS,
            **({"SecurityConfiguration": security} if security else {}),
        )
    account.do(
        "glue:CreateConnection",
        ConnectionInput={
            "Name": "acme-orders-postgres",
            "ConnectionType": "JDBC",
            "ConnectionProperties": {
                "JDBC_CONNECTION_URL": "jdbc:postgresql://orders.db.acme.example:5432/orders",
                "JDBC_ENFORCE_SSL": "true",
                "SECRET_ID": "acme/orders/postgres",
            },
        },
    )
    account.do(
        "glue:CreateConnection",
        ConnectionInput={
            "Name": "acme-legacy-mysql",
            "ConnectionType": "JDBC",
            "ConnectionProperties": {
                "JDBC_CONNECTION_URL": "jdbc:mysql://legacy.db.acme.example:3306/shop",
                "JDBC_ENFORCE_SSL": "false",
                "USERNAME": "etl",
                "PASSWORD": "not-a-real-password",
            },
        },
    )


def state_machines(account: Account) -> None:
    retry = [
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 10,
            "MaxAttempts": 3,
            "BackoffRate": 2,
            "JitterStrategy": "FULL",
        }
    ]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "TellOnCall"}]
    fulfilment: Json = {
        "StartAt": "Load",
        "TimeoutSeconds": 7200,
        "States": {
            "Load": {
                "Type": "Task",
                "Resource": "arn:aws:states:::glue:startJobRun.sync",
                "Parameters": {"JobName": "acme-orders-load"},
                "TimeoutSeconds": 3600,
                "Retry": retry,
                "Catch": catch,
                "Next": "Score",
            },
            "Score": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": account.arn("lambda", "function:acme-orders-fraud-score")},
                "TimeoutSeconds": 120,
                "Retry": retry,
                "Catch": catch,
                "End": True,
            },
            "TellOnCall": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sns:publish",
                "Parameters": {
                    "TopicArn": account.arn("sns", ALERTS),
                    "Message": "Fulfilment failed",
                },
                "Retry": retry,
                "Next": "Failed",
            },
            "Failed": {"Type": "Fail", "Error": "FulfilmentFailed"},
        },
    }
    log_group = account.arn("logs", "log-group:/aws/vendedlogs/states/acme-orders-fulfilment:*")
    account.do("logs:CreateLogGroup", logGroupName="/aws/vendedlogs/states/acme-orders-fulfilment")
    account.do(
        "stepfunctions:CreateStateMachine",
        name="acme-orders-fulfilment",
        definition=json.dumps(fulfilment),
        roleArn=account.role_arn("acme-orders-fulfilment-flow"),
        type="STANDARD",
        loggingConfiguration={
            "level": "ERROR",
            "includeExecutionData": False,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": log_group}}],
        },
        tracingConfiguration={"enabled": True},
        tags=_lower(TAGS | TERRAFORM),
    )
    # Starts one job and does not wait for it, and waits for another without end.
    reconcile: Json = {
        "StartAt": "Dedupe",
        "States": {
            "Dedupe": {
                "Type": "Task",
                "Resource": "arn:aws:states:::glue:startJobRun",
                "Parameters": {"JobName": "acme-orders-dedupe"},
                "Next": "Reload",
            },
            "Reload": {
                "Type": "Task",
                "Resource": "arn:aws:states:::glue:startJobRun.sync",
                "Parameters": {"JobName": "acme-orders-load"},
                "Next": "Invoice",
            },
            "Invoice": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": account.arn("lambda", "function:acme-orders-invoices")},
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}],
                "Next": "Done",
            },
            "Done": {"Type": "Succeed"},
        },
    }
    account.do(
        "stepfunctions:CreateStateMachine",
        name="acme-orders-reconcile",
        definition=json.dumps(reconcile),
        roleArn=account.role_arn("acme-orders-reconcile-flow"),
        type="STANDARD",
        tags=_lower(TAGS),
    )


def rules(account: Account) -> None:
    alerts = account.arn("sns", ALERTS)
    failures = account.arn("sqs", "acme-orders-async-failures")
    dead_letters = {
        "DeadLetterConfig": {"Arn": failures},
        "RetryPolicy": {"MaximumRetryAttempts": 20, "MaximumEventAgeInSeconds": 3600},
    }
    tags = pairs(TAGS | TERRAFORM)
    account.do(
        "events:PutRule",
        Name="acme-glue-job-failed",
        EventPattern=json.dumps(
            {
                "source": ["aws.glue"],
                "detail-type": ["Glue Job State Change"],
                "detail": {
                    "state": ["FAILED", "TIMEOUT"],
                    "jobName": [{"prefix": "acme-orders-"}, "acme-clickstream-sessionise"],
                },
            }
        ),
        State="ENABLED",
        Tags=tags,
    )
    account.do(
        "events:PutTargets",
        Rule="acme-glue-job-failed",
        Targets=[{"Id": "on-call", "Arn": alerts, **dead_letters}],
    )
    account.do(
        "events:PutRule",
        Name="acme-orders-placed",
        EventPattern=json.dumps({"source": ["acme.shop"], "detail-type": ["Order Placed"]}),
        State="ENABLED",
        Tags=tags,
    )
    account.do(
        "events:PutTargets",
        Rule="acme-orders-placed",
        Targets=[
            {"Id": "loyalty", "Arn": account.arn("lambda", "function:acme-orders-loyalty"), **dead_letters}
        ],
    )
    account.do(
        "events:PutRule",
        Name="acme-orders-placed-fraud",
        EventPattern=json.dumps({"source": ["acme.shop"], "detail-type": ["Order Placed"]}),
        State="ENABLED",
    )
    account.do(
        "events:PutTargets",
        Rule="acme-orders-placed-fraud",
        Targets=[{"Id": "fraud", "Arn": account.arn("lambda", "function:acme-orders-fraud-score")}],
    )
    account.do(
        "events:PutRule",
        Name="acme-orders-reconcile-daily",
        ScheduleExpression="cron(30 2 * * ? *)",
        State="ENABLED",
    )
    account.do(
        "events:PutTargets",
        Rule="acme-orders-reconcile-daily",
        Targets=[
            {
                "Id": "reconcile",
                "Arn": account.arn("states", "stateMachine:acme-orders-reconcile"),
                "RoleArn": account.role_arn("acme-events"),
            }
        ],
    )


def alarms(account: Account) -> None:
    alerts = (account.arn("sns", ALERTS),)
    account.alarm(
        "acme-orders-intake-age",
        "AWS/SQS",
        "ApproximateAgeOfOldestMessage",
        actions=alerts,
        threshold=900,
        QueueName="acme-orders-intake",
    )
    for queue in ("acme-orders-intake-dlq", "acme-orders-async-failures"):
        account.alarm(
            f"{queue}-waiting",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            actions=alerts,
            threshold=1,
            QueueName=queue,
        )
    # SQS does not count what it redrives by itself: this alarm has never fired and never will.
    account.alarm(
        "acme-orders-invoices-dlq-sent",
        "AWS/SQS",
        "NumberOfMessagesSent",
        actions=alerts,
        threshold=1,
        statistic="Sum",
        QueueName="acme-orders-invoices-dlq",
    )
    account.alarm(
        "acme-orders-fulfilment-failed",
        "AWS/States",
        "ExecutionsFailed",
        actions=alerts,
        threshold=1,
        statistic="Sum",
        StateMachineArn=account.arn("states", "stateMachine:acme-orders-fulfilment"),
    )
    account.alarm(
        "acme-orders-table-throttled",
        "AWS/DynamoDB",
        "ThrottledRequests",
        actions=(),
        threshold=10,
        statistic="Sum",
        TableName="acme-orders",
    )


def _deliver(account: Account, queue: str, topic: str) -> Json:
    """The usual fan-in: anybody may send, as long as it is the topic."""
    found: Json = json.loads(
        document(
            allow(
                "sqs:SendMessage",
                account.arn("sqs", queue),
                sid="FromTopic",
                principal="*",
                condition={"ArnEquals": {"aws:SourceArn": topic}},
            )
        )
    )
    return found


def _subscribe(account: Account, function: str, dead_letters: str = "") -> None:
    """Lets the orders topic call a function."""
    topic = account.arn("sns", "acme-orders-events")
    redrive = {"deadLetterTargetArn": account.arn("sqs", dead_letters)}
    attributes = {"RedrivePolicy": json.dumps(redrive)} if dead_letters else {}
    account.do("sns:Subscribe", TopicArn=topic, Protocol="lambda", Endpoint=function, Attributes=attributes)
    _may_call(account, function, "sns.amazonaws.com", topic)


def _may_call(account: Account, function: str, service: str, source: str) -> None:
    account.do(
        "lambda:AddPermission",
        FunctionName=function,
        StatementId=service.partition(".")[0],
        Action="lambda:InvokeFunction",
        Principal=service,
        SourceArn=source,
    )


def _table(name: str) -> Json:
    return {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }


def _lower(tags: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]
