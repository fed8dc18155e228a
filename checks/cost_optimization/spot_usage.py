"""Work that can be interrupted runs on spare capacity."""

from typing import Any

from wa_audit.rule import (
    NOT_PRODUCTION,
    Inventory,
    Resource,
    Verdict,
    activity,
    check,
    failed,
    instances,
    neighbours,
    not_applicable,
    passed,
    times,
    wasted,
)

_SPOT = wasted.unknown("Spot capacity has no list price: what it costs changes by the hour")
_NEVER_INTERRUPTED = {"HBase", "Flink"}


@check("AWS::EMR::Cluster")
def emr_spot_for_task_nodes(
    cluster: Resource, *, least_spot_percent: int, many_core_nodes: int, few_nodes: int
) -> Verdict:
    """Passes where task nodes run on Spot and Spot makes at least 50 % (least_spot_percent) of the capacity.

    The share is of all capacity but the primary node's: instances of groups, weighted units of fleets. Task
    groups that are scaled down to nothing pass if they ask for Spot. 4 or more core nodes (many_core_nodes)
    without task nodes are a mild failure; with fewer there is nothing to move, and the rule does not apply.
    Nor does it to clusters of at most 3 nodes (few_nodes), to clusters that run HBase or Flink, to clusters
    tagged wa-audit:savings-plan=covered, and to clusters that are terminating or terminated.
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    lasting = sorted({app["Name"] for app in cluster["Applications"] or ()} & _NEVER_INTERRUPTED)
    if lasting:
        return not_applicable(f"runs {lasting[0]}, which must not be interrupted", Applications=lasting)
    if cluster.tags.get("wa-audit:savings-plan") == "covered":
        return not_applicable("is covered by a Savings Plan")

    parts = instances.capacities(cluster["InstanceGroups"], cluster["InstanceFleets"])
    if sum(part.nodes for part in parts) <= few_nodes:
        return not_applicable(f"has {sum(part.nodes for part in parts)} nodes at most")
    task = [part for part in parts if part.role == "TASK"]
    core = [part for part in parts if part.role == "CORE"]
    units, spot = sum(part.units for part in task + core), sum(part.spot for part in task + core)
    evidence: dict[str, Any] = {"spot": spot, "units": units}
    if not task and sum(part.nodes for part in core) < many_core_nodes:
        return not_applicable("has no task nodes, and too few core nodes to move any", **evidence)
    if not task:
        return failed("runs all its work on core nodes", severity="low", waste=_SPOT, **evidence)
    if all(part.market != "SPOT" for part in task):
        return failed("runs its task nodes on demand", waste=_SPOT, **evidence)
    idle = not sum(part.units for part in task)
    if idle or 100 * spot >= least_spot_percent * units:
        return passed("asks for its task nodes on the Spot market", **evidence)
    return failed(
        f"runs {100 * spot // units} % of its capacity on Spot, less than {least_spot_percent} %",
        waste=_SPOT,
        **evidence,
    )


@check("AWS::EMR::Cluster")
def emr_fleet_diversified(
    cluster: Resource, inventory: Inventory, *, wanted_types: int, least_types: int, strategies: list[str]
) -> Verdict:
    """A fleet that asks for Spot capacity can find it in many places, and goes on where it does not.

    Each such fleet has `wanted_types` instance types, an allocation strategy among `strategies` (lowest-price
    takes what is interrupted first, and without one EMR chooses by release), and the timeout action
    SWITCH_TO_ON_DEMAND; and the cluster may choose among subnets of two Availability Zones. Between
    `least_types` and `wanted_types` types are a failure for information, as are instance groups on Spot:
    fleets would do better. Clusters that ask for no Spot capacity, or are terminating or terminated, are not
    judged.
    https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-instance-fleet.html
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    if cluster["InstanceCollectionType"] != "INSTANCE_FLEET":
        spot = [g["InstanceGroupType"] for g in cluster["InstanceGroups"] or () if g.get("Market") == "SPOT"]
        if not spot:
            return not_applicable("asks for no Spot capacity")
        return failed(
            "asks for Spot capacity by instance groups, of one type each",
            severity="info",
            groups=spot,
            waste=_SPOT,
        )
    fleets = [f for f in cluster["InstanceFleets"] or () if f.get("TargetSpotCapacity")]
    if not fleets:
        return not_applicable("asks for no Spot capacity")

    few = min(len({t["InstanceType"] for t in f.get("InstanceTypeSpecifications") or ()}) for f in fleets)
    for fleet in fleets:
        launch = (fleet.get("LaunchSpecifications") or {}).get("SpotSpecification") or {}
        kind, strategy = fleet["InstanceFleetType"], launch.get("AllocationStrategy")
        if strategy not in strategies:
            named = f"allocates by {strategy}" if strategy else "names no allocation strategy"
            return failed(f"{named} in its {kind} fleet", AllocationStrategy=strategy, waste=_SPOT)
        if launch.get("TimeoutAction") != "SWITCH_TO_ON_DEMAND":
            action = launch.get("TimeoutAction")
            return failed(f"gives up where its {kind} fleet finds no Spot", TimeoutAction=action, waste=_SPOT)
    if few < wanted_types:
        return failed(
            f"chooses among {few} instance types, {wanted_types} are wanted",
            severity="info" if few >= least_types else None,
            types=few,
            waste=_SPOT,
        )
    wanted = (cluster["Ec2InstanceAttributes"] or {}).get("RequestedEc2SubnetIds") or []
    zones = {
        subnet["AvailabilityZone"]
        for subnet in inventory.of("AWS::EC2::Subnet", region=cluster.region)
        if subnet.name in wanted
    }
    if len(zones) < 2:
        return failed("may choose among subnets of one Availability Zone alone", subnets=wanted, waste=_SPOT)
    return passed(f"chooses among {few} instance types in {len(zones)} Availability Zones", types=few)


@check("AWS::Glue::Job")
def glue_job_flex_execution(
    job: Resource,
    inventory: Inventory,
    *,
    worker_types: list[str],
    least_minutes: float,
    most_runs_a_day: float,
    days: int,
) -> Verdict:
    """A job that can wait runs on spare capacity (ExecutionClass FLEX), for a third less.

    Judged are Spark jobs (glueetl) on Glue 3.0 or later with workers of `worker_types` that can wait, as
    their tags say: environment is not production, or wa-audit:urgency is low. By the runs of the last `days`
    days they run at most `most_runs_a_day` times a day, for more than `least_minutes` minutes on average:
    shorter ones would wait longer for capacity than they work.
    https://docs.aws.amazon.com/glue/latest/dg/add-job.html
    """
    command = (job["Command"] or {}).get("Name")
    if command != "glueetl":
        return not_applicable(f"is a {command} job", Name=command)
    version = job["GlueVersion"]
    if version and version[0].isdigit() and int(version.partition(".")[0]) < 3:
        return not_applicable(f"runs on Glue {version}, which has no spare capacity", GlueVersion=version)
    if job["WorkerType"] not in worker_types:
        return not_applicable(f"runs on {job['WorkerType']} workers", WorkerType=job["WorkerType"])
    if job["ExecutionClass"] == "FLEX":
        return passed("runs on spare capacity", ExecutionClass="FLEX")
    tags = neighbours.plain_tags(job)
    if tags.get("environment") not in NOT_PRODUCTION and tags.get("wa-audit:urgency") != "low":
        return not_applicable("is not tagged as one that can wait")

    now = inventory.run.started
    runs = [
        run
        for run in job["JobRuns"] or ()
        if run.get("StartedOn") and times.hours_between(run["StartedOn"], now) <= 24 * days
    ]
    spent = [run["ExecutionTime"] for run in runs if run.get("ExecutionTime")]
    if not spent:
        return not_applicable(f"has finished no run in {days} days")
    a_day, minutes = len(runs) / days, sum(spent) / len(spent) / 60
    evidence: dict[str, Any] = {"runs": len(runs), "minutes": round(minutes, 1), "days": days}
    if a_day > most_runs_a_day:
        return not_applicable(f"runs {a_day:.1f} times a day", **evidence)
    if minutes <= least_minutes:
        return not_applicable(f"runs for {minutes:.1f} minutes", **evidence)
    return failed(
        f"can wait, runs for {minutes:.0f} minutes, and pays for capacity at once",
        waste=wasted.flex(job, now),
        **evidence,
    )
