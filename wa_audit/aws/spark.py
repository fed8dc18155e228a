"""The Spark settings that an EMR cluster's Configurations and steps amount to, and the memory they ask for.

Configurations are a list of classifications, each with string properties. Only those at the top of the list
set Spark's defaults; the Configurations inside them hold exports of environment variables. A node takes the
cluster's properties, overridden by those of its instance group or of its type within an instance fleet; a job
takes them, overridden by what it is submitted with.
https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-configure-apps.html
https://spark.apache.org/docs/latest/submitting-applications.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from wa_audit.aws.versions import natural

_SIZE = re.compile(r"\s*(\d+)\s*([kmgtp]?)b?\s*", re.IGNORECASE)
_MEGABYTES = {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024**2, "p": 1024**3}
_FACTOR = re.compile(r"\s*\d+(\.\d*)?\s*")

# EMR gives executors more room beside their heap than Spark does by itself: since 5.22 it writes
# spark.yarn.executor.memoryOverheadFactor 0.1875 into spark-defaults.conf.
_OVERHEAD, _OVERHEAD_SINCE, _SPARKS_OWN = 0.1875, natural("5.22"), 0.10
# In MiB: what Spark adds at the least, and what EMR keeps of a node for everything but YARN at the most.
_LEAST_OVERHEAD, _MOST_KEPT = 384, 8192

# From this release on EMR turns Spark's dynamic allocation on by itself.
_DYNAMIC_SINCE = natural("4.4")


# What is kept of a job's own settings: no others, as options of Java may hold anything.
JUDGED = frozenset(
    "spark.dynamicAllocation.enabled spark.dynamicAllocation.maxExecutors spark.executor.cores "
    "spark.executor.memory spark.executor.memoryOverhead spark.executor.memoryOverheadFactor "
    "spark.executor.pyspark.memory spark.memory.offHeap.enabled spark.memory.offHeap.size "
    "spark.sql.adaptive.enabled spark.sql.shuffle.partitions "
    "spark.yarn.executor.memoryOverhead spark.yarn.executor.memoryOverheadFactor".split()
)
FIELD = "SparkSettings"
"""The field of a step that the collector fills: what `submitted` gives."""

# Options of spark-submit that say what a setting says, and count before it; and those that take no value.
_OPTIONS = {"--executor-memory": "spark.executor.memory", "--executor-cores": "spark.executor.cores"}
_FLAGS = frozenset({"--supervise", "--verbose", "-v"})


def submitted(words: Iterable[Any] | None) -> dict[str, str] | None:
    """The judged settings that a step's arguments give its Spark job.

    None where they submit none, or name a file of properties, which takes the place of the cluster's own
    defaults. What follows the job's own program is the job's and none of Spark's.
    """
    texts = [str(word) for word in words or ()]
    start = next((n for n, word in enumerate(texts) if word.rpartition("/")[2] == "spark-submit"), None)
    if start is None:
        return None
    settings: dict[str, str] = {}
    options: dict[str, str] = {}
    for option, value in _options(iter(texts[start + 1 :])):
        if option == "--properties-file":
            return None
        if option in ("--conf", "-c"):
            name, _, given = value.partition("=")
            settings[name.strip()] = given.strip()
        elif option in _OPTIONS:
            options[_OPTIONS[option]] = value
    return {name: value for name, value in (settings | options).items() if name in JUDGED}


def _options(words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The options before the first word that is none, as pairs; `--name=value` is one, too."""
    for word in words:
        if not word.startswith("-"):
            return
        option, equals, value = word.partition("=")
        if equals:
            yield option, value
        elif option not in _FLAGS:
            yield option, next(words, "")


def jobs(steps: Iterable[Mapping[str, Any]] | None) -> dict[str, dict[str, str]]:
    """What the last Spark job of each name was submitted with; EMR lists the newest steps first."""
    found: dict[str, dict[str, str]] = {}
    for step in steps or ():
        if step.get(FIELD) is not None:
            found.setdefault(str(step.get("Name") or step.get("Id")), step[FIELD])
    return found


def properties(configurations: Iterable[Mapping[str, Any]] | None, classification: str) -> dict[str, str]:
    """The properties of one classification; where it is listed twice, the later ones win."""
    found: dict[str, str] = {}
    for configuration in configurations or ():
        if configuration.get("Classification") == classification:
            found.update(
                {name: str(value) for name, value in (configuration.get("Properties") or {}).items()}
            )
    return found


def defaults(
    cluster: Iterable[Mapping[str, Any]] | None,
    overrides: Mapping[str, Iterable[Mapping[str, Any]] | None],
) -> dict[str, dict[str, str]]:
    """The effective `spark-defaults` by group of nodes, and the cluster's own under the empty name.

    `overrides` holds the Configurations of each instance group, or instance type of a fleet, by its name.
    """
    own = properties(cluster, "spark-defaults")
    return {"": own} | {
        name: own | properties(configurations, "spark-defaults") for name, configurations in overrides.items()
    }


def group_overrides(groups: Iterable[Mapping[str, Any]] | None) -> dict[str, Any]:
    """The Configurations of instance groups, by their names."""
    return {
        str(group.get("Name") or group.get("InstanceGroupType")): group.get("Configurations")
        for group in groups or ()
    }


def fleet_overrides(fleets: Iterable[Mapping[str, Any]] | None) -> dict[str, Any]:
    """The Configurations of the instance types of instance fleets, by fleet and type."""
    return {
        f"{fleet.get('InstanceFleetType')} {specification.get('InstanceType')}": specification.get(
            "Configurations"
        )
        for fleet in fleets or ()
        for specification in fleet.get("InstanceTypeSpecifications") or ()
    }


def is_true(value: str | None) -> bool:
    """Whether a property is set to true; properties are strings."""
    return (value or "").strip().lower() == "true"


def allocates_dynamically(settings: Mapping[str, str], release: str) -> bool:
    """Whether Spark grows and shrinks with its work, by the settings or by the release's default."""
    enabled = settings.get("spark.dynamicAllocation.enabled")
    return natural(release) >= _DYNAMIC_SINCE if enabled is None else is_true(enabled)


def sizes_executors(settings: Mapping[str, str]) -> bool:
    """Whether both the memory and the cores of an executor are set."""
    return bool(settings.get("spark.executor.memory") and settings.get("spark.executor.cores"))


def megabytes(size: str) -> float | None:
    """A size as Spark writes it, `18g`, in MiB, which a number alone means too; None where it is none."""
    match = _SIZE.fullmatch(size)
    return int(match[1]) * _MEGABYTES[match[2].lower() or "m"] if match else None


def executor_megabytes(settings: Mapping[str, str], release: str) -> float | None:
    """What YARN must find for one executor, in MiB: its heap, what is beside it and off it, and Python's.

    None where its memory is not set, or a size is not understood.
    https://spark.apache.org/docs/latest/configuration.html#memory-management
    """
    heap = megabytes(settings.get("spark.executor.memory", ""))
    python = megabytes(settings.get("spark.executor.pyspark.memory", "0"))
    off = settings.get("spark.memory.offHeap.size", "0") if _uses_off_heap(settings) else "0"
    # Of this one alone, a number means bytes.
    away = int(off) / 1024**2 if off.isdigit() else megabytes(off)
    beside = None if heap is None else _overhead(settings, release, heap)
    parts = [part for part in (heap, beside, python, away) if part is not None]
    return sum(parts) if len(parts) == 4 else None


def _overhead(settings: Mapping[str, str], release: str, heap: float) -> float | None:
    """What is kept beside an executor's heap, in MiB."""
    fixed, factor = (_setting(settings, f"executor.memoryOverhead{end}") for end in ("", "Factor"))
    if fixed is not None:
        return megabytes(fixed)
    if factor is not None and not _FACTOR.fullmatch(factor):
        return None
    own = _OVERHEAD if natural(release) >= _OVERHEAD_SINCE else _SPARKS_OWN
    return max(_LEAST_OVERHEAD, heap * (own if factor is None else float(factor)))


def _uses_off_heap(settings: Mapping[str, str]) -> bool:
    return is_true(settings.get("spark.memory.offHeap.enabled"))


def node_megabytes(configurations: Iterable[Mapping[str, Any]] | None, memory: int) -> int | None:
    """What YARN hands out on a node of so much memory, both in MiB: what is configured, or EMR's default.

    By default EMR keeps a quarter of a node, and no more than 8 GiB; with HBase, more. None where what is
    configured is no number.
    https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-hadoop-task-config.html
    """
    own = properties(configurations, "yarn-site").get("yarn.nodemanager.resource.memory-mb")
    if own:
        return int(own) if own.strip().isdigit() else None
    return memory - min(memory // 4, _MOST_KEPT)


def shuffles_by_default(settings: Mapping[str, str]) -> bool:
    """Whether every shuffle makes Spark's default of 200 partitions, however much is shuffled."""
    adapts = settings.get("spark.sql.adaptive.enabled")
    partitions = settings.get("spark.sql.shuffle.partitions")
    return adapts is not None and not is_true(adapts) and partitions in (None, "200")


def _setting(settings: Mapping[str, str], name: str) -> str | None:
    """A setting that once stood under spark.yarn."""
    return settings.get(f"spark.{name}", settings.get(f"spark.yarn.{name}"))
