"""What has no work to do does not go on costing money."""

import math
import re
from typing import Any

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    check,
    failed,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
    times,
    wasted,
)


@check("AWS::EMR::Cluster")
def emr_auto_termination(cluster: Resource, *, most_idle_seconds: int) -> Verdict:
    """Passes where the cluster ends after its last step, or after 4 hours (most_idle_seconds) without work.

    A pass mentions termination protection, which keeps the cluster alive against this intent. Clusters tagged
    wa-audit:always-on=approved, and clusters that are terminating or terminated, are not judged.
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    note = ", but is protected from termination" if cluster["TerminationProtected"] else ""
    if cluster["AutoTerminate"]:
        return passed(f"ends after its last step{note}", AutoTerminate=True)
    timeout = (cluster["AutoTerminationPolicy"] or {}).get("IdleTimeout")
    if timeout is not None and timeout <= most_idle_seconds:
        return passed(f"ends after {timeout} idle seconds{note}", IdleTimeout=timeout)
    if cluster.tags.get("wa-audit:always-on") == "approved":
        return not_applicable("is approved to run at all times")
    if timeout is None:
        return failed(
            "runs on when it has no work: it has no auto-termination policy",
            AutoTerminate=False,
            waste=wasted.emr(cluster),
            carbon=wasted.idle_part(cluster),
        )
    return failed(
        f"runs on for {timeout} idle seconds, more than {most_idle_seconds}",
        IdleTimeout=timeout,
        waste=wasted.emr(cluster),
        carbon=wasted.idle_part(cluster),
    )


@check("AWS::EMRServerless::Application")
def emr_serverless_auto_stop(application: Resource, *, most_idle_minutes: int) -> Verdict:
    """An application stops after no more than `most_idle_minutes` minutes without a job.

    While it is STARTED, workers that are kept ready (initialCapacity) are paid for: without auto-stop they
    make it a high failure. A stopped application that keeps none ready costs nothing.
    https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/application-capacity.html
    """
    ready = application["initialCapacity"] or {}
    if application["state"] in ("STOPPED", "TERMINATED") and not ready:
        return not_applicable(f"is {application['state']}, and keeps no workers ready")
    stop = application["autoStopConfiguration"] or {}
    minutes = stop.get("idleTimeoutMinutes", 15)
    if not stop.get("enabled"):
        also = " and keeps workers ready" if ready else ""
        return failed(
            f"does not stop by itself{also}",
            severity="high" if ready else None,
            autoStopConfiguration=stop,
            waste=wasted.application(application),
        )
    if minutes > most_idle_minutes:
        return failed(
            f"stops after {minutes} idle minutes, more than {most_idle_minutes}",
            idleTimeoutMinutes=minutes,
            waste=wasted.application(application),
        )
    return passed(f"stops after {minutes} idle minutes", idleTimeoutMinutes=minutes)


@check("AWS::Redshift::Cluster")
def redshift_cluster_idle(
    cluster: Resource,
    inventory: Inventory,
    *,
    most_connections: int,
    most_cpu_percent: float,
    least_days: int,
) -> Verdict:
    """An available cluster has more than `most_connections` connections, or uses `most_cpu_percent` of CPU.

    Over the time that metrics were read of (--metrics-days), of which at least `least_days` must be known. A
    paused cluster costs its storage alone. A cluster younger than that time is not judged.
    https://docs.aws.amazon.com/redshift/latest/mgmt/metrics-listing.html
    """
    if cluster["ClusterStatus"] != "available":
        return not_applicable(f"is {cluster['ClusterStatus']}")
    days = inventory.run.metrics_days
    if times.hours_between(cluster["ClusterCreateTime"], inventory.run.started) < 24 * days:
        return not_applicable(f"is not yet {days} days old")
    connections, cpu = cluster.metric("DatabaseConnections"), cluster.metric("CPUUtilization")
    known = min((found or {}).get("Datapoints", 0) for found in (connections, cpu))
    if known < least_days or not connections or not cpu:
        return not_evaluated(f"has metrics of {known} days, {least_days} are needed", days=known)

    most, mean = connections["Maximum"], cpu["Sum"] / cpu["Datapoints"]
    evidence: dict[str, Any] = {"DatabaseConnections": most, "CPUUtilization": round(mean, 1), "days": known}
    if most <= most_connections and mean < most_cpu_percent:
        return failed(
            f"had {most:,.0f} connections at the most, and {mean:.1f} % of CPU on average",
            waste=wasted.warehouse(cluster),
            carbon=wasted.all_of_it(),
            **evidence,
        )
    return passed(f"had up to {most:,.0f} connections, and {mean:.1f} % of CPU on average", **evidence)


@check("AWS::MSK::Cluster")
def msk_cluster_idle(
    cluster: Resource, inventory: Inventory, *, least_bytes_per_second: int, least_cpu_percent: float
) -> Verdict:
    """A cluster takes in `least_bytes_per_second`, and its brokers use `least_cpu_percent` of their CPU.

    Over the time that metrics were read of (--metrics-days). Brokers that idle are a low failure: smaller
    ones, or MSK Serverless, would do. Serverless clusters, and those younger than that time, are not judged.
    https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html
    """
    if cluster["ClusterType"] == "SERVERLESS":
        return not_applicable("is serverless", ClusterType="SERVERLESS")
    days = inventory.run.metrics_days
    if times.hours_between(cluster["CreationTime"], inventory.run.started) < 24 * days:
        return not_applicable(f"is not yet {days} days old")
    taken, user, system = (_brokers(cluster, name) for name in ("BytesInPerSec", "CpuUser", "CpuSystem"))
    if not taken:
        return not_evaluated("has no metrics of its brokers")

    bytes_, cpu = sum(taken), (sum(user) + sum(system)) / len(taken)
    evidence: dict[str, Any] = {
        "bytes_per_second": round(bytes_),
        "cpu_percent": round(cpu, 1),
        "brokers": len(taken),
    }
    if bytes_ < least_bytes_per_second:
        return failed(
            f"takes in {bytes_:,.0f} bytes a second",
            waste=wasted.brokers(cluster),
            carbon=wasted.all_of_it(),
            **evidence,
        )
    if cpu < least_cpu_percent:
        return failed(
            f"uses {cpu:.1f} % of its brokers' CPU",
            severity="low",
            waste=wasted.brokers(cluster, _HALF),
            **evidence,
        )
    return passed(f"takes in {bytes_:,.0f} bytes a second with {cpu:.1f} % of its brokers' CPU", **evidence)


# The next smaller type of each family costs half.
_HALF = 0.5


def _brokers(cluster: Resource, name: str) -> list[float]:
    """The mean of a metric at each broker that has any."""
    found = [cluster.mean(key) for key in sorted(cluster["Metrics"] or {}) if key.startswith(f"{name}.")]
    return [mean for mean in found if mean is not None]


@check("AWS::Glue::Job")
def glue_job_unused(job: Resource, inventory: Inventory, *, days: int) -> Verdict:
    """A job that is older than `days` days ran within them.

    Glue keeps runs for about 90 days, so that no run is no run within these. Jobs that are tagged for
    backfills or disasters (wa-audit:on-demand) are not judged.
    https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
    """
    if "wa-audit:on-demand" in job.tags:
        return not_applicable("is tagged wa-audit:on-demand")
    started = max((run["StartedOn"] for run in job["JobRuns"] or () if run.get("StartedOn")), default=None)
    now = inventory.run.started
    if started and times.hours_between(started, now) <= 24 * days:
        return passed("ran", StartedOn=started)
    if times.hours_between(job["CreatedOn"], now) <= 24 * days:
        return not_applicable(f"is not yet {days} days old", CreatedOn=job["CreatedOn"])
    return failed(
        f"has not run in {days} days",
        CreatedOn=job["CreatedOn"],
        StartedOn=started,
        waste=wasted.nothing("a job is paid for by its runs, of which there are none"),
    )


@check("AWS::Kinesis::Stream")
def kinesis_overprovisioned(stream: Resource, inventory: Inventory, *, least_percent: float) -> Verdict:
    """The busiest five minutes of a stream use at least `least_percent` of what its shards take in.

    A shard takes in 1 MiB and 1,000 records a second; the larger share counts. Over the time that metrics
    were read of (--metrics-days). Streams on demand, of one shard, that took in nothing (kinesis-stream-idle
    judges those), or that are younger than that time are not judged. What is wasted are the shards beyond
    those that the peak would use by half.
    https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
    """
    if (stream["StreamModeDetails"] or {}).get("StreamMode") == "ON_DEMAND":
        return not_applicable("takes in what comes, on demand", StreamMode="ON_DEMAND")
    shards = stream["OpenShardCount"] or 0
    if shards < 2:
        return not_applicable("has one shard", OpenShardCount=shards)
    days = inventory.run.metrics_days
    taken, records = (stream.metric(f"{name}.FiveMinutes") for name in ("IncomingBytes", "IncomingRecords"))
    if taken is None or records is None:
        return not_evaluated("was read without what it takes in by five minutes")
    if times.hours_between(stream["StreamCreationTimestamp"], inventory.run.started) < 24 * days:
        return not_applicable(f"is not yet {days} days old")
    busy = max(taken.get("Maximum", 0.0) / (300 * 2**20), records.get("Maximum", 0.0) / (300 * 1000))
    if not busy:
        return not_applicable(f"took in nothing in {days} days")
    percent = 100 * busy / shards
    evidence: dict[str, Any] = {"OpenShardCount": shards, "peak_percent": round(percent, 1), "days": days}
    if percent >= least_percent:
        return passed(f"uses {percent:.0f} % of its {shards} shards at its peak", **evidence)
    spare = shards - max(1, math.ceil(2 * busy))
    return failed(
        f"uses {percent:.1f} % of its {shards} shards at its peak, less than {least_percent:g} %",
        waste=wasted.stream(stream, spare),
        carbon=wasted.part_of_it(spare / shards, "the share of its shards that is spare"),
        **evidence,
    )


# Instances that a service keeps for its own work, by the tags that it puts on them.
_KEPT_BY_SERVICES = re.compile(
    r"aws:elasticmapreduce:|aws:autoscaling:|aws:ecs:|aws:eks:|aws:batch:|AmazonECSManaged$|eks:|"
    r"kubernetes\.io/cluster/|databricks",
    re.IGNORECASE,
)


@check("AWS::EC2::Instance")
def ec2_always_on_batch(
    instance: Resource,
    inventory: Inventory,
    *,
    words: list[str],
    services: list[str],
    least_days: int,
    least_known_days: int,
    most_cpu_percent: float,
) -> Verdict:
    """An instance that works for a pipeline day and night has work for it.

    Fails where it is up for more than `least_days` days and its mean CPUUtilization is less than
    `most_cpu_percent`, over the time that metrics were read of (--metrics-days), of which at least
    `least_known_days` must be known: Glue, Lambda, Fargate or EMR Serverless are paid for by use. It works
    for a pipeline where a tag holds one of `words`, or its role may act in one of `services`.
    Instances that EMR, ECS, EKS, Batch, Auto Scaling or Databricks keep, and those tagged
    wa-audit:always-on=approved, are not judged.
    https://docs.aws.amazon.com/wellarchitected/latest/framework/cost_type_size_number_resources_data.html
    """
    state = (instance["State"] or {}).get("Name")
    if state != "running":
        return not_applicable(f"is {state}", State=state)
    tags = instance.tags
    if keeper := next((key for key in sorted(tags) if _KEPT_BY_SERVICES.match(key)), ""):
        return not_applicable(f"is kept by another service, as the tag {keeper} says")
    if tags.get("wa-audit:always-on") == "approved":
        return not_applicable("is approved to run at all times")
    told = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
    why = next((f"tag {key}" for key in sorted(tags) if told.search(f"{key}={tags[key]}")), "")
    why = why or neighbours.works_with(instance, services, inventory)
    if not why:
        return not_applicable("works for no pipeline, by its tags and its role")

    age = times.hours_between(instance["LaunchTime"], inventory.run.started) / 24
    if age < least_days:
        return not_applicable(f"is up for {age:.0f} days", LaunchTime=instance["LaunchTime"])
    cpu = instance.metric("CPUUtilization") or {}
    known = cpu.get("Datapoints", 0)
    if known < least_known_days:
        return not_evaluated(f"has metrics of {known:g} days, {least_known_days} are needed", days=known)
    mean = cpu["Sum"] / known
    evidence: dict[str, Any] = {
        "CPUUtilization": round(mean, 1),
        "InstanceType": instance["InstanceType"],
        "known_by": why,
    }
    if mean >= most_cpu_percent:
        return passed(f"uses {mean:.0f} % of its CPU on average", **evidence)
    return failed(
        f"is up for {age:.0f} days, and uses {mean:.1f} % of its CPU on average",
        waste=wasted.instance(instance, mean),
        **evidence,
    )
