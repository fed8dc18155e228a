"""Product pictures: an upload → a resized copy → an index, and views counted on the way.

Drawn in a hurry by two teams: the pieces work, and what lies between them does not. A function is set off by
the bucket that it writes to, a rule still calls a function that was deleted, and one stream goes nowhere.
"""

from __future__ import annotations

from wa_audit.demo_account.account import Account, Json, allow, pairs
from wa_audit.demo_account.foundation import TERRAFORM

TAGS = {"project": "images", "owner": "shop", "environment": "production", "pipeline": "images"}
UPLOADS, THUMBNAILS = "acme-images-uploads", "acme-images-thumbnails"
PARTNER = "210987654321"


def seed(account: Account) -> None:
    for name in (UPLOADS, THUMBNAILS):
        account.bucket(name, versioning="Enabled", tags=TAGS)
    subnets = network(account)
    roles(account)
    streams(account)
    tables(account)
    functions(account, subnets)
    runs(account)
    events(account)
    schedules(account)
    pipes(account)
    account.do(
        "glue:CreateCrawler",
        Name="acme-images-exif",
        Role=account.role_arn("acme-images"),
        DatabaseName="acme_legacy",
        Schedule="cron(0 * * * ? *)",
        Targets={"S3Targets": [{"Path": f"s3://{UPLOADS}/"}]},
        Tags=TAGS,
    )


def network(account: Account) -> list[str]:
    """A VPC with a subnet in each of two zones, and an endpoint for S3 alone; the subnets' ids."""
    named = [{"ResourceType": "vpc", "Tags": pairs(TAGS | {"Name": "acme-images"})}]
    made = account.do("ec2:CreateVpc", CidrBlock="10.20.0.0/16", TagSpecifications=named)
    vpc = made.get("Vpc", {}).get("VpcId", "")
    subnets = account.subnets(vpc, "10.20", zones="ab")
    account.do("ec2:CreateVpcEndpoint", VpcId=vpc, ServiceName=f"com.amazonaws.{account.region}.s3")
    return subnets


def roles(account: Account) -> None:
    uploads = [allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{UPLOADS}/*")]
    index = [allow("dynamodb:PutItem", account.arn("dynamodb", "table/acme-images-index"))]
    account.role("acme-images", service="lambda", inline={"uploads": uploads, "index": index}, tags=TAGS)


def streams(account: Account) -> None:
    """Views are counted; what the cameras in the studio report goes nowhere."""
    for name in ("acme-images-views", "acme-images-studio"):
        account.do("kinesis:CreateStream", StreamName=name, ShardCount=4, Tags=TAGS)
        hours = range(12, 14 * 24, 24)
        account.metric("AWS/Kinesis", "IncomingRecords", 250_000, hours=hours, StreamName=name)
    account.do(
        "kinesis:IncreaseStreamRetentionPeriod", StreamName="acme-images-studio", RetentionPeriodHours=720
    )


def tables(account: Account) -> None:
    account.do(
        "dynamodb:CreateTable",
        TableName="acme-images-index",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        Tags=pairs(TAGS),
    )


def functions(account: Account, subnets: list[str]) -> None:
    role = account.role_arn("acme-images")
    common: Json = {"runtime": "python3.13", "role": role, "tags": TAGS | TERRAFORM, "arm": True}
    index = {"INDEX_TABLE": "acme-images-index"}
    resize = account.function(
        "acme-images-resize",
        **common,
        Environment={"Variables": index | {"BUCKET": UPLOADS}},
        VpcConfig={"SubnetIds": subnets[:1], "SecurityGroupIds": []},
    )
    account.function(
        "acme-images-watermark",
        **common,
        Environment={"Variables": {"INPUT": f"s3://{UPLOADS}/", "OUTPUT": f"s3://{THUMBNAILS}/"}},
        VpcConfig={"SubnetIds": subnets, "SecurityGroupIds": []},
    )
    account.function("acme-images-moderate", **common, Environment={"Variables": index})
    counter = account.function("acme-images-counter", **common, Environment={"Variables": index})
    account.do(
        "s3:PutBucketNotificationConfiguration",
        Bucket=UPLOADS,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": resize, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    account.do(
        "lambda:PutFunctionConcurrency", FunctionName="acme-images-counter", ReservedConcurrentExecutions=2
    )
    account.event_source(counter, account.arn("kinesis", "stream/acme-images-views"))


def runs(account: Account) -> None:
    """Two weeks of runs: one function fails and is throttled, another never."""
    hours = range(12, 14 * 24, 24)
    for name, errors, throttled in (("acme-images-resize", 90, 60), ("acme-images-moderate", 1, 0)):
        for metric, value in (("Invocations", 1_000), ("Errors", errors), ("Throttles", throttled)):
            account.metric("AWS/Lambda", metric, value, hours=hours, FunctionName=name)
    for name, held, hours_late in (("acme-images-views", 2_000, 20), ("acme-clickstream-events", 0, 0.1)):
        held_up = "WriteProvisionedThroughputExceeded"
        account.metric("AWS/Kinesis", held_up, held, hours=hours, StreamName=name)
        late = hours_late * 3_600_000
        account.metric(
            "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", late, hours=hours, StreamName=name
        )


def events(account: Account) -> None:
    moderate = account.arn("lambda", "function:acme-images-moderate")
    rules = {
        "acme-images-published": (moderate, account.arn("lambda", "function:acme-images-rotate")),
        "acme-images-licensed": (f"arn:aws:sqs:{account.region}:{PARTNER}:partner-pictures",),
    }
    for name, targets in rules.items():
        pattern = f'{{"source": ["acme.images"], "detail-type": ["{name}"]}}'
        account.do("events:PutRule", Name=name, EventPattern=pattern, Tags=pairs(TAGS))
        rows = [{"Id": str(number), "Arn": arn} for number, arn in enumerate(targets)]
        account.do("events:PutTargets", Rule=name, Targets=rows)


def schedules(account: Account) -> None:
    account.do(
        "scheduler:CreateSchedule",
        Name="acme-images-watermark",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": account.arn("lambda", "function:acme-images-watermark"),
            "RoleArn": account.role_arn("acme-images"),
        },
    )
    account.do(
        "iot:CreateTopicRule",
        ruleName="acme_images_studio",
        topicRulePayload={
            "sql": "SELECT * FROM 'studio/#'",
            "actions": [
                {"kinesis": {"streamName": "acme-images-studio", "roleArn": account.role_arn("acme-images")}}
            ],
        },
    )


def pipes(account: Account) -> None:
    """Views on their way to the shop's queue: one pipe keeps what it cannot deliver, the other blocks."""
    own = TAGS | TERRAFORM
    queue = account.queue("acme-images-popular", tags=own, MessageRetentionPeriod=1_209_600)
    lost = account.queue("acme-images-popular-dlq", tags=own, MessageRetentionPeriod=1_209_600)
    for name, more in (
        ("acme-images-popular", {"DeadLetterConfig": {"Arn": lost}, "MaximumRetryAttempts": 3}),
        ("acme-images-trending", {}),
    ):
        account.do(
            "pipes:CreatePipe",
            Name=name,
            RoleArn=account.role_arn("acme-images"),
            Source=account.arn("kinesis", "stream/acme-images-views"),
            Target=queue,
            SourceParameters={"KinesisStreamParameters": {"StartingPosition": "LATEST", **more}},
            Tags=TAGS,
        )
