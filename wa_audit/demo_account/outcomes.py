"""How things at Acme have turned out, and how old they are: what no emulator brings about.

Listens beside `corrections`; what is there is kept from the seeding's own calls, but for these outcomes.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from wa_audit.aws import times
from wa_audit.demo_account.account import SECOND_REGION, Json
from wa_audit.demo_account.answers import answer

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

FAILED_JOBS = ("acme-reporting-revenue",)
FAILED_TASKS = ("acme-photos",)
AGE = timedelta(days=200)
# What was looked at for drift three days ago, and what came of it.
DRIFT = {"acme-reporting-queues": "IN_SYNC", "acme-reporting-alerts": "DRIFTED"}
KAFKA_VERSIONS = {"3.8.x": "ACTIVE", "3.7.x": "ACTIVE", "2.8.1": "DEPRECATED"}
KAFKA_SETTINGS = {
    "acme-events": "default.replication.factor=3\nmin.insync.replicas=2\nunclean.leader.election.enable=false"
}
CONCURRENCY = 1000
OLD_JOBS = ("acme-orders-dedupe",)
MANY_PARTITIONS = ("scans",)
OPTIMIZED = ("orders_history",)
CHECKED = (("acme_clickstream_curated", "sessions"),)
KMS_REPLICAS = ("arn:aws:s3:::acme-reporting-warehouse-dr",)


class Outcomes:
    """Listens to the clients of one boto3 session, made after `install`."""

    def __init__(self) -> None:
        self._tasks: list[Json] = []
        self._names: dict[str, str] = {}
        self._reserved = 0

    def install(self, events: Any) -> None:
        events.register("before-call.datasync.CreateTask", self._keep_task)
        events.register("after-call.datasync.CreateTask", self._name_task)
        events.register("after-call.datasync.DescribeTask", self._give_task)
        events.register("before-call.datasync.ListTagsForResource", self._give_tags)
        events.register("after-call.datasync.DescribeTaskExecution", self._ended_copy)
        events.register("before-call.lambda.PutFunctionConcurrency", self._keep_reservation)
        events.register("before-call.lambda.GetAccountSettings", self._concurrency)
        events.register("before-call.kafka.ListKafkaVersions", _kafka_versions)
        events.register("before-call.kafka.DescribeConfigurationRevision", _kafka_settings)
        events.register("after-call.kafka.ListClustersV2", _kafka_clusters)
        events.register("after-call.redshift.DescribeClusters", _warehouses)
        events.register("after-call.glue.GetJobRuns", _ended_runs)
        events.register("after-call.glue.GetJobs", _old_jobs)
        events.register("before-call.glue.GetPartitions", _partitions)
        events.register("before-call.glue.BatchGetTableOptimizer", _optimizers)
        events.register("before-call.glue.ListDataQualityRulesets", _rulesets)
        events.register("before-call.redshift.DescribeUsageLimits", _usage_limits)
        events.register("before-call.quicksight.ListDataSources", _data_sources)
        events.register("after-call.s3.GetBucketReplication", _replicas)
        events.register("after-call.s3.ListBuckets", _old_buckets)
        events.register("after-call.cloudformation.DescribeStacks", _drift)

    def _keep_task(self, params: Json, **_: Any) -> None:
        self._tasks.append(json.loads(params["body"]))

    def _name_task(self, parsed: Json, **_: Any) -> None:
        if "TaskArn" in parsed:
            self._names[parsed["TaskArn"]] = self._tasks[-1]["Name"]

    def _give_task(self, parsed: Json, **_: Any) -> None:
        """Moto forgets when a task is to run."""
        for task in self._tasks:
            if task["Name"] == parsed.get("Name"):
                parsed["Schedule"] = task["Schedule"]

    def _give_tags(self, params: Json, **_: Any) -> tuple[AWSResponse, Json]:
        name = self._names.get(json.loads(params["body"])["ResourceArn"])
        return answer({"Tags": [tag for task in self._tasks if task["Name"] == name for tag in task["Tags"]]})

    def _ended_copy(self, parsed: Json, **_: Any) -> None:
        task = parsed.get("TaskExecutionArn", "").partition("/execution/")[0]
        failed = self._names.get(task) in FAILED_TASKS
        parsed["Status"] = "ERROR" if failed else "SUCCESS"
        parsed["StartTime"] = times.now() - timedelta(hours=9)
        parsed["Result"] = {"ErrorCode": "NfsTimeout"} if failed else {"TransferStatus": "SUCCESS"}

    def _keep_reservation(self, params: Json, **_: Any) -> None:
        self._reserved += int(json.loads(params["body"])["ReservedConcurrentExecutions"])

    def _concurrency(self, context: Json, **_: Any) -> tuple[AWSResponse, Json]:
        """All of Acme's functions are in the first Region."""
        reserved = 0 if context.get("client_region") == SECOND_REGION else self._reserved
        limit = {
            "ConcurrentExecutions": CONCURRENCY,
            "UnreservedConcurrentExecutions": CONCURRENCY - reserved,
        }
        return answer({"AccountLimit": limit})


def _kafka_versions(**_: Any) -> tuple[AWSResponse, Json]:
    rows = [{"Version": version, "Status": status} for version, status in KAFKA_VERSIONS.items()]
    return answer({"KafkaVersions": rows})


def _kafka_settings(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    """A configuration is called as its cluster is."""
    name = params["url_path"].partition("%3Aconfiguration/")[2].partition("/")[0]
    text = KAFKA_SETTINGS.get(name, KAFKA_SETTINGS["acme-events"])
    return answer({"Revision": 1, "ServerProperties": base64.b64encode(text.encode()).decode()})


def _kafka_clusters(parsed: Json, **_: Any) -> None:
    """Moto gives every cluster a configuration, and the age of the emulator."""
    for cluster in parsed.get("ClusterInfoList", ()):
        cluster["CreationTime"] = times.now() - AGE
        provisioned = cluster.setdefault("Provisioned", {})
        name = cluster["ClusterName"]
        software = {"KafkaVersion": provisioned.get("KafkaVersion", "")}
        if name in KAFKA_SETTINGS:
            place = cluster["ClusterArn"].partition(":cluster/")[0]
            software |= {"ConfigurationArn": f"{place}:configuration/{name}/1-1", "ConfigurationRevision": 1}
        provisioned["CurrentBrokerSoftwareInfo"] = software


def _warehouses(parsed: Json, **_: Any) -> None:
    for cluster in parsed.get("Clusters", ()):
        cluster["ClusterCreateTime"] = times.now() - AGE


def _ended_runs(parsed: Json, **_: Any) -> None:
    for run in parsed.get("JobRuns", ()):
        run["JobRunState"] = "FAILED" if run.get("JobName") in FAILED_JOBS else "SUCCEEDED"
        run["StartedOn"] = times.now() - timedelta(hours=8)


def _old_jobs(parsed: Json, **_: Any) -> None:
    for job in parsed.get("Jobs", ()):
        if job["Name"] in OLD_JOBS:
            job["CreatedOn"] = times.now() - AGE


def _partitions(params: Json, **_: Any) -> tuple[AWSResponse, Json] | None:
    """Pages without an end, of a table with more partitions than an emulator should hold."""
    asked = json.loads(params["body"])
    if asked["TableName"] not in MANY_PARTITIONS:
        return None
    page = int(asked.get("NextToken", 0))
    return answer({"Partitions": [{"Values": ["2026-01-01"]}] * 1000, "NextToken": str(page + 1)})


def _optimizers(params: Json, **_: Any) -> tuple[AWSResponse, Json]:
    found = [
        {"tableOptimizer": {"type": entry["type"], "configuration": {"enabled": True}}}
        for entry in json.loads(params["body"])["Entries"]
        if entry["tableName"] in OPTIMIZED
    ]
    return answer({"TableOptimizers": found, "Failures": []})


def _rulesets(**_: Any) -> tuple[AWSResponse, Json]:
    rows = [
        {"Name": f"{table}-quality", "TargetTable": {"DatabaseName": database, "TableName": table}}
        for database, table in CHECKED
    ]
    return answer({"Rulesets": rows})


def _usage_limits(**_: Any) -> tuple[AWSResponse, Json]:
    limit = {
        "UsageLimitId": "1f2e3d4c",
        "ClusterIdentifier": "acme-warehouse",
        "FeatureType": "concurrency-scaling",
        "LimitType": "time",
        "Amount": 120,
        "BreachAction": "disable",
    }
    return answer({"UsageLimits": [limit]})


def _data_sources(context: Json, **_: Any) -> tuple[AWSResponse, Json]:
    if context.get("client_region") == SECOND_REGION:
        return answer({"DataSources": []})
    place = "arn:aws:quicksight:eu-west-1:123456789012:datasource"
    warehouse = {"RedshiftParameters": {"ClusterId": "acme-warehouse", "Database": "dw"}}
    shop = {"PostgreSqlParameters": {"Host": "shop.acme.example", "Port": 5432, "Database": "shop"}}
    rows = [
        {"Arn": f"{place}/dw", "DataSourceId": "dw", "Name": "warehouse", "Type": "REDSHIFT"},
        {"Arn": f"{place}/shop", "DataSourceId": "shop", "Name": "shop", "Type": "POSTGRESQL"},
    ]
    rows[0]["DataSourceParameters"] = warehouse  # type: ignore[assignment]
    rows[1] |= {"DataSourceParameters": shop, "SslProperties": {"DisableSsl": True}}  # type: ignore[dict-item]
    return answer({"DataSources": rows})


def _replicas(parsed: Json, **_: Any) -> None:
    """Moto forgets what a rule says of objects that KMS encrypts."""
    for rule in parsed.get("ReplicationConfiguration", {}).get("Rules", ()):
        if rule["Destination"]["Bucket"] in KMS_REPLICAS:
            rule["SourceSelectionCriteria"] = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
            rule["Destination"]["EncryptionConfiguration"] = {"ReplicaKmsKeyID": "alias/acme-data"}


def _old_buckets(parsed: Json, **_: Any) -> None:
    for bucket in parsed.get("Buckets", ()):
        bucket["CreationDate"] = times.now() - AGE


def _drift(parsed: Json, **_: Any) -> None:
    for stack in parsed.get("Stacks", ()):
        if status := DRIFT.get(stack["StackName"]):
            looked = times.now() - timedelta(days=3)
            stack["DriftInformation"] = {"StackDriftStatus": status, "LastCheckTimestamp": looked}
