"""Processors, releases, and the capacity of clusters."""

from __future__ import annotations

import pytest

from wa_audit.aws import instances


@pytest.mark.parametrize(
    "type_",
    [
        "m6g.xlarge",
        "r7gd.2xlarge",
        "c7gn.large",
        "x2gd.metal",
        "t4g.nano",
        "im4gn.large",
        "is4gen.large",
        "g5g.xlarge",
        "a1.medium",
        "i8g.large",
        "hpc7g.4xlarge",
        "c6gn.16xlarge",
    ],
)
def test_graviton(type_: str) -> None:
    assert instances.graviton(type_)


@pytest.mark.parametrize(
    "type_",
    [
        "m5.xlarge",
        "m7i-flex.large",
        "m7a.large",
        "g4dn.xlarge",
        "g5.xlarge",
        "g6.xlarge",
        "g6e.xlarge",
        "gr6.4xlarge",
        "g4ad.xlarge",
        "p4d.24xlarge",
        "u-6tb1.metal",
        "mac2.metal",
        "trn1.2xlarge",
        "i3en.large",
        "p6e-gb200.36xlarge",
    ],
)
def test_not_graviton(type_: str) -> None:
    assert not instances.graviton(type_)


@pytest.mark.parametrize(
    ("label", "modern"),
    [
        ("emr-5.29.0", False),
        ("emr-5.30.0", True),
        ("emr-6.0.0", False),
        ("emr-6.1.0", True),
        ("emr-6.15.0", True),
        ("emr-7.2.0", True),
        ("emr-4.9.6", False),
        ("emr-spark-8.0.0", True),
        (None, False),
        ("", False),
    ],
)
def test_modern(label: str | None, modern: bool) -> None:
    assert instances.modern(label) is modern


def test_capacity_of_groups() -> None:
    group = {"InstanceGroupType": "TASK", "InstanceType": "m6g.xlarge", "RequestedInstanceCount": 4}
    gone = {**group, "Status": {"State": "TERMINATED"}}
    (found,) = instances.capacities([{**group, "Market": "SPOT", "Status": {"State": "RUNNING"}}, gone], None)
    assert found == ("TASK", 4, 4, 4, "SPOT", 1.0)


def test_capacity_of_fleets() -> None:
    fleet = {
        "InstanceFleetType": "CORE",
        "TargetOnDemandCapacity": 8,
        "TargetSpotCapacity": 12,
        "InstanceTypeSpecifications": [
            {"InstanceType": "r6g.xlarge", "WeightedCapacity": 4},
            {"InstanceType": "r5.2xlarge", "WeightedCapacity": 8},
        ],
    }
    assert instances.capacities(None, [fleet]) == [("CORE", 20, 12, 5, "SPOT", 0.5)]
    (empty,) = instances.capacities(None, [{"InstanceFleetType": "TASK"}])
    assert empty == ("TASK", 0, 0, 0, "ON_DEMAND", 0.0)
