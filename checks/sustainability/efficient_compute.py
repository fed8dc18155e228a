"""Work runs on processors that use less energy for it."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    check,
    failed,
    instances,
    not_applicable,
    not_evaluated,
    passed,
    times,
    wasted,
)


@check("AWS::EMR::Cluster")
def emr_graviton(cluster: Resource, *, least_percent: int) -> Verdict:
    """Passes where at least 50 % (least_percent) of the capacity but the primary node's is on Graviton.

    The family's name tells: a `g` after the generation's digit (m6g, r7gd, im4gn), or a1; families that
    begin with g (g4dn, g5) are named for their GPU. Capacity is instances of groups and weighted units of
    fleets; a fleet that may take several types counts by the share of Graviton among them. Releases before
    5.30 and 6.1, which do not run on Graviton, clusters tagged wa-audit:x86-only=approved, clusters without
    core or task capacity, and clusters that are terminating or terminated are not judged.
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    label = cluster["ReleaseLabel"]
    if not instances.modern(label):
        return not_applicable(f"runs {label or 'an AMI version'}, which has no Graviton", ReleaseLabel=label)
    if cluster.tags.get("wa-audit:x86-only") == "approved":
        return not_applicable("is approved to run on x86 alone")

    parts = instances.capacities(cluster["InstanceGroups"], cluster["InstanceFleets"])
    workers = [part for part in parts if part.role != "MASTER"]
    units = sum(part.units for part in workers)
    if not units:
        return not_applicable("has no core or task capacity")
    percent = round(100 * sum(part.units * part.graviton for part in workers) / units)
    if percent >= least_percent:
        return passed(f"runs {percent} % of its capacity on Graviton", percent=percent, units=units)
    return failed(
        f"runs {percent} % of its capacity on Graviton, less than {least_percent} %",
        carbon=wasted.graviton(1 - percent / 100),
        percent=percent,
        units=units,
    )


@check("AWS::Lambda::Function")
def lambda_arm64(function: Resource, inventory: Inventory) -> Verdict:
    """Passes where the function runs on arm64.

    A function in a container image or with layers fails for information only: what they hold may be built
    for x86 alone. Runtimes that were never offered on arm64, and Lambda@Edge functions, which run on x86
    alone, are not judged: replicas (MasterArn), and functions in us-east-1 whose role
    edgelambda.amazonaws.com may take on. SnapStart is no reason any more; Lambda takes snapshots on arm64
    too.
    """
    architectures = function["Architectures"] or ["x86_64"]
    if "arm64" in architectures:
        return passed("runs on arm64", Architectures=architectures)
    runtime = function["Runtime"]
    if runtime in instances.X86_ONLY_RUNTIMES:
        return not_applicable(f"runs {runtime}, which there is no arm64 of", Runtime=runtime)
    if function["MasterArn"] or (function.region == "us-east-1" and _runs_at_the_edge(function, inventory)):
        return not_applicable("is a Lambda@Edge function, which runs on x86 alone")
    if function["PackageType"] == "Image":
        return failed(
            "runs a container image on x86", severity="info", PackageType="Image", carbon=wasted.graviton()
        )
    waste = wasted.arm(function, inventory.run.metrics_days)
    if layers := function["Layers"]:
        return failed(
            f"runs on x86, with {len(layers)} layers",
            severity="info",
            waste=waste,
            carbon=wasted.graviton(),
            Architectures=architectures,
        )
    return failed("runs on x86", waste=waste, carbon=wasted.graviton(), Architectures=architectures)


def _runs_at_the_edge(function: Resource, inventory: Inventory) -> bool:
    role = inventory.find("AWS::IAM::Role", function["Role"])
    return role is not None and "edgelambda.amazonaws.com" in str(role["AssumeRolePolicyDocument"])


# What serves whoever asks, at any time, is not idle while it waits.
_SERVING = {"HBase", "Flink"}


@check("AWS::EMR::Cluster")
def emr_always_on(
    cluster: Resource, inventory: Inventory, *, least_days: int, most_idle_percent: float
) -> Verdict:
    """A cluster that lives for long has work for at least half of the time.

    Fails where it is alive for more than `least_days` days, and idle (IsIdle) for more than
    `most_idle_percent` of the time that metrics were read of (--metrics-days): transient clusters, EMR
    Serverless or Glue run while there is work. Clusters that run HBase or Flink, those tagged
    wa-audit:always-on=approved, and those that are terminating or terminated are not judged.
    https://docs.aws.amazon.com/emr/latest/ManagementGuide/UsingEMR_ViewingMetrics.html
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    serving = sorted({app["Name"] for app in cluster["Applications"] or ()} & _SERVING)
    if serving:
        return not_applicable(f"runs {serving[0]}, which serves at any time", Applications=serving)
    if cluster.tags.get("wa-audit:always-on") == "approved":
        return not_applicable("is approved to run at all times")
    made = ((cluster["Status"] or {}).get("Timeline") or {}).get("CreationDateTime")
    if not made or times.hours_between(made, inventory.run.started) <= 24 * least_days:
        return not_applicable(f"is not yet {least_days} days old", CreationDateTime=made)
    idle = cluster.mean("IsIdle")
    if idle is None:
        return not_evaluated("has no metrics of when it is idle")
    percent = 100 * idle
    if percent <= most_idle_percent:
        return passed(f"is idle for {percent:.0f} % of the time", idle_percent=round(percent, 1))
    return failed(
        f"is idle for {percent:.0f} % of the time, more than {most_idle_percent:g} %",
        waste=wasted.emr(cluster),
        carbon=wasted.idle_part(cluster),
        idle_percent=round(percent, 1),
        CreationDateTime=made,
    )


@check("AWS::ECS::Service")
def ecs_pipeline_fargate(
    service: Resource, inventory: Inventory, *, least_reserved_percent: float
) -> Verdict:
    """A pipeline's service does not keep instances for itself that are hardly reserved.

    Fails where a service whose settings name a pipeline's data (a stream, queue, table, bucket or the like)
    runs on EC2 instances, and tasks reserve less than `least_reserved_percent` of the cluster's CPU
    (CPUReservation) on average, over the time that metrics were read of (--metrics-days): Fargate is paid for
    by the task. Services with daemons, and with tasks that need a GPU, are not judged, nor are those that are
    scaled down to nothing.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/launch_types.html
    """
    if service["status"] != "ACTIVE" or not service["desiredCount"]:
        return not_applicable("runs no tasks", desiredCount=service["desiredCount"])
    providers = {row.get("capacityProvider") for row in service["capacityProviderStrategy"] or ()}
    if service["launchType"] in ("FARGATE", "EXTERNAL") or providers & {"FARGATE", "FARGATE_SPOT"}:
        return passed("keeps no instances", launchType=service["launchType"])
    if service["schedulingStrategy"] == "DAEMON":
        return not_applicable("runs a daemon on each instance", schedulingStrategy="DAEMON")
    containers = (service["definition"] or {}).get("containerDefinitions") or ()
    needs = {row.get("type") for c in containers for row in c.get("resourceRequirements") or ()}
    if "GPU" in needs:
        return not_applicable("needs a GPU, which Fargate has none of")
    if not service["References"]:
        return not_applicable("touches no pipeline's data, by its settings")

    cluster = inventory.find("AWS::ECS::Cluster", service["clusterArn"])
    reserved = cluster.mean("CPUReservation") if cluster else None
    if reserved is None:
        return not_evaluated("runs in a cluster without metrics of what is reserved")
    words = f"runs on instances of which tasks reserve {reserved:.0f} % of the CPU"
    if reserved >= least_reserved_percent:
        return passed(words, CPUReservation=round(reserved, 1))
    return failed(f"{words}, less than {least_reserved_percent:g} %", CPUReservation=round(reserved, 1))
