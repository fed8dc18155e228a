"""What Acme knows of its customers: a network of its own, with its own ways to AWS's services.

The new database is read from there, with a password that changes every month. Beside it stands the old one,
which is read from the pictures' network, through a firewall that was opened one evening and was left open.
"""

from __future__ import annotations

from wa_audit.demo_account.account import Account, Json, allow, document, pairs
from wa_audit.demo_account.foundation import LOGS, TERRAFORM

TAGS = {"project": "customers", "owner": "data-platform", "environment": "production"}
# The services that somebody calls from the network, as the names of their endpoints end.
SERVICES = (
    "athena",
    "elasticmapreduce",
    "events",
    "glue",
    "kinesis-firehose",
    "kinesis-streams",
    "kms",
    "lakeformation",
    "logs",
    "monitoring",
    "redshift-data",
    "secretsmanager",
    "sns",
    "sqs",
    "states",
    "sts",
)
WATCHED = ("acme-clickstream-raw", "acme-orders-archive", "acme-reporting-warehouse")


def seed(account: Account) -> None:
    secrets(account)
    connections(account)
    changes(account)
    access(account)


def network(account: Account) -> tuple[str, str]:
    """A VPC without a way to the internet; the ids of it and of its subnet."""
    vpc = account.do("ec2:CreateVpc", CidrBlock="10.40.0.0/16").get("Vpc", {}).get("VpcId", "")
    (subnet,) = account.subnets(vpc, "10.40", zones="a")
    table = account.do("ec2:CreateRouteTable", VpcId=vpc).get("RouteTable", {}).get("RouteTableId", "")
    account.do("ec2:AssociateRouteTable", RouteTableId=table, SubnetId=subnet)
    account.do(
        "ec2:CreateVpcEndpoint",
        VpcId=vpc,
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{account.region}.s3",
        RouteTableIds=[table],
    )
    for service in SERVICES:
        account.do(
            "ec2:CreateVpcEndpoint",
            VpcId=vpc,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{account.region}.{service}",
            SubnetIds=[subnet],
            PrivateDnsEnabled=True,
        )
    return vpc, subnet


def firewall(account: Account, name: str, vpc: str, network: str) -> str:
    """A security group that lets a network in to PostgreSQL, and its id."""
    made = account.do("ec2:CreateSecurityGroup", GroupName=name, Description=name, VpcId=vpc)
    group: str = made.get("GroupId", "")
    rule: Json = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": network}]}
    account.do("ec2:AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[rule])
    return group


def secrets(account: Account) -> None:
    for name in ("acme/customers/new", "acme/customers/old"):
        account.do(
            "secretsmanager:CreateSecret",
            Name=name,
            SecretString='{"username": "etl", "password": "not-a-real-password"}',
            Tags=pairs(TAGS),
        )
    account.do(
        "secretsmanager:RotateSecret",
        SecretId="acme/customers/new",
        RotationRules={"AutomaticallyAfterDays": 30},
    )


def connections(account: Account) -> None:
    vpc, subnet = network(account)
    _connection(account, "new", subnet, firewall(account, "acme-customers-new", vpc, "10.40.0.0/16"))
    # In the pictures' network, by its addresses.
    found = account.do("ec2:DescribeSubnets", Filters=[{"Name": "cidr-block", "Values": ["10.20.0.0/24"]}])
    for other in found.get("Subnets", ())[:1]:
        group = firewall(account, "acme-customers-old", other["VpcId"], "0.0.0.0/0")
        _connection(account, "old", other["SubnetId"], group)


def _connection(account: Account, which: str, subnet: str, group: str) -> None:
    account.do(
        "glue:CreateConnection",
        ConnectionInput={
            "Name": f"acme-customers-{which}",
            "ConnectionType": "JDBC",
            "ConnectionProperties": {
                "JDBC_CONNECTION_URL": f"jdbc:postgresql://{which}.customers.acme.example:5432/customers",
                "JDBC_ENFORCE_SSL": "true",
                "SECRET_ID": f"acme/customers/{which}",
            },
            "PhysicalConnectionRequirements": {
                "SubnetId": subnet,
                "SecurityGroupIdList": [group],
                "AvailabilityZone": f"{account.region}a",
            },
        },
    )


def changes(account: Account) -> None:
    """A queue for what EventBridge says has changed: on whosever behalf."""
    name = "acme-customers-changes"
    account.queue(
        name,
        tags=TAGS | TERRAFORM,
        SqsManagedSseEnabled=True,
        Policy=document(
            allow(
                "sqs:SendMessage",
                account.arn("sqs", name),
                principal={"Service": "events.amazonaws.com"},
                sid="Events",
            )
        ),
    )


def access(account: Account) -> None:
    """Who read or wrote the data that matters most is logged by a trail of its own."""
    name = "acme-data-access"
    account.do("cloudtrail:CreateTrail", Name=name, S3BucketName=LOGS, EnableLogFileValidation=True)
    account.do("cloudtrail:StartLogging", Name=name)
    account.do(
        "cloudtrail:PutEventSelectors",
        TrailName=name,
        EventSelectors=[
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": False,
                "DataResources": [
                    {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{bucket}/" for bucket in WATCHED]}
                ],
            }
        ],
    )
