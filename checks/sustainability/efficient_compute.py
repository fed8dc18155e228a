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
    passed,
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
