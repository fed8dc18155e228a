"""Capacity follows the work."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    check,
    failed,
    neighbours,
    not_applicable,
    passed,
    schedules,
    wasted,
)

# Engines that do not run in YARN, which is what managed scaling measures, and what stands beside any engine.
_NOT_ON_YARN = {"HBase", "Presto", "PrestoDB", "PrestoSQL", "Trino"}
_COMPANIONS = {
    "AmazonCloudWatchAgent",
    "Ganglia",
    "HCatalog",
    "Hadoop",
    "Hue",
    "JupyterEnterpriseGateway",
    "JupyterHub",
    "Phoenix",
    "ZooKeeper",
}


@check("AWS::Glue::Job")
def glue_job_auto_scaling(job: Resource, *, least_workers: int) -> Verdict:
    """Passes where the Spark job's argument --enable-auto-scaling is "true".

    Applies to Spark jobs on Glue 3.0 or later with 5 workers (least_workers) or more; a job without a
    version gets a newer one from Glue. Python shell and Ray jobs, jobs on older versions, jobs with
    WorkerType Standard or sized by MaxCapacity, and smaller jobs are not judged.
    """
    command = (job["Command"] or {}).get("Name")
    if command in ("pythonshell", "glueray"):
        return not_applicable(f"is a {command} job", Name=command)
    version = job["GlueVersion"]
    if version and version[0].isdigit() and int(version.partition(".")[0]) < 3:
        return not_applicable(f"runs on Glue {version}, which cannot scale a job", GlueVersion=version)
    if job["WorkerType"] in (None, "Standard"):
        return not_applicable("is sized by MaxCapacity or Standard workers", WorkerType=job["WorkerType"])
    workers = job["NumberOfWorkers"] or 0
    if workers < least_workers:
        return not_applicable(f"has {workers} workers", NumberOfWorkers=workers)
    if str((job["DefaultArguments"] or {}).get("--enable-auto-scaling", "")).lower() == "true":
        return passed(f"scales up to {workers} workers", NumberOfWorkers=workers)
    return failed(
        f"pays for {workers} workers from start to end",
        NumberOfWorkers=workers,
        waste=wasted.unknown("how long which of its workers had nothing to do is not among its metrics"),
    )


@check("AWS::EMR::Cluster")
def emr_managed_scaling(cluster: Resource, inventory: Inventory) -> Verdict:
    """Passes where managed scaling may go above its minimum, or an instance group has an ATTACHED policy.

    Transient clusters (AutoTerminate) in their first hour, clusters that run nothing but Presto, Trino or
    HBase, which managed scaling cannot measure, and clusters that are terminating or terminated are not
    judged.
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    status = cluster["Status"] or {}
    engines = {app["Name"] for app in cluster["Applications"] or ()} - _COMPANIONS
    if engines and engines <= _NOT_ON_YARN:
        return not_applicable(f"runs {', '.join(sorted(engines))} alone", Applications=sorted(engines))

    limits = (cluster["ManagedScalingPolicy"] or {}).get("ComputeLimits") or {}
    least, most = limits.get("MinimumCapacityUnits", 0), limits.get("MaximumCapacityUnits", 0)
    if most > least:
        return passed(f"scales between {least} and {most} {limits.get('UnitType', 'units')}", **limits)
    for group in cluster["InstanceGroups"] or ():
        if ((group.get("AutoScalingPolicy") or {}).get("Status") or {}).get("State") == "ATTACHED":
            return passed(
                "scales an instance group by a policy", InstanceGroupType=group["InstanceGroupType"]
            )

    made = (status.get("Timeline") or {}).get("CreationDateTime")
    young = made and schedules.fires_between("rate(1 hour)", made, inventory.run.finished) == 0
    if cluster["AutoTerminate"] and young:
        return not_applicable("is transient and has run for less than an hour", CreationDateTime=made)
    if limits:
        return failed(
            f"cannot scale: its minimum and maximum are both {most}", waste=wasted.emr(cluster), **limits
        )
    return failed("has no scaling policy", ReleaseLabel=cluster["ReleaseLabel"], waste=wasted.emr(cluster))


@check("AWS::DynamoDB::Table")
def dynamodb_capacity_elastic(table: Resource, inventory: Inventory, *, free_units: int) -> Verdict:
    """Passes where the table is billed by request, or reads and writes of it and of every index scale.

    A table of which AWS states no billing mode is provisioned. Provisioned capacity scales where Application
    Auto Scaling has a target for it. Tables whose own and whose indexes' capacity is at most 5 units each
    (free_units), the size of the free tier, are not judged.
    """
    mode = (table["BillingModeSummary"] or {}).get("BillingMode", "PROVISIONED")
    if mode == "PAY_PER_REQUEST":
        return passed("is billed by request", BillingMode=mode)
    indexes = table["GlobalSecondaryIndexes"] or ()
    throughputs = [part.get("ProvisionedThroughput") or {} for part in indexes] + [
        table["ProvisionedThroughput"] or {}
    ]
    largest = max(max(t.get("ReadCapacityUnits", 0), t.get("WriteCapacityUnits", 0)) for t in throughputs)
    if largest <= free_units:
        return not_applicable(f"has {largest} capacity units at most", largest=largest)

    scaled = neighbours.scaling_targets(table.region, inventory)
    wanted = [(f"table/{table.name}", f"dynamodb:table:{units}") for units in _UNITS]
    wanted += [
        (f"table/{table.name}/index/{index['IndexName']}", f"dynamodb:index:{units}")
        for index in indexes
        for units in _UNITS
    ]
    fixed = [
        f"{dimension} of {resource}" for resource, dimension in wanted if (resource, dimension) not in scaled
    ]
    if not fixed:
        return passed("scales its provisioned capacity", targets=len(wanted))
    return failed(
        f"does not scale {fixed[0]}" + _more(fixed),
        BillingMode=mode,
        fixed=fixed,
        waste=wasted.capacity(table, inventory.run.metrics_days),
    )


_UNITS = ("ReadCapacityUnits", "WriteCapacityUnits")


def _more(found: list[str]) -> str:
    return f" and {len(found) - 1} more" if len(found) > 1 else ""
