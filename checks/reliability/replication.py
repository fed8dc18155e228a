"""Data outlives the loss of its Region."""

from typing import Any

from wa_audit.rule import (
    NOT_PRODUCTION,
    Inventory,
    Resource,
    Verdict,
    arns,
    check,
    failed,
    kafka,
    lifecycle,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
)


@check("AWS::S3::Bucket")
def s3_bucket_cross_region_replication(
    bucket: Resource, inventory: Inventory, *, dr_required: bool, transient_days: int, criticality_tag: str
) -> Verdict:
    """Passes where an enabled rule replicates the bucket to another Region.

    Judged where the bucket's `criticality_tag` says high or critical, or everywhere if `dr_required`.
    Replication within the Region does not count. A destination bucket of another account has a Region that
    cannot be read: the bucket is then not evaluated. Says nothing about data that is transient or can be made
    again: tagged wa-audit:data=transient or reproducible, expiring within `transient_days`, or written by
    services for themselves (Athena results, temporary files, logs) where no Glue table lies beside it.
    """
    data = neighbours.plain_tag(bucket, "wa-audit:data")
    if not dr_required and not neighbours.is_critical(bucket, criticality_tag):
        return not_applicable("is not tagged as critical")
    if data in ("transient", "reproducible"):
        return not_applicable(f"is tagged as {data}")

    rules = (bucket["Replication"] or {}).get("Rules") or ()
    targets = [rule["Destination"]["Bucket"] for rule in rules if rule.get("Status") == "Enabled"]
    home, unknown = bucket["BucketRegion"], ""
    for arn in targets:
        target = inventory.find("AWS::S3::Bucket", arn)
        region = target["BucketRegion"] if target else None
        if region and region != home:
            return passed(f"replicates to {arns.parse(arn).name} in {region}", Destination=arn)
        unknown = unknown or ("" if region else arn)
    if unknown:
        name = arns.parse(unknown).name
        return not_evaluated(f"replicates to {name}, whose Region could not be read", Destination=unknown)

    life = lifecycle.longest_life(bucket["LifecycleRules"])
    if life is not None and life <= transient_days:
        return not_applicable(f"lets every object expire (Expiration.Days {life})", ExpirationDays=life)
    scratch = inventory.has_source(bucket, "scratches-in") or inventory.has_source(bucket, "logs-to")
    if scratch and not inventory.has_source(bucket, "lies-in"):
        return not_applicable("holds what services write for themselves: results, temporary files or logs")
    if targets:
        return failed(f"replicates within {home} alone", BucketRegion=home, Destination=targets[0])
    return failed("has no enabled rule that replicates it to another Region", BucketRegion=home)


@check("AWS::MSK::Cluster")
def msk_multi_az(cluster: Resource, inventory: Inventory, *, least_zones: int) -> Verdict:
    """Passes where the brokers stand in at least `least_zones` Availability Zones, as many in each.

    Two zones, or more brokers in one than in another, are a medium finding; a cluster that is tagged as of
    development or test has a low one.
    https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html
    """
    if cluster["ClusterType"] == "SERVERLESS":
        return not_applicable("is serverless, and spans zones by itself", ClusterType="SERVERLESS")
    zones = neighbours.zones(cluster, inventory)
    brokers = int((cluster["Provisioned"] or {}).get("NumberOfBrokerNodes") or 0)
    evidence: dict[str, Any] = {"AvailabilityZones": zones, "NumberOfBrokerNodes": brokers}
    if len(zones) >= least_zones and brokers % len(zones) == 0:
        return passed(f"has brokers in {len(zones)} Availability Zones", **evidence)
    few = len(zones) < least_zones
    severity = "low" if _is_for_trying(cluster) else "medium" if len(zones) == 2 or not few else None
    words = f"has brokers in {len(zones)} Availability Zones, {least_zones} are wanted"
    if not few:
        words = f"has {brokers} brokers in {len(zones)} Availability Zones, which is not as many in each"
    return failed(words, severity=severity, **evidence)


def _is_for_trying(resource: Resource) -> bool:
    return neighbours.plain_tag(resource, "environment") in NOT_PRODUCTION


@check("AWS::OpenSearchService::Domain")
def opensearch_multi_az(domain: Resource) -> Verdict:
    """Passes where the domain has two or more data nodes in several Availability Zones.

    With three data nodes or more, and wherever it is tagged as of production, it needs dedicated master nodes
    as well, three at least; Multi-AZ with Standby has all that. A domain that is tagged as of development or
    test is not judged.
    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-multiaz.html
    """
    environment = neighbours.plain_tag(domain, "environment")
    if environment in NOT_PRODUCTION:
        return not_applicable(f"is of environment {environment}")
    config = domain["ClusterConfig"] or {}
    nodes, masters = config.get("InstanceCount", 1), config.get("DedicatedMasterCount") or 0
    aware = config.get("ZoneAwarenessEnabled") or config.get("MultiAZWithStandbyEnabled")
    evidence: dict[str, Any] = {
        "InstanceCount": nodes,
        "ZoneAwarenessEnabled": aware,
        "DedicatedMasterCount": masters,
    }
    if nodes < 2 or not aware:
        return failed(f"has {nodes} data nodes in one Availability Zone", **evidence)
    if masters < 3 and (nodes >= 3 or environment in _PRODUCTION):
        return failed(f"has {nodes} data nodes and {masters} dedicated masters, 3 are wanted", **evidence)
    return passed(f"has {nodes} data nodes in several Availability Zones", **evidence)


_PRODUCTION = ("production", "prod")


@check("AWS::S3::Bucket")
def s3_bucket_replication_kms_objects(bucket: Resource) -> Verdict:
    """Where a bucket encrypts with KMS, each of its replication rules takes such objects along.

    Without SourceSelectionCriteria.SseKmsEncryptedObjects S3 leaves them out, and says nothing; without
    EncryptionConfiguration.ReplicaKmsKeyID it cannot write the copy.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
    """
    rules = [r for r in (bucket["Replication"] or {}).get("Rules") or () if r.get("Status") == "Enabled"]
    if not rules:
        return not_applicable("is not replicated")
    algorithms = [
        (rule.get("ApplyServerSideEncryptionByDefault") or {}).get("SSEAlgorithm", "")
        for rule in bucket["Encryption"] or ()
    ]
    if not any(algorithm.startswith("aws:kms") for algorithm in algorithms):
        return not_applicable("does not encrypt with KMS", SSEAlgorithm=algorithms)

    for rule in rules:
        chosen = (rule.get("SourceSelectionCriteria") or {}).get("SseKmsEncryptedObjects") or {}
        key = ((rule.get("Destination") or {}).get("EncryptionConfiguration") or {}).get("ReplicaKmsKeyID")
        name = rule.get("ID") or "a rule"
        if chosen.get("Status") != "Enabled":
            return failed(f"replicates by {name}, which leaves out what KMS encrypts", rule=name)
        if not key:
            return failed(f"replicates by {name}, which names no key for the copies", rule=name)
    return passed("replicates what KMS encrypts", rules=len(rules))


@check("AWS::MSK::Cluster")
def msk_replication_settings(cluster: Resource, *, least_copies: int, least_in_sync: int) -> Verdict:
    """A cluster's own configuration keeps `least_copies` copies of a record, waits for `least_in_sync`, and
    elects no leader that has missed some.

    Looks at default.replication.factor, min.insync.replicas, which must be less than the first, and
    unclean.leader.election.enable. What the configuration leaves out, and a cluster without one, has MSK's
    defaults: three copies in three zones and two in two, and a replica that lags may become leader, which is
    a low failure, but where old segments move to tiered storage (StorageMode TIERED). What single topics
    override is not read. Serverless clusters and Express brokers are managed by MSK.
    https://docs.aws.amazon.com/msk/latest/developerguide/msk-default-configuration.html
    """
    provisioned = cluster["Provisioned"] or {}
    if reason := kafka.managed(cluster["ClusterType"], provisioned):
        return not_applicable(f"{reason}, whose records MSK replicates")
    settings = cluster["ServerProperties"]
    found = kafka.replication(settings, provisioned)
    evidence: dict[str, Any] = {
        "default.replication.factor": found.copies,
        "min.insync.replicas": found.in_sync,
        "unclean.leader.election.enable": found.unclean,
        "StorageMode": provisioned.get("StorageMode"),
    }
    if settings is None and found.unclean:
        words = "has no configuration of its own: MSK's default allows unclean.leader.election"
        return failed(words, severity="low", **evidence)
    if found.copies < least_copies:
        return failed(f"keeps {found.copies} copies of a record, {least_copies} are wanted", **evidence)
    if not least_in_sync <= found.in_sync < found.copies:
        return failed(
            f"has min.insync.replicas {found.in_sync}: at least {least_in_sync} and less than {found.copies} "
            "is wanted",
            **evidence,
        )
    if found.unclean:
        return failed("lets a replica that lags become leader", severity="low", **evidence)
    return passed(f"keeps {found.copies} copies of a record and waits for {found.in_sync}", **evidence)
