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


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("18g", 18432),
        ("512m", 512),
        ("2048", 2048),
        ("1T", 1024**2),
        ("2048k", 2),
        ("4gb", 4096),
        ("much", None),
    ],
)
def test_sizes_as_spark_writes_them(size: str, expected: float | None) -> None:
    assert spark.megabytes(size) == expected


@pytest.mark.parametrize(
    ("settings", "release", "expected"),
    [
        ({}, "emr-7.9.0", None),
        ({"spark.executor.memory": "16g"}, "emr-7.9.0", 16384 * 1.1875),
        ({"spark.executor.memory": "16g"}, "emr-5.20.0", 16384 * 1.1),
        ({"spark.executor.memory": "1g"}, "emr-7.9.0", 1024 + 384),
        ({"spark.executor.memory": "16g", "spark.executor.memoryOverhead": "2g"}, "emr-7.9.0", 18432),
        ({"spark.executor.memory": "16g", "spark.yarn.executor.memoryOverhead": "1024"}, "emr-5.0.0", 17408),
        ({"spark.executor.memory": "16g", "spark.executor.memoryOverheadFactor": "0.5"}, "emr-7.9.0", 24576),
        (
            {
                "spark.executor.memory": "8g",
                "spark.executor.memoryOverhead": "1g",
                "spark.executor.pyspark.memory": "2g",
            },
            "emr-7.9.0",
            11264,
        ),
        ({"spark.executor.memory": "8g", "spark.executor.memoryOverhead": "?"}, "emr-7.9.0", None),
    ],
)
def test_what_an_executor_asks_for(settings: dict[str, str], release: str, expected: float | None) -> None:
    assert spark.executor_megabytes(settings, release) == expected


def test_what_yarn_hands_out_on_a_node() -> None:
    assert spark.node_megabytes(None, 16 * 1024) == 12 * 1024
    assert spark.node_megabytes(None, 32 * 1024) == 24 * 1024
    assert spark.node_megabytes(None, 64 * 1024) == 56 * 1024
    own = [{"Classification": "yarn-site", "Properties": {"yarn.nodemanager.resource.memory-mb": "20000"}}]
    assert spark.node_megabytes(own, 32 * 1024) == 20000


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["spark-submit", "--conf", "spark.executor.memory=20g", "s3://b/x.py"],
            {"spark.executor.memory": "20g"},
        ),
        (["/usr/bin/spark-submit", "-c", "spark.executor.cores=4", "x.py"], {"spark.executor.cores": "4"}),
        (
            ["spark-submit", "--conf=spark.sql.adaptive.enabled=false", "x.py"],
            {"spark.sql.adaptive.enabled": "false"},
        ),
        # The option counts before the setting, wherever it stands.
        (
            ["spark-submit", "--executor-memory", "4g", "--conf", "spark.executor.memory=8g", "x.py"],
            {"spark.executor.memory": "4g"},
        ),
        # A flag takes no value, and what follows the program is the program's.
        (
            [
                "spark-submit",
                "--verbose",
                "--deploy-mode",
                "cluster",
                "x.py",
                "--conf",
                "spark.executor.memory=1g",
            ],
            {},
        ),
        # Options of Java may hold a password.
        (["spark-submit", "--conf", "spark.executor.extraJavaOptions=-Dpassword=hunter2", "x.py"], {}),
        (["spark-submit", "--conf"], {}),
        (["spark-submit"], {}),
        (["spark-submit", "--properties-file", "s3://b/own.conf", "x.py"], None),
        (["hadoop", "jar", "x.jar", "--conf", "spark.executor.memory=1g"], None),
        ([], None),
        (None, None),
    ],
)
def test_what_a_step_submits(words: list[str] | None, expected: dict[str, str] | None) -> None:
    assert spark.submitted(words) == expected


def test_the_last_job_of_a_name_counts() -> None:
    steps = [
        {"Name": "load", "SparkSettings": {"spark.executor.memory": "2g"}},
        {"Name": "load", "SparkSettings": {"spark.executor.memory": "1g"}},
        {"Name": "copy"},
        {"Id": "s-1", "SparkSettings": {}},
    ]
    assert spark.jobs(steps) == {"load": {"spark.executor.memory": "2g"}, "s-1": {}}
    assert spark.jobs(None) == {}
