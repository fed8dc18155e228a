"""Work keeps the capacity that it needs, and takes no more than it may."""

from typing import Any

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    arns,
    check,
    failed,
    hearing,
    invocations,
    kafka,
    not_applicable,
    not_evaluated,
    passed,
)

_SCALABLE = "AWS::ApplicationAutoScaling::ScalableTarget"
_BROKER_STORAGE = "kafka:broker-storage:VolumeSize"
_DISK = "KafkaDataLogsDiskUsed"
# The units of a quota that is a rate, as far as a minute says anything of it.
_SECONDS = {"SECOND": 1, "MINUTE": 60}


@check("AWS::EMR::Cluster")
def emr_no_spot_on_primary_core(cluster: Resource) -> Verdict:
    """Passes where a long-running cluster has its primary node and some of its core nodes on demand.

    A primary node on Spot fails, since its loss ends the cluster. Core nodes that are all on Spot fail mildly
    (low): HDFS blocks and shuffle files go with them. Says nothing about clusters that end with their last
    step (AutoTerminate), and about those that are ending.
    """
    if cluster["AutoTerminate"]:
        return not_applicable("ends with its last step, and may use Spot throughout")
    if state := activity.ending(cluster["Status"]):
        return not_applicable("is terminating", State=state)
    primary, core = _markets(cluster, "MASTER"), _markets(cluster, "CORE")
    if "SPOT" in primary:
        return failed("runs its primary node on Spot while it is to keep running", MASTER=sorted(primary))
    if core == {"SPOT"}:
        return failed("runs all of its core nodes on Spot", severity="low", CORE=sorted(core))
    return passed("runs its primary node on demand", MASTER=sorted(primary), CORE=sorted(core))


def _markets(cluster: Resource, role: str) -> set[str]:
    """Where the nodes of a role come from: `SPOT`, `ON_DEMAND`, or both."""
    markets = set()
    if cluster["InstanceCollectionType"] == "INSTANCE_FLEET":
        for fleet in cluster["InstanceFleets"] or ():
            if fleet.get("InstanceFleetType") == role:
                markets |= {"SPOT"} if fleet.get("TargetSpotCapacity") else set()
                markets |= {"ON_DEMAND"} if fleet.get("TargetOnDemandCapacity") else set()
        return markets
    for group in cluster["InstanceGroups"] or ():
        ended = (group.get("Status") or {}).get("State") in ("TERMINATED", "ENDED", "SHUTTING_DOWN")
        if group.get("InstanceGroupType") == role and not ended:
            markets.add(group.get("Market") or "ON_DEMAND")
    return markets


@check("AWS::Lambda::EventSourceMapping")
def lambda_esm_max_concurrency(mapping: Resource, inventory: Inventory, *, least_reserved: int) -> Verdict:
    """Passes where a queue's mapping has a maximum concurrency that the function's reservation can serve.

    Reserved concurrency alone lets Lambda take messages that the function then refuses, until they land in
    the dead-letter queue: below `least_reserved` that fails, and is mild (low) where there is more or nothing
    is reserved. Says nothing about FIFO queues, which message groups bound, provisioned pollers,
    disabled mappings, functions that are switched off (reserved concurrency 0) and sources other than SQS.
    """
    arn = mapping["EventSourceArn"]
    if invocations.source(arn, mapping["SelfManagedEventSource"]) != "sqs":
        return not_applicable("does not read an SQS queue")
    if arn.endswith(".fifo"):
        return not_applicable("reads a FIFO queue, whose message groups bound it")
    if activity.mapping_is_off(mapping["State"]):
        return not_applicable("is disabled")
    if mapping["ProvisionedPollerConfig"]:
        return not_applicable("uses provisioned pollers")
    function = inventory.find("AWS::Lambda::Function", arns.function_arn(mapping["FunctionArn"]))
    if function is None:
        return not_evaluated("feeds a function that is no longer there")

    reserved = function["ReservedConcurrentExecutions"]
    maximum = (mapping["ScalingConfig"] or {}).get("MaximumConcurrency")
    evidence = {"MaximumConcurrency": maximum, "ReservedConcurrentExecutions": reserved}
    if reserved == 0:
        return not_applicable(f"feeds {function.name}, which is switched off", **evidence)
    if maximum is not None and (reserved is None or maximum <= reserved):
        return passed(f"invokes {function.name} at most {maximum} times at once", **evidence)
    if maximum is not None:
        return failed(
            f"may invoke {function.name} {maximum} times at once, of which {reserved} are reserved",
            **evidence,
        )
    if reserved is None:
        message = f"sets no maximum concurrency for {function.name}, which has no reserved concurrency either"
        return failed(message, severity="low", **evidence)
    message = f"sets no maximum concurrency for {function.name}, which refuses more than {reserved} at once"
    return failed(message, severity=None if reserved < least_reserved else "low", **evidence)


@check("AWS::Lambda::Function")
def lambda_reserved_concurrency(
    function: Resource, inventory: Inventory, *, least_peak_percent: int
) -> Verdict:
    """Passes where a function that queues, streams or events set off has a concurrency of its own.

    Reserved concurrency keeps others from taking it, and it from taking theirs. A maximum on the event source
    mapping will do. 0 switches the function off, and is a high finding. Where all functions of the Region
    together never reached `least_peak_percent` of its limit, there is enough for everybody, and nothing is
    asked.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    triggers = inventory.sources(function, "triggers")
    if not triggers:
        return not_applicable("is set off by nothing that was found")
    reserved = function["ReservedConcurrentExecutions"]
    if reserved == 0:
        return failed(
            "is switched off, and something still sets it off",
            severity="high",
            ReservedConcurrentExecutions=0,
        )
    if reserved is not None:
        return passed(f"reserves {reserved} concurrent executions", ReservedConcurrentExecutions=reserved)
    mappings = [inventory.get(relation.via) for relation in triggers]
    limits = [
        (m["ScalingConfig"] or {}).get("MaximumConcurrency")
        for m in mappings
        if m and "ScalingConfig" in m.data
    ]
    if any(limits):
        return passed(f"is limited to {max(filter(None, limits))} by its mapping", MaximumConcurrency=limits)
    for settings in inventory.of("AWS::Lambda::AccountSettings", region=function.region):
        limit = settings["ConcurrentExecutions"]
        peak = (settings.metric("ConcurrentExecutions") or {}).get("Maximum", 0)
        if 100 * peak < least_peak_percent * limit:
            return not_applicable(
                f"shares a concurrency of {limit:,}, of which {peak:,.0f} were used at most",
                ConcurrentExecutions=limit,
                maximum=peak,
            )
    return failed("shares the account's concurrency with every other function")


@check("AWS::Lambda::AccountSettings")
def lambda_account_concurrency_headroom(
    settings: Resource, inventory: Inventory, *, most_percent: int, least_unreserved: int
) -> Verdict:
    """A Region's functions use `most_percent` of its concurrency limit or less, and leave `least_unreserved`
    of it to those that have reserved none.

    All functions of a Region share one limit: a backlog in one throttles the others. Looks at the maximum of
    ConcurrentExecutions over the time that metrics were read of (--metrics-days). New accounts begin with a
    limit of 10, which is then the finding. Says nothing of a Region without functions.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
    """
    if not inventory.of("AWS::Lambda::Function", region=settings.region):
        return not_applicable("has no functions in this Region")
    limit, free = settings["ConcurrentExecutions"], settings["UnreservedConcurrentExecutions"]
    most = (settings.metric("ConcurrentExecutions") or {}).get("Maximum", 0)
    evidence = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": free, "maximum": most}
    if free < least_unreserved:
        return failed(f"leaves {free} executions unreserved, {least_unreserved} are wanted", **evidence)
    if 100 * most > most_percent * limit:
        return failed(f"ran {most:,.0f} functions at once of the {limit:,} that it may", **evidence)
    return passed(f"ran {most:,.0f} functions at once of the {limit:,} that it may", **evidence)


@check("AWS::MSK::Cluster")
def msk_storage_auto_scaling(cluster: Resource, inventory: Inventory, *, most_percent: int) -> Verdict:
    """Passes where the brokers' storage grows with what they hold, or somebody hears of it in time.

    It grows where Application Auto Scaling has a target kafka:broker-storage:VolumeSize for the cluster, with
    a policy, and scaling out is not suspended. Otherwise every broker needs an alarm on KafkaDataLogsDiskUsed
    with an action, by itself or through a composite alarm, at `most_percent` or below. MSK grows a volume
    once in six hours at most, so that a full one cannot be helped at once. Says nothing about serverless
    clusters and Express brokers.
    https://docs.aws.amazon.com/msk/latest/developerguide/msk-autoexpand.html and
    https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html#bestpractices-monitor-disk-space
    """
    provisioned = cluster["Provisioned"] or {}
    if reason := kafka.managed(cluster["ClusterType"], provisioned):
        return not_applicable(f"{reason}, and its storage grows by itself")
    targets = [
        target
        for target in inventory.having(_SCALABLE, "ResourceId", cluster.arn, region=cluster.region)
        if target["ScalableDimension"] == _BROKER_STORAGE
    ]
    for target in targets:
        suspended = (target["SuspendedState"] or {}).get("DynamicScalingOutSuspended")
        if target["ScalingPolicies"] and not suspended:
            most = target["MaxCapacity"]
            return passed(f"lets its storage grow to {most} GiB a broker", MaxCapacity=most)
    brokers = int(provisioned.get("NumberOfBrokerNodes") or 0)
    watched = [n for n in range(1, brokers + 1) if _is_watched(cluster, str(n), inventory, most_percent)]
    evidence: dict[str, Any] = {
        "NumberOfBrokerNodes": brokers,
        "watched": len(watched),
        "scalable": bool(targets),
    }
    if brokers and len(watched) == brokers:
        return passed(f"has an alarm on the disk of each of its {brokers} brokers", **evidence)
    wanted = f"and alarms on {_DISK} at {most_percent} % for {len(watched)} of its {brokers} brokers"
    what = "has a scalable target that does not scale out" if targets else "does not let its storage grow"
    return failed(f"{what}, {wanted}", **evidence)


def _is_watched(cluster: Resource, broker: str, inventory: Inventory, most_percent: int) -> bool:
    """Whether an alarm that is heard goes off before the broker's disk is fuller than that."""
    names = {"Cluster Name": cluster.name, "Broker ID": broker}
    found = hearing.alarms_on(cluster, inventory, "AWS/Kafka", {_DISK}, **names)
    return any(
        (alarm["ComparisonOperator"] or "").startswith("GreaterThan")
        and alarm["Threshold"] is not None
        and alarm["Threshold"] <= most_percent
        for alarm in hearing.heard(found, inventory)
    )


@check("AWS::ServiceQuotas::Quota")
def service_quota_headroom(quota: Resource, *, most_percent: float) -> Verdict:
    """Passes where what counts against a quota never took more than `most_percent` of it.

    Judged where AWS names a metric in AWS/Usage that measures the quota, of the services that pipelines run
    on: AWS Glue, Amazon EMR, Firehose, Kinesis Data Streams, Lambda and Step Functions. Of a quota on
    resources, the highest count of the days that metrics were read for; of one on calls, the busiest minute
    of the last day, as a mean over its seconds: shorter bursts are not seen. Says nothing about a quota of
    which CloudWatch reports no use.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Service-Quota-Integration.html
    """
    usage, value = quota["UsageMetric"] or {}, quota["Value"]
    name = usage.get("MetricName") or ""
    if usage.get("MetricNamespace") != "AWS/Usage" or not value:
        return not_applicable("has no metric of its use in AWS/Usage")
    metric = quota.metric(name)
    if metric is None:
        return not_evaluated(f"is measured by {name}, which is not read", UsageMetric=usage)
    if not metric["Datapoints"]:
        return not_applicable("is not drawn on, by its metric of use")
    if name == "CallCount":
        seconds = _SECONDS.get((quota["Period"] or {}).get("PeriodUnit", ""))
        if seconds is None:
            return not_evaluated("is a rate of which AWS does not say over what time", Period=quota["Period"])
        used = metric["Maximum"] / 60 * seconds * quota["Period"].get("PeriodValue", 1)
    else:
        used = metric["Maximum"]
    share = 100 * used / value
    evidence = {"used": used, "Value": value, "Adjustable": quota["Adjustable"]}
    if share > most_percent:
        words = f"was used to {share:.0f} % ({used:,.0f} of {value:,.0f}), {most_percent:g} % are accepted"
        return failed(words, **evidence)
    return passed(f"was used to {share:.0f} % at most ({used:,.0f} of {value:,.0f})", **evidence)
