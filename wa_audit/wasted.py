"""What a failing resource uses in vain each month, by its configuration, and its metrics as far as read.

A check hands it to `failed(…, waste=…)`; what it costs is looked up later, by the prices of the resource's
region. Nothing here raises: a fact that was not read makes the waste unknown, and never turns a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wa_audit.aws import instances, times
from wa_audit.aws.prices import HOURS
from wa_audit.model import Confidence, Resource, Saving, Use, Waste

_DAYS = HOURS / 24
_GIB = 2**30

ON_DEMAND = "paid for at on-demand prices, with no reservation or savings plan"

# What a worker of each type has, in data processing units:
# https://docs.aws.amazon.com/glue/latest/dg/add-job.html
_DPUS = {
    "Standard": 1.0,
    "G.025X": 0.25,
    "G.1X": 1.0,
    "G.2X": 2.0,
    "G.4X": 4.0,
    "G.8X": 8.0,
    "G.12X": 12.0,
    "G.16X": 16.0,
}


def unknown(reason: str) -> Waste:
    """Nobody can say, and why."""
    return Waste(confidence=Confidence.UNKNOWN, reason=reason)


def nothing(because: str) -> Waste:
    """It costs nothing while it fails, and why."""
    return Waste(confidence=Confidence.DERIVED, usd=0.0, assumptions=(because,))


def billed(usd: float, *assumptions: str) -> Waste:
    """An amount a month in USD that AWS itself has billed."""
    return Waste(confidence=Confidence.MEASURED, usd=usd, assumptions=assumptions)


def derived(uses: Iterable[Use], *assumptions: str) -> Waste:
    """Uses a month that follow from configuration."""
    return Waste(confidence=Confidence.DERIVED, uses=tuple(uses), assumptions=assumptions)


def measured(uses: Iterable[Use], *assumptions: str) -> Waste:
    """Uses a month that follow from metrics, or from a history of runs."""
    return Waste(confidence=Confidence.MEASURED, uses=tuple(uses), assumptions=assumptions)


def hours(price: str, count: float) -> Use:
    """So many of a thing that is paid for by the hour, all month long."""
    return Use(price, count * HOURS)


def metric(resource: Resource, key: str) -> Mapping[str, float] | None:
    """A metric where it was read and has datapoints; unlike `Resource.metric` it never raises."""
    found: Mapping[str, float] | None = (resource.data.get("Metrics") or {}).get(key)
    return found if found and found.get("Datapoints") else None


def _unread(resource: Resource, key: str) -> Waste:
    return unknown(f"the metric {key} of {resource.name} was not read, or has no datapoints")


# -- streams ---------------------------------------------------------------------------------------


def stream(resource: Resource, shards: int | None = None) -> Waste:
    """A Kinesis stream, or so many of its shards, that nothing flows through."""
    if (resource.data.get("StreamModeDetails") or {}).get("StreamMode") == "ON_DEMAND":
        return measured([hours("kinesis/on-demand", 1)], "the stream's hours alone: it takes in nothing")
    count = shards if shards is not None else resource.data.get("OpenShardCount")
    if not count:
        return unknown("the number of its shards was not read")
    return measured([hours("kinesis/shard", count)], "retention beyond a day is not counted")


def compression(resource: Resource, days: int, percent: float) -> Waste:
    """What a Firehose stream writes, stored for a month, in so far as compression would make it smaller."""
    taken = metric(resource, "IncomingBytes")
    if taken is None or not days:
        return _unread(resource, "IncomingBytes")
    gigabytes = taken["Sum"] / days * _DAYS / _GIB
    return Waste(
        confidence=Confidence.DERIVED,
        uses=(Use("s3/standard", gigabytes * percent / 100),),
        assumptions=(
            f"takes in {gigabytes:,.1f} GB a month, as in the last {days} days",
            f"compression makes it smaller by {percent:g} % (compressed_percent)",
            "each month's data is kept for a month; what is kept longer costs as much again every month",
        ),
    )


# -- clusters --------------------------------------------------------------------------------------


def warehouse(cluster: Resource) -> Waste:
    """The nodes of a Redshift cluster that nobody asks anything."""
    return measured(
        [hours(f"redshift/{cluster.data.get('NodeType')}", cluster.data.get("NumberOfNodes") or 1)],
        f"its nodes are {ON_DEMAND}",
        "storage, which is paid for while it is paused too, is not counted",
    )


def brokers(cluster: Resource, share: float = 1.0) -> Waste:
    """A share of an MSK cluster's brokers."""
    provisioned = cluster.data.get("Provisioned") or {}
    type_ = (provisioned.get("BrokerNodeGroupInfo") or {}).get("InstanceType")
    count = provisioned.get("NumberOfBrokerNodes")
    if not type_ or not count:
        return unknown("the type or the number of its brokers was not read")
    price = type_ if "." not in type_ else type_.removeprefix("kafka.")
    return measured(
        [hours(f"msk/kafka.{price}", count * share)],
        "the brokers' storage is not counted",
        *([f"brokers of {share:.0%} of the size would do"] if share < 1 else []),
    )


def idle_share(cluster: Resource) -> float | None:
    """The share of the time, 0 to 1, in which an EMR cluster had nothing to do; None where it is unknown."""
    found = metric(cluster, "IsIdle")
    return None if found is None else min(1.0, found["Sum"] / found["Datapoints"])


def idle_part(cluster: Resource) -> Saving | None:
    """What ending an EMR cluster when it has nothing to do saves; None where nobody knows how often."""
    share = idle_share(cluster)
    return None if not share else part_of_it(share, "the share of the time in which it was idle")


def emr(cluster: Resource) -> Waste:
    """An EMR cluster in the share of the time in which it had nothing to do."""
    share = idle_share(cluster)
    if share is None:
        return _unread(cluster, "IsIdle")
    uses: list[Use] = []
    for group in cluster.data.get("InstanceGroups") or ():
        count = group.get("RunningInstanceCount") or group.get("RequestedInstanceCount") or 0
        kinds = ["emr"] if group.get("Market") == "SPOT" else ["ec2", "emr"]
        uses += [hours(f"{kind}/{group.get('InstanceType')}", count * share) for kind in kinds if count]
    if not uses:
        return unknown("which instances its fleets are made of is not known")
    return measured(
        uses,
        f"it was idle for {share:.0%} of the time, and goes on so",
        f"its instances are {ON_DEMAND}; of those on the Spot market EMR's own price alone is counted",
    )


def application(resource: Resource) -> Waste:
    """The workers that an EMR Serverless application keeps ready, all month long."""
    uses: list[Use] = []
    for part in (resource.data.get("initialCapacity") or {}).values():
        count, size = part.get("workerCount") or 0, part.get("workerConfiguration") or {}
        for price, field in (("vcpu", "cpu"), ("gigabyte", "memory")):
            uses.append(hours(f"emr-serverless/{price}", count * _leading_number(size.get(field))))
    if not uses:
        return nothing("keeps no workers ready, and pays for those of jobs alone")
    return derived(uses, "it stays started all month, and no job uses the workers that are kept ready")


def _leading_number(text: Any) -> float:
    """`4 vCPU`, `4vCPU` or `30 GB` as 4 or 30; 0 where there is none."""
    digits = "".join(sign for sign in str(text or "").replace(" ", "") if sign.isdigit() or sign == ".")
    return float(digits) if digits.replace(".", "", 1).isdigit() else 0.0


def instance(resource: Resource, used_percent: float) -> Waste:
    """The share of an EC2 instance that does not compute."""
    if resource.data.get("InstanceLifecycle") == "spot":
        return unknown("it runs on the Spot market, which has no list price")
    return measured(
        [hours(f"ec2/{resource.data.get('InstanceType')}", 1 - used_percent / 100)],
        f"it is {ON_DEMAND}, and runs Linux",
        f"what takes its place is paid for by use: {used_percent:.0f} % of the time",
        "its volumes are not counted",
    )


# -- tables, buckets and logs ----------------------------------------------------------------------


def capacity(table: Resource, days: int) -> Waste:
    """The provisioned capacity of a DynamoDB table beyond what scaling to 70 % would keep."""
    own = table.data.get("ProvisionedThroughput") or {}
    uses: list[Use] = []
    for kind, price in (("Read", "rcu"), ("Write", "wcu")):
        consumed = metric(table, f"Consumed{kind}CapacityUnits")
        if consumed is None or not days:
            return _unread(table, f"Consumed{kind}CapacityUnits")
        needed = max(1.0, consumed["Sum"] / (days * 86_400) / _TARGET)
        uses.append(hours(f"dynamodb/{price}", max(0.0, own.get(f"{kind}CapacityUnits", 0) - needed)))
    return measured(
        uses,
        f"scaling keeps {_TARGET:.0%} of the capacity in use, on the average of the last {days} days",
        "indexes are not counted, nor are the hours above the average",
    )


# The target that Application Auto Scaling proposes:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.Console.html
_TARGET = 0.7


def cold(bucket: Resource, price: str, percent: float) -> Waste:
    """The share of a bucket's S3 Standard that nobody reads, against what it costs under another price."""
    standard = metric(bucket, "BucketSizeBytes.StandardStorage")
    if standard is None:
        return _unread(bucket, "BucketSizeBytes.StandardStorage")
    gigabytes = standard["Latest"] / _GIB
    uses = [Use("s3/standard", gigabytes * percent / 100), Use(price, -gigabytes * percent / 100)]
    objects = metric(bucket, "NumberOfObjects.AllStorageTypes")
    if price == "s3/tiering-infrequent" and objects:
        uses.append(Use("s3/tiering-monitoring", -objects["Latest"]))
    return derived(
        uses,
        f"{percent:g} % of its {gigabytes:,.0f} GB in S3 Standard are hardly read (cold_percent)",
        "requests, retrievals and the price of moving are not counted",
    )


def events(group: Resource, most_days: int, started: str) -> Waste:
    """What a log group keeps beyond `most_days`, if it has grown evenly since it was made."""
    stored, made = group.data.get("storedBytes"), group.data.get("creationTime")
    if stored is None or made is None:
        return unknown("how much it stores, or since when, was not read")
    age = times.hours_between(times.of_milliseconds(int(made)), started) / 24
    kept = min(age, float(group.data.get("retentionInDays") or age))
    beyond = max(0.0, 1 - most_days / kept) if kept > 0 else 0.0
    return derived(
        [Use("logs/storage", stored / _GIB * beyond)],
        f"it stores {stored / _GIB:,.1f} GB of {kept:,.0f} days, as much of each",
        "storedBytes are what is billed",
    )


# -- jobs and functions ----------------------------------------------------------------------------


def dpu_hours(job: Resource, started: str, days: int = 30) -> float | None:
    """DPU-hours of a Glue job's runs in the last `days` days; None where the runs were not read."""
    runs = job.data.get("JobRuns")
    if runs is None:
        return None
    dpus = job.data.get("MaxCapacity")
    if job.data.get("NumberOfWorkers"):
        dpus = _DPUS.get(str(job.data.get("WorkerType")), 0.0) * job.data["NumberOfWorkers"]
    total = 0.0
    for run in runs:
        if run.get("StartedOn") and times.hours_between(run["StartedOn"], started) <= 24 * days:
            total += run.get("DPUSeconds") or (run.get("ExecutionTime") or 0) * float(dpus or 0)
    return total / 3600


def flex(job: Resource, started: str) -> Waste:
    """What a Glue job's runs cost more than on spare capacity."""
    used = dpu_hours(job, started)
    if used is None:
        return unknown("its runs were not read")
    return measured(
        [Use("glue/dpu", used), Use("glue/dpu-flex", -used)],
        f"it used {used:,.1f} DPU-hours in 30 days, at most 200 runs, and goes on so",
        "runs on spare capacity take as long",
    )


def arm(function: Resource, days: int) -> Waste:
    """What a function's time on x86 costs more than the same time on arm64."""
    calls, duration = metric(function, "Invocations"), metric(function, "Duration")
    memory = function.data.get("MemorySize")
    if calls is None or duration is None or not memory or not days:
        return _unread(function, "Invocations or Duration")
    seconds = calls["Sum"] / days * _DAYS * duration["Sum"] / duration["Datapoints"] / 1000
    used = seconds * memory / 1024
    return measured(
        [Use("lambda/x86", used), Use("lambda/arm", -used)],
        f"it ran for {seconds:,.0f} seconds a month with {memory} MB, and takes as long on arm64",
        "free tiers are not counted",
    )


def translated(gigabytes: float, days: int) -> Waste:
    """What a NAT gateway asks for data that a gateway endpoint would have let through for nothing."""
    monthly = gigabytes / days * _DAYS if days else 0.0
    return derived(
        [Use("nat/gigabyte", monthly)],
        f"all of the {monthly:,.0f} GB that leave by it a month go to S3 or DynamoDB of the same region: "
        "the most that it can be",
        "what comes in by it is not counted",
    )


# -- emissions -------------------------------------------------------------------------------------


def all_of_it() -> Saving:
    """What does nothing can go, and all that it emits with it."""
    return Saving(percent=100.0, of="what it emits", basis="it does no work")


def part_of_it(share: float, basis: str) -> Saving:
    """What a share of a resource, 0 to 1, emits."""
    return Saving(percent=round(100 * share, 1), of="what it emits", basis=basis)


def graviton(share: float = 1.0) -> Saving:
    """What the share of the work, 0 to 1, that is not yet done on Graviton would save there."""
    return Saving(
        percent=round(instances.GRAVITON_PERCENT * share, 1),
        of="the energy for the same work, at the most",
        basis="AWS: up to 60 % less energy for the same performance, https://aws.amazon.com/ec2/graviton/",
    )
