"""Instance types, processors, and the capacity of an EMR cluster."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

# After the generation's digit stands what the processor is: `g` is Graviton (m6g, r7gd, im4gn, g5g). A family
# that begins with g (g4dn, g5, g6) is named for its GPU. The first Graviton family is a1.
# https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
_GRAVITON = re.compile(r"^(?:a1|[a-z]+\d+[a-z]*g[a-z]*)$")

# "Up to 60 % less energy for the same performance than comparable EC2 instances":
# https://aws.amazon.com/ec2/graviton/
GRAVITON_PERCENT = 60

# Every runtime since supports both processors.
# https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html and .../lambda-runtimes.html
X86_ONLY_RUNTIMES = frozenset(
    {
        "nodejs",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "nodejs10.x",
        "python2.7",
        "python3.6",
        "python3.7",
        "java8",
        "go1.x",
        "provided",
        "ruby2.5",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
    }
)

# The first releases, in each major version, with managed scaling and with Graviton instances.
_MODERN_RELEASES = {5: (5, 30), 6: (6, 1)}


def graviton(instance_type: str) -> bool:
    """Whether an instance type, `m6g.xlarge`, has a Graviton processor."""
    return _GRAVITON.match(instance_type.partition(".")[0].lower()) is not None


def release(label: str | None) -> tuple[int, ...]:
    """An EMR release label as numbers, `emr-6.15.0` as (6, 15, 0); empty where it is none."""
    match = re.search(r"(\d+(?:\.\d+)*)", label or "")
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def modern(label: str | None) -> bool:
    """Whether an EMR release knows managed scaling and Graviton: 5.30 and 6.1 on.

    Clusters from before release 4.0 have an AMI version and no release label.
    """
    version = release(label)
    return bool(version) and version >= _MODERN_RELEASES.get(version[0], (5, 30))


class Capacity(NamedTuple):
    """An instance group or fleet of an EMR cluster.

    `units` are instances of a group, and weighted units of a fleet; `spot` is how many of them are asked
    for on the Spot market. `nodes` is the most instances that they can be. `market` is what it asks for,
    even where it is scaled down to nothing. `graviton` is the share of its instance types, 0 to 1.
    """

    role: str
    units: int
    spot: int
    nodes: int
    market: str
    graviton: float


class Worker(NamedTuple):
    """A kind of node on which an EMR cluster runs its work: an instance type, with what is configured for it.

    `least` is how many there are at the least: of a fleet, where all its capacity were of this type.
    """

    instance_type: str
    configurations: list[dict[str, Any]]
    least: float


def workers(
    groups: Iterable[Mapping[str, Any]] | None, fleets: Iterable[Mapping[str, Any]] | None
) -> list[list[Worker]]:
    """The core and task nodes of a cluster: by group or fleet, each with the types that it may consist of."""
    found = [
        [Worker(group["InstanceType"], group.get("Configurations") or [], _group(group).units)]
        for group in groups or ()
        if _lives(group) and group["InstanceGroupType"] != "MASTER"
    ]
    for fleet in fleets or ():
        if _lives(fleet) and fleet["InstanceFleetType"] != "MASTER":
            units = _fleet(fleet).units
            types = fleet.get("InstanceTypeSpecifications") or ()
            found.append(
                [
                    Worker(
                        type_["InstanceType"],
                        type_.get("Configurations") or [],
                        units / int(type_.get("WeightedCapacity") or 1),
                    )
                    for type_ in types
                ]
            )
    return found


_GONE = frozenset({"TERMINATING", "TERMINATED", "SHUTTING_DOWN", "ENDED"})


def capacities(
    groups: Iterable[Mapping[str, Any]] | None, fleets: Iterable[Mapping[str, Any]] | None
) -> list[Capacity]:
    """The capacity of a cluster's instance groups, or fleets; it has the one or the other."""
    found = [_group(group) for group in groups or () if _lives(group)]
    return found + [_fleet(fleet) for fleet in fleets or () if _lives(fleet)]


def _lives(part: Mapping[str, Any]) -> bool:
    return (part.get("Status") or {}).get("State") not in _GONE


def _group(group: Mapping[str, Any]) -> Capacity:
    units = int(group.get("RequestedInstanceCount") or 0)
    market = group.get("Market") or "ON_DEMAND"
    share = float(graviton(group.get("InstanceType") or ""))
    return Capacity(group["InstanceGroupType"], units, units if market == "SPOT" else 0, units, market, share)


def _fleet(fleet: Mapping[str, Any]) -> Capacity:
    spot, on_demand = int(fleet.get("TargetSpotCapacity") or 0), int(fleet.get("TargetOnDemandCapacity") or 0)
    types = fleet.get("InstanceTypeSpecifications") or ()
    lightest = min((int(type_.get("WeightedCapacity") or 1) for type_ in types), default=1) or 1
    suited = sum(graviton(type_["InstanceType"]) for type_ in types)
    return Capacity(
        fleet["InstanceFleetType"],
        spot + on_demand,
        spot,
        -(-(spot + on_demand) // lightest),
        "SPOT" if spot else "ON_DEMAND",
        suited / len(types) if types else 0.0,
    )
