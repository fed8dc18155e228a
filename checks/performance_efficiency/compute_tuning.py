"""Compute runs on current versions and uses what it has."""

from typing import Any

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
    spark,
    versions,
)

# Applications that hold on to memory of the nodes beside Spark.
_ENGINES = ("HBase", "Presto", "PrestoSQL", "Trino", "Flink")


@check("AWS::Glue::Job")
def glue_job_version(
    job: Resource, inventory: Inventory, *, least_version: str, least_python: str
) -> Verdict:
    """Passes where the job runs on a current Glue version.

    By the dated table of Glue's support policy, a version past its end of support or life fails; one that
    is merely older than `least_version` fails with medium severity. `auto` passes, since Glue upgrades
    the job. Python shell jobs are judged by their Python version instead, at least `least_python`. A job
    that names no version, or one that the table does not hold, is not evaluated: the default has changed
    over the years. Ray jobs are out of scope.
    """
    command = job["Command"] or {}
    if command.get("Name") == "glueray":
        return not_applicable("is a Ray job")
    if command.get("Name") == "pythonshell":
        return _python_shell(str(command.get("PythonVersion") or ""), least_python)
    version = job["GlueVersion"]
    if version == "auto":
        return passed("lets Glue upgrade it", GlueVersion="auto")
    known = versions.glue_version(version or "")
    if known is None:
        return not_evaluated(f"runs on a Glue version that is not known ({version})", GlueVersion=version)

    for day, what in (
        (known.end_of_life, "can no longer run"),
        (known.end_of_support, "is no longer supported"),
    ):
        if day and versions.days_until(day, inventory.run.finished) <= 0:
            return failed(f"is for Glue {version}, which {what} since {day}", GlueVersion=version, since=day)
    if versions.natural(known.version) < versions.natural(least_version):
        message = f"runs on Glue {version}, older than {least_version}"
        return failed(message, severity="medium", GlueVersion=version)
    return passed(f"runs on Glue {version}", GlueVersion=version)


def _python_shell(version: str, least: str) -> Verdict:
    if not version:
        return not_evaluated("is a Python shell job that does not say its Python version")
    # "3" stands for Python 3.6, as AWS named it before there was a second one.
    actual = "3.6" if version == "3" else version
    if versions.natural(actual) < versions.natural(least):
        return failed(f"runs on Python {actual}, which is past its end of life", PythonVersion=version)
    return passed(f"runs on Python {actual}", PythonVersion=version)


@check("AWS::EMR::Cluster")
def emr_release_supported(cluster: Resource, inventory: Inventory, *, most_minors_behind: int) -> Verdict:
    """Passes where the cluster's release has standard support and is not far behind.

    A release gets 24 months of it; the last day comes from a dated table that comes with wa-audit. Where
    the table leaves a release out, its neighbours bound the day, and nothing is claimed if that does not
    decide. A supported release fails with low severity where the newest of its major in that table is
    more than `most_minors_behind` minor releases ahead. The list of releases that AWS offers
    (ListReleaseLabels) is not read, nor are EMR Serverless applications. Clusters that are terminating or
    terminated are out of scope.
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    label = cluster["ReleaseLabel"] or ""
    support = versions.emr_support(label)
    if support is None:
        return not_evaluated(
            f"runs {label or 'no release'}, whose end of support is not known", ReleaseLabel=label
        )

    now = inventory.run.finished
    if versions.days_until(support.latest, now) < 0:
        message = f"runs {label}, whose standard support ended on or before {support.latest}"
        return failed(message, ReleaseLabel=label, standard_support_until=support.latest)
    if support.earliest is None or versions.days_until(support.earliest, now) < 0:
        return not_evaluated(
            f"runs {label}, whose end of support is not known to the day", ReleaseLabel=label
        )
    behind = versions.emr_minors_behind(label) or 0
    if behind > most_minors_behind:
        message = f"runs {label}, {behind} minor releases behind the newest known"
        return failed(message, severity="low", ReleaseLabel=label, minors_behind=behind)
    return passed(f"runs {label}, supported until {support.earliest} at least", ReleaseLabel=label)


@check("AWS::EMR::Cluster")
def emr_spark_dynamic_allocation(cluster: Resource) -> Verdict:
    """Passes where Spark grows and shrinks with its work, within a limit on clusters that jobs share.

    EMR turns spark.dynamicAllocation.enabled on by itself since release 4.4, so only a false fails, in
    the cluster's spark-defaults or in those of an instance group or fleet. A cluster that runs several
    steps at once also needs spark.dynamicAllocation.maxExecutors, so that one job leaves room for the
    next, in its spark-defaults or in every step. Of steps, the last of each name counts, with what it gives
    spark-submit by --conf. EMR Serverless is not read. Clusters without Spark, terminating or terminated are
    out of scope.
    """
    if reason := _runs_no_spark(cluster):
        return not_applicable(reason)
    if cluster["InstanceCollectionType"] == "INSTANCE_FLEET":
        overrides = spark.fleet_overrides(cluster["InstanceFleets"])
    else:
        overrides = spark.group_overrides(cluster["InstanceGroups"])
    effective = spark.defaults(cluster["Configurations"], overrides)

    release = cluster["ReleaseLabel"] or ""
    fixed = [
        group for group, settings in effective.items() if not spark.allocates_dynamically(settings, release)
    ]
    if fixed:
        where = "the cluster" if "" in fixed else ", ".join(fixed)
        return failed(f"turns spark.dynamicAllocation.enabled off for {where}", groups=fixed)
    jobs = {name: effective[""] | own for name, own in spark.jobs(cluster["Steps"]).items()}
    if off := [name for name, own in jobs.items() if not spark.allocates_dynamically(own, release)]:
        return failed(f"turns spark.dynamicAllocation.enabled off for the step {off[0]}", steps=off)
    steps = cluster["StepConcurrencyLevel"] or 1
    limit = effective[""].get("spark.dynamicAllocation.maxExecutors")
    limited = [bool(own.get("spark.dynamicAllocation.maxExecutors")) for own in jobs.values()]
    if steps > 1 and not limit and not (limited and all(limited)):
        message = f"runs {steps} steps at once without spark.dynamicAllocation.maxExecutors"
        return failed(message, StepConcurrencyLevel=steps)
    return passed("lets Spark allocate executors dynamically", maxExecutors=limit, StepConcurrencyLevel=steps)


@check("AWS::EMR::Cluster")
def emr_spark_max_resource_allocation(cluster: Resource) -> Verdict:
    """Passes where executors are sized for who uses the cluster.

    A cluster that Spark has for itself, one step at a time, either sets maximizeResourceAllocation in the
    classification spark, or both spark.executor.memory and spark.executor.cores. On a cluster that
    several steps share, or other engines (HBase, Presto, Trino, Flink), maximizeResourceAllocation gives
    everything to one application and fails. Clusters without Spark, terminating or terminated are out of
    scope.
    """
    if reason := _runs_no_spark(cluster):
        return not_applicable(reason)
    maximizes = spark.is_true(
        spark.properties(cluster["Configurations"], "spark").get("maximizeResourceAllocation")
    )
    steps = cluster["StepConcurrencyLevel"] or 1
    others = sorted({a["Name"] for a in cluster["Applications"] or ()} & set(_ENGINES))
    evidence: dict[str, Any] = {
        "maximizeResourceAllocation": maximizes,
        "StepConcurrencyLevel": steps,
        "applications": others,
    }
    if steps > 1 or others:
        sharer = f"{steps} steps at once" if steps > 1 else ", ".join(others)
        if maximizes:
            return failed(f"gives one Spark job all resources, and runs {sharer}", **evidence)
        return passed(f"leaves room for {sharer}", **evidence)
    if maximizes:
        return passed("sizes executors by maximizeResourceAllocation", **evidence)
    if spark.sizes_executors(spark.properties(cluster["Configurations"], "spark-defaults")):
        return passed("sets the memory and cores of its executors", **evidence)
    return failed("sets neither maximizeResourceAllocation nor the memory and cores of executors", **evidence)


@check("AWS::EMR::Cluster")
def emr_spark_memory_fits_node(
    cluster: Resource, *, least_percent: int, most_vcpus_by_default: int
) -> Verdict:
    """Passes where executors of the memory that is set fit on every node, and fill it.

    An executor asks YARN for spark.executor.memory and what is beside it: spark.executor.memoryOverhead, or a
    share of it, 18.75 % by EMR's default and 384 MB at the least; what Python is given, and memory off the
    heap, is added. The smallest core or task node must have that much to hand out
    (yarn.nodemanager.resource.memory-mb, or EMR's default for the instance type), and executors must be able
    to take `least_percent` of it. A low finding, too, where adaptive query execution is switched off, and
    every shuffle makes 200 partitions on more than `most_vcpus_by_default` vCPUs. Of steps, the last of each
    name is judged with what it gives spark-submit, by --conf or --executor-memory. Executors beside HBase are
    not evaluated, as EMR then leaves YARN less.
    Says nothing about clusters that set none of it or do not run Spark, and those that are terminating or
    terminated.
    https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-spark-configure.html and
    https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-hadoop-task-config.html
    """
    if reason := _runs_no_spark(cluster):
        return not_applicable(reason)
    settings = spark.properties(cluster["Configurations"], "spark-defaults")
    verdict = _fits(cluster, settings, least_percent, most_vcpus_by_default)
    if verdict.status == "fail":
        return verdict
    for name, own in spark.jobs(cluster["Steps"]).items():
        if not _sizes_of(own):
            continue
        judged = _fits(cluster, settings | own, least_percent, most_vcpus_by_default)
        if judged.status == "fail":
            return failed(f"runs the step {name}, which {judged.message}", step=name, **judged.evidence)
        if verdict.status in ("not_applicable", "pass") and judged.status != "not_applicable":
            verdict = judged
    return verdict


def _fits(
    cluster: Resource, settings: dict[str, str], least_percent: int, most_vcpus_by_default: int
) -> Verdict:
    """Whether executors of these settings fit on the cluster's nodes, and fill them."""
    narrow, memory = spark.shuffles_by_default(settings), settings.get("spark.executor.memory")
    if not memory and not narrow:
        return not_applicable("sets neither the memory of its executors nor how it shuffles")
    fleets = cluster["InstanceFleets"] if cluster["InstanceCollectionType"] == "INSTANCE_FLEET" else None
    groups = instances.workers(cluster["InstanceGroups"] if fleets is None else None, fleets)
    sizes = {type_["InstanceType"]: type_ for type_ in cluster["InstanceTypes"] or ()}
    types = {worker.instance_type for group in groups for worker in group}
    if unknown := sorted(types - set(sizes)):
        return not_evaluated(f"runs on {unknown[0]}, of which EC2 says nothing", InstanceType=unknown[0])
    if not types:
        return not_applicable("has no core and no task nodes")

    asked = spark.executor_megabytes(settings, cluster["ReleaseLabel"] or "")
    rooms = _rooms(cluster, groups, sizes)
    evidence: dict[str, Any] = {"asked_mb": asked, **_sizes_of(settings)}
    if memory:
        if reason := _unclear(cluster, asked, rooms):
            return not_evaluated(reason, **evidence)
        room, smallest = min(rooms.values()), min(rooms, key=lambda type_: (rooms[type_], type_))
        evidence |= {"InstanceType": smallest, "room_mb": room}
        if misfit := _misfit(asked or 0, room, smallest, least_percent):
            return failed(misfit, **evidence)
    vcpus = sum(min(w.least * sizes[w.instance_type]["VCpus"] for w in group) for group in groups if group)
    if narrow and vcpus > most_vcpus_by_default:
        words = f"shuffles into 200 partitions on {vcpus:.0f} vCPUs or more, with adaptive execution off"
        return failed(words, **evidence)
    if not memory:
        return passed(f"shuffles into 200 partitions on {vcpus:.0f} vCPUs", **evidence)
    return passed(
        f"fills {_filled(asked or 0, room):.0f} % of a node of {smallest} with executors", **evidence
    )


def _unclear(cluster: Resource, asked: float | None, rooms: dict[str, int]) -> str:
    """Why nobody can say whether executors fit; empty where one can."""
    if not asked:
        return "sets a memory of its executors that is not understood"
    if not all(rooms.values()):
        return "sets a memory of its nodes (yarn.nodemanager.resource.memory-mb) that is not understood"
    if "HBase" in {application.get("Name") for application in cluster["Applications"] or ()}:
        return "runs HBase too, which leaves YARN less by a measure of its own"
    return ""


def _misfit(asked: float, room: int, instance_type: str, least_percent: int) -> str:
    """What is wrong with executors of this memory on nodes of this type; empty where nothing is."""
    if asked > room:
        return f"asks for {asked:,.0f} MB an executor, of which a node of {instance_type} has {room:,}"
    share = _filled(asked, room)
    if share < least_percent:
        words = f"fills {share:.0f} % of a node of {instance_type} with executors of {asked:,.0f} MB"
        return f"{words}, {least_percent} % are wanted"
    return ""


def _filled(asked: float, room: int) -> float:
    """How much of a node's memory executors can take, in percent."""
    return 100 * (room // asked) * asked / room


def _rooms(cluster: Resource, groups: list[list[instances.Worker]], sizes: dict[str, Any]) -> dict[str, int]:
    """What YARN hands out on each type of a cluster's core and task nodes, in MiB, at the least; 0 where what
    is set is not understood."""
    own, found = cluster["Configurations"] or [], dict[str, int]()
    for group in groups:
        for worker in group:
            memory = sizes[worker.instance_type]["MemoryMiB"]
            room = spark.node_megabytes([*own, *worker.configurations], memory) or 0
            found[worker.instance_type] = min(room, found.get(worker.instance_type, room))
    return found


def _sizes_of(settings: dict[str, str]) -> dict[str, str]:
    """The settings that decide about memory and shuffles; no others, as options of Java may hold anything."""
    return {name: value for name, value in settings.items() if name in _DECIDING}


_DECIDING = frozenset(
    "spark.executor.memory spark.executor.memoryOverhead spark.executor.memoryOverheadFactor "
    "spark.yarn.executor.memoryOverhead spark.yarn.executor.memoryOverheadFactor "
    "spark.executor.pyspark.memory spark.memory.offHeap.enabled spark.memory.offHeap.size "
    "spark.sql.adaptive.enabled spark.sql.shuffle.partitions".split()
)


def _runs_no_spark(cluster: Resource) -> str:
    """Why a cluster's Spark settings do not matter; empty where they do."""
    if state := activity.ending(cluster["Status"]):
        return f"is {state}"
    names = {application.get("Name") for application in cluster["Applications"] or ()}
    return "" if "Spark" in names else "does not run Spark"


@check("AWS::MSK::Cluster")
def msk_version_supported(cluster: Resource, inventory: Inventory) -> Verdict:
    """A cluster runs a version of Apache Kafka that MSK supports.

    Fails where ListKafkaVersions calls it DEPRECATED or does not know it any more, and where MSK asks for
    something to be done (CustomerActionStatus CRITICAL_ACTION_REQUIRED). MSK upgrades by itself what is past
    its end, in its own good time.
    https://docs.aws.amazon.com/msk/latest/developerguide/supported-kafka-versions.html
    """
    if cluster["ClusterType"] == "SERVERLESS":
        return not_applicable("is serverless", ClusterType="SERVERLESS")
    provisioned = cluster["Provisioned"] or {}
    version = (provisioned.get("CurrentBrokerSoftwareInfo") or {}).get("KafkaVersion")
    if not version:
        return not_evaluated("does not say which version it runs")
    if provisioned.get("CustomerActionStatus") == "CRITICAL_ACTION_REQUIRED":
        return failed(f"runs Kafka {version}, and MSK asks for it to be seen to", KafkaVersion=version)
    known = inventory.named("AWS::MSK::KafkaVersion", version, cluster.region)
    if known is None and inventory.of("AWS::MSK::KafkaVersion", region=cluster.region):
        return failed(f"runs Kafka {version}, which MSK does not offer any more", KafkaVersion=version)
    status = known["Status"] if known else None
    if status is None:
        return not_evaluated(f"runs Kafka {version}, and MSK names no versions", KafkaVersion=version)
    if status == "DEPRECATED":
        return failed(f"runs Kafka {version}, which is DEPRECATED", KafkaVersion=version, Status=status)
    return passed(f"runs Kafka {version}, which MSK supports", KafkaVersion=version, Status=status)
