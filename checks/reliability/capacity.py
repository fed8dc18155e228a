"""Work keeps the capacity that it needs, and takes no more than it may."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    arns,
    check,
    failed,
    invocations,
    not_applicable,
    not_evaluated,
    passed,
)


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
def lambda_reserved_concurrency(function: Resource, inventory: Inventory) -> Verdict:
    """Passes where a function that queues, streams or events set off has a concurrency of its own.

    Reserved concurrency keeps others from taking it, and it from taking theirs. A maximum on the event source
    mapping will do. 0 switches the function off, and is a high finding.
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
