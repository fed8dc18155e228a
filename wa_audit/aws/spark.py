"""The Spark settings that an EMR cluster's Configurations amount to.

Configurations are a list of classifications, each with string properties. Only those at the top of the list
set Spark's defaults; the Configurations inside them hold exports of environment variables. A node takes the
cluster's properties, overridden by those of its instance group or of its type within an instance fleet.
https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-configure-apps.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wa_audit.aws.versions import natural

# From this release on EMR turns Spark's dynamic allocation on by itself.
_DYNAMIC_SINCE = natural("4.4")


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
