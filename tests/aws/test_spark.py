"""The settings that nested, repeated and overridden Configurations amount to."""

from __future__ import annotations

import pytest

from wa_audit.aws import spark

OFF = {"Classification": "spark-defaults", "Properties": {"spark.dynamicAllocation.enabled": "false"}}
ON = {"Classification": "spark-defaults", "Properties": {"spark.dynamicAllocation.enabled": "true"}}


def test_properties_of_one_classification() -> None:
    assert spark.properties([OFF, {"Classification": "spark"}], "spark-defaults") == OFF["Properties"]
    assert spark.properties([OFF, ON], "spark-defaults") == ON["Properties"]
    assert (
        spark.properties([{"Classification": "spark-env", "Configurations": [OFF]}], "spark-defaults") == {}
    )
    assert spark.properties(None, "spark") == {}


def test_a_group_overrides_the_cluster() -> None:
    effective = spark.defaults([ON], {"core": [OFF], "task": None})
    assert {group: settings["spark.dynamicAllocation.enabled"] for group, settings in effective.items()} == {
        "": "true",
        "core": "false",
        "task": "true",
    }


def test_overrides_by_group_and_by_type_of_a_fleet() -> None:
    assert spark.group_overrides([{"Name": None, "InstanceGroupType": "CORE", "Configurations": [OFF]}]) == {
        "CORE": [OFF]
    }
    fleet = {
        "InstanceFleetType": "TASK",
        "InstanceTypeSpecifications": [{"InstanceType": "r6g.xlarge", "Configurations": [OFF]}],
    }
    assert spark.fleet_overrides([fleet, {"InstanceFleetType": "MASTER"}]) == {"TASK r6g.xlarge": [OFF]}
    assert spark.group_overrides(None) == spark.fleet_overrides(None) == {}


@pytest.mark.parametrize(
    ("settings", "release", "expected"),
    [
        ({}, "emr-7.9.0", True),
        ({}, "emr-4.4.0", True),
        ({}, "emr-4.3.0", False),
        ({"spark.dynamicAllocation.enabled": " TRUE "}, "emr-4.3.0", True),
        ({"spark.dynamicAllocation.enabled": "false"}, "emr-7.9.0", False),
    ],
)
def test_allocates_dynamically(settings: dict[str, str], release: str, expected: bool) -> None:
    assert spark.allocates_dynamically(settings, release) is expected


def test_sizes_executors() -> None:
    assert spark.sizes_executors({"spark.executor.memory": "4g", "spark.executor.cores": "2"})
    assert not spark.sizes_executors({"spark.executor.memory": "4g"})
