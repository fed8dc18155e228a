"""Work that can be interrupted runs on spare capacity."""

from typing import Any

from wa_audit.rule import (
    Resource,
    Verdict,
    activity,
    check,
    failed,
    instances,
    not_applicable,
    passed,
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
