"""Forecasts of what will be sold, and what they cost: capacity that waits for work, and some that does not.

`Bills` listens to the clients of the demo's session, and tells what no emulator brings about: what was spent,
by Cost Explorer, how old things are, how long jobs took, and what instance fleets are made of.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from wa_audit.aws import times
from wa_audit.demo_account.account import Account, Json, pairs
from wa_audit.demo_account.answers import answer
from wa_audit.demo_account.foundation import TERRAFORM

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

TAGS = {"project": "forecasts", "owner": "planning", "environment": "test"}
AGE = timedelta(days=200)
_FORTNIGHT = range(1, 14 * 24)
_DAILY = range(1, 14 * 24, 24)

# Seconds that a job's runs take: training is long and can wait, and prices are loaded in a moment.
SECONDS = {"acme-forecast-training": 2700, "acme-forecast-backfill": 3600, "acme-forecast-prices": 60}
# What each fleet of a cluster may take, and how it looks for it.
FLEETS = {
    "acme-forecast-notebooks": ("lowest-price", ["m5.2xlarge", "m5a.2xlarge"]),
    "acme-forecast-nightly": (
        "price-capacity-optimized",
        ["m6g.2xlarge", "m6gd.2xlarge", "m7g.2xlarge", "r6g.2xlarge", "r7g.2xlarge"],
    ),
}
MONITOR = "arn:aws:ce::123456789012:anomalymonitor/5ae3c1d2-acme"
ACTIVE_TAGS = ("owner", "environment")
# Last month's bill by usage type, in USD.
SPENT = {
    "EU-BoxUsage:m5.2xlarge": 2912.4,
    "EU-ETL-DPU-Hour": 1408.0,
    "EU-TimedStorage-ByteHrs": 731.55,
    "EU-NatGateway-Bytes": 388.1,
    "EU-EUC1-AWS-Out-Bytes": 214.6,
    "EU-DataTransfer-Out-Bytes": 96.25,
}
# The same month's by service, and how that went: what each of the months before it came to, in percent.
BY_SERVICE = {
    "Amazon Elastic Compute Cloud - Compute": (2912.4, (64, 70, 81, 88, 96)),
    "AWS Glue": (1408.0, (118, 120, 109, 112, 104)),
    "Amazon Simple Storage Service": (731.55, (71, 77, 83, 89, 94)),
    "EC2 - Other": (698.95, (40, 41, 38, 47, 52)),
}
CREDIT = (0, -250.0)  # in which month, and how much


def seed(account: Account) -> None:
    # A tenth of what carts were given at the last sale.
    for metric, units in (("ConsumedReadCapacityUnits", 144_000), ("ConsumedWriteCapacityUnits", 72_000)):
        account.metric("AWS/DynamoDB", metric, units, hours=_FORTNIGHT, TableName="acme-order-carts")
    _streams(account)
    _instances(account)
    _ways_out(account)
    _jobs(account)
    _clusters(account)
    _services(account)


def _streams(account: Account) -> None:
    """Both were made for the winter sales; only one still needs it."""
    for stream, at_peak in (("acme-forecast-sales", 2.4), ("acme-forecast-prices", 0.05)):
        account.do("kinesis:CreateStream", StreamName=stream, ShardCount=4, Tags=TAGS)
        for metric, of_a_shard in (("IncomingBytes", 300 * 2**20), ("IncomingRecords", 300 * 1000)):
            value = at_peak * of_a_shard
            account.metric("AWS/Kinesis", metric, value, hours=_FORTNIGHT, StreamName=stream)
        account.metric("AWS/Kinesis", "GetRecords.Records", 1000, hours=_FORTNIGHT, StreamName=stream)


def _instances(account: Account) -> None:
    images = account.do("ec2:DescribeImages", Owners=["amazon"]).get("Images") or [
        {"ImageId": "ami-12c6146b"}
    ]
    for name, cpu in (("acme-forecast-airflow", 4.0), ("acme-forecast-spark", 61.0)):
        made = account.do(
            "ec2:RunInstances",
            ImageId=images[0]["ImageId"],
            InstanceType="m5.xlarge",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": pairs({"Name": name, **TAGS})}],
        )
        for instance in made.get("Instances", ()):
            account.metric(
                "AWS/EC2", "CPUUtilization", cpu, hours=_FORTNIGHT, InstanceId=instance["InstanceId"]
            )


def _ways_out(account: Account) -> None:
    """Two networks with a NAT gateway each; only one has a way to S3 that costs nothing."""
    for number, way_to_s3 in ((31, True), (32, False)):
        vpc = account.do("ec2:CreateVpc", CidrBlock=f"10.{number}.0.0/16").get("Vpc", {}).get("VpcId", "")
        (subnet,) = account.subnets(vpc, f"10.{number}", zones="a")
        table = account.do("ec2:CreateRouteTable", VpcId=vpc).get("RouteTable", {}).get("RouteTableId", "")
        address = account.do("ec2:AllocateAddress", Domain="vpc").get("AllocationId", "")
        made = account.do("ec2:CreateNatGateway", SubnetId=subnet, AllocationId=address)
        gateway = made.get("NatGateway", {}).get("NatGatewayId", "")
        account.do(
            "ec2:CreateRoute", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway
        )
        if way_to_s3:
            account.do(
                "ec2:CreateVpcEndpoint",
                VpcId=vpc,
                VpcEndpointType="Gateway",
                ServiceName=f"com.amazonaws.{account.region}.s3",
                RouteTableIds=[table],
            )
        account.metric(
            "AWS/NATGateway", "BytesOutToDestination", 24 * 2**30, hours=_DAILY, NatGatewayId=gateway
        )


def _jobs(account: Account) -> None:
    account.role("acme-forecast", service="glue", tags=TAGS | TERRAFORM)
    for name, more in (
        ("acme-forecast-training", {}),
        ("acme-forecast-backfill", {"ExecutionClass": "FLEX"}),
        ("acme-forecast-prices", {}),
    ):
        account.do(
            "glue:CreateJob",
            Name=name,
            Role=account.role_arn("acme-forecast"),
            Command={"Name": "glueetl", "ScriptLocation": f"s3://acme-clickstream-code/{name}.py"},
            DefaultArguments={"--job-language": "python", "--enable-auto-scaling": "true"},
            GlueVersion="5.0",
            WorkerType="G.1X",
            NumberOfWorkers=10,
            Tags=TAGS | TERRAFORM,
            **more,
        )
        account.do("glue:StartJobRun", JobName=name)
    for name, schedule, job in (
        ("acme-forecast-often", "cron(0/5 * * * ? *)", "acme-forecast-prices"),
        ("acme-forecast-at-night", "cron(0 2 * * ? *)", "acme-forecast-training"),
    ):
        account.do(
            "glue:CreateTrigger",
            Name=name,
            Type="SCHEDULED",
            Schedule=schedule,
            StartOnCreation=True,
            Actions=[{"JobName": job}],
            Tags=TAGS,
        )


def _clusters(account: Account) -> None:
    vpc = account.do("ec2:CreateVpc", CidrBlock="10.33.0.0/16").get("Vpc", {}).get("VpcId", "")
    subnets = account.subnets(vpc, "10.33", zones="ab")
    for name, idle in (("acme-forecast-notebooks", 0.8), ("acme-forecast-nightly", 0.1)):
        made = account.do(
            "emr:RunJobFlow",
            Name=name,
            ReleaseLabel="emr-7.14.0",
            Applications=[{"Name": "Spark"}],
            Instances={
                "KeepJobFlowAliveWhenNoSteps": True,
                "Ec2SubnetIds": subnets,
                "InstanceFleets": fleets(name),
            },
            JobFlowRole="acme-reporting-emr-nodes",
            ServiceRole="acme-reporting-emr",
            Tags=pairs(TAGS),
        )
        account.metric(
            "AWS/ElasticMapReduce", "IsIdle", idle, hours=_FORTNIGHT, JobFlowId=made.get("JobFlowId", "")
        )


def fleets(cluster: str) -> list[Json]:
    """A cluster's instance fleets, in the words of RunJobFlow."""
    strategy, types = FLEETS[cluster]
    on_demand: Json = {"InstanceFleetType": "MASTER", "TargetOnDemandCapacity": 1, "TargetSpotCapacity": 0}
    on_demand["InstanceTypeConfigs"] = [{"InstanceType": types[0], "WeightedCapacity": 1}]
    core: Json = {"InstanceFleetType": "CORE", "TargetOnDemandCapacity": 2, "TargetSpotCapacity": 6}
    core["InstanceTypeConfigs"] = [{"InstanceType": type_, "WeightedCapacity": 1} for type_ in types]
    core["LaunchSpecifications"] = {
        "SpotSpecification": {
            "AllocationStrategy": strategy,
            "TimeoutAction": "SWITCH_TO_ON_DEMAND",
            "TimeoutDurationMinutes": 20,
        }
    }
    return [on_demand, core]


def _services(account: Account) -> None:
    account.do("ecs:CreateCluster", clusterName="acme-forecast", tags=_lower(TAGS))
    account.do(
        "ecs:RegisterTaskDefinition",
        family="acme-forecast-load",
        requiresCompatibilities=["EC2", "FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[
            {
                "name": "load",
                "image": "acme/forecast-load:3",
                "environment": [{"name": "SALES_STREAM", "value": "acme-forecast-sales"}],
            }
        ],
        tags=_lower(TAGS),
    )
    for name, launch_type in (("acme-forecast-load", "EC2"), ("acme-forecast-score", "FARGATE")):
        account.do(
            "ecs:CreateService",
            cluster="acme-forecast",
            serviceName=name,
            taskDefinition="acme-forecast-load",
            desiredCount=2,
            launchType=launch_type,
            tags=_lower(TAGS),
        )
    account.metric("AWS/ECS", "CPUReservation", 12, hours=_FORTNIGHT, ClusterName="acme-forecast")


def _lower(tags: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


class Bills:
    """Listens to the clients of one boto3 session, made after `install`."""

    def __init__(self) -> None:
        self._clusters: dict[str, str] = {}
        self._subnets: dict[str, list[str]] = {}

    def install(self, events: Any) -> None:
        events.register("before-call.emr.RunJobFlow", self._keep_subnets)
        events.register("before-call.ce.GetAnomalyMonitors", _monitors)
        events.register("before-call.ce.GetAnomalySubscriptions", _subscriptions)
        events.register("before-call.ce.ListCostAllocationTags", _active_tags)
        events.register("before-call.ce.GetCostAndUsage", _spent)
        events.register("after-call.ec2.DescribeInstances", _old_instances)
        events.register("after-call.ec2.DescribeNatGateways", _old_gateways)
        events.register("after-call.glue.GetJobRuns", _long_runs)
        events.register("after-call.emr.DescribeCluster", self._describe)
        events.register("before-call.emr.ListInstanceFleets", self._fleets)

    def _keep_subnets(self, params: Json, **_: Any) -> None:
        asked = json.loads(params["body"])
        self._subnets[asked["Name"]] = asked["Instances"].get("Ec2SubnetIds", [])

    def _describe(self, parsed: Json, **_: Any) -> None:
        """Moto knows no fleets, and its clusters are as old as the emulator."""
        cluster = parsed.get("Cluster", {})
        if cluster.get("Name") not in FLEETS:
            return
        self._clusters[cluster["Id"]] = cluster["Name"]
        cluster["InstanceCollectionType"] = "INSTANCE_FLEET"
        cluster["Ec2InstanceAttributes"]["RequestedEc2SubnetIds"] = self._subnets.get(cluster["Name"], [])
        cluster["Status"]["Timeline"]["CreationDateTime"] = times.now() - AGE

    def _fleets(self, params: Json, **_: Any) -> tuple[AWSResponse, Json] | None:
        name = self._clusters.get(json.loads(params["body"])["ClusterId"])
        if name is None:
            return None
        found = [
            {
                **fleet,
                "InstanceTypeSpecifications": fleet["InstanceTypeConfigs"],
                "Status": {"State": "RUNNING"},
            }
            for fleet in fleets(name)
        ]
        return answer({"InstanceFleets": found})


def _monitors(**_: Any) -> tuple[AWSResponse, Json]:
    monitor = {"MonitorArn": MONITOR, "MonitorName": "all services", "MonitorType": "DIMENSIONAL"}
    return answer({"AnomalyMonitors": [monitor | {"MonitorDimension": "SERVICE"}]})


def _subscriptions(**_: Any) -> tuple[AWSResponse, Json]:
    told = {"Type": "EMAIL", "Status": "CONFIRMED", "Address": "costs@acme.example"}
    found = {
        "SubscriptionArn": MONITOR.replace("anomalymonitor", "anomalysubscription"),
        "SubscriptionName": "daily",
        "MonitorArnList": [MONITOR],
        "Frequency": "DAILY",
        "Subscribers": [told],
    }
    return answer({"AnomalySubscriptions": [found]})


def _active_tags(**_: Any) -> tuple[AWSResponse, Json]:
    known = dict.fromkeys(("owner", "environment", "project"), "Inactive") | dict.fromkeys(
        ACTIVE_TAGS, "Active"
    )
    tags = [{"TagKey": key, "Type": "UserDefined", "Status": status} for key, status in known.items()]
    return answer({"CostAllocationTags": tags})


def _spent(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    """Last month's cost in one sum or by usage type, or that of several months by service, as it is asked."""
    asked = json.loads(params["body"])
    groups = [group["Key"] for group in asked.get("GroupBy", ())]
    if "SERVICE" in groups:
        return answer({"ResultsByTime": _months(asked["TimePeriod"])})
    month: Json = {"TimePeriod": asked["TimePeriod"], "Estimated": False, "Total": _cost(sum(SPENT.values()))}
    if groups:
        month["Groups"] = [{"Keys": [name], "Metrics": _cost(amount)} for name, amount in SPENT.items()]
    return answer({"ResultsByTime": [month]})


def _months(period: Json) -> list[Json]:
    """The months of a period by service and kind of charge; the last is still an estimate."""
    starts = [date.fromisoformat(period["Start"])]
    while len(starts) < 7:
        starts.append((starts[-1] + timedelta(days=31)).replace(day=1))
    found = []
    for number, (start, end) in enumerate(pairwise(starts)):
        groups = [
            {"Keys": [name, "Usage"], "Metrics": _cost(amount * (*before, 100)[number] / 100)}
            for name, (amount, before) in BY_SERVICE.items()
        ]
        if number == CREDIT[0]:
            groups.append({"Keys": ["AWS Glue", "Credit"], "Metrics": _cost(CREDIT[1])})
        month = {"Start": start.isoformat(), "End": end.isoformat()}
        found.append({"TimePeriod": month, "Estimated": number == 5, "Groups": groups, "Total": {}})
    return found


def _cost(amount: float) -> Json:
    return {"UnblendedCost": {"Amount": f"{amount:.2f}", "Unit": "USD"}}


def _old_instances(parsed: Json, **_: Any) -> None:
    for reservation in parsed.get("Reservations", ()):
        for instance in reservation["Instances"]:
            instance["LaunchTime"] = times.now() - AGE


def _old_gateways(parsed: Json, **_: Any) -> None:
    for gateway in parsed.get("NatGateways", ()):
        gateway["CreateTime"] = times.now() - AGE


def _long_runs(parsed: Json, **_: Any) -> None:
    for run in parsed.get("JobRuns", ()):
        if seconds := SECONDS.get(run.get("JobName", "")):
            run["ExecutionTime"] = seconds
