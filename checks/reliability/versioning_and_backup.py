"""What is overwritten, deleted or locked away can be had back."""

from typing import Any

from wa_audit.rule import (
    ACCOUNT_TYPE,
    Inventory,
    Resource,
    Verdict,
    arns,
    buckets,
    check,
    failed,
    firehose,
    lifecycle,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
    times,
)

# DynamoDB's own, where a table names no recovery period.
_DEFAULT_RECOVERY_DAYS = 35


@check("AWS::S3::Bucket")
def s3_bucket_versioning(bucket: Resource, inventory: Inventory, *, transient_days: int) -> Verdict:
    """Passes where the bucket's versioning is enabled; suspended versioning fails, as does none.

    Says nothing about directory and table buckets, which cannot be versioned, and about transient data:
    buckets in which every object expires within `transient_days`, buckets that Athena, Glue, EMR or S3 itself
    use for results, temporary files or logs (unless a Glue table or a Glue job's script lies in them too),
    and buckets tagged wa-audit:data=transient. Versions are no backup against the deletion of the bucket or
    the account.
    """
    status = (bucket["Versioning"] or {}).get("Status")
    if status == "Enabled":
        return passed("keeps versions of its objects", Status=status)
    if not buckets.is_general_purpose(bucket.name):
        return not_applicable("is a bucket of a kind that S3 cannot version")
    life = lifecycle.longest_life(bucket["LifecycleRules"])
    if life is not None and life <= transient_days:
        return not_applicable(f"lets every object expire (Expiration.Days {life})", ExpirationDays=life)
    scratch = inventory.has_source(bucket, "scratches-in") or inventory.has_source(bucket, "logs-to")
    lasting = any(inventory.has_source(bucket, kind) for kind in ("lies-in", "runs-code-from"))
    if scratch and not lasting:
        return not_applicable("holds what services write for themselves: results, temporary files or logs")
    if bucket.tags.get("wa-audit:data") == "transient":
        return not_applicable("is tagged as transient")
    if status == "Suspended":
        return failed("has its versioning suspended: what is overwritten now is lost", Status=status)
    return failed("does not keep versions of its objects", Status=status)


@check("AWS::KMS::Key")
def kms_key_in_use_available(key: Resource, inventory: Inventory) -> Verdict:
    """Passes where a key that encrypts something is enabled.

    A key is in use where a resource that was read names it by id, ARN or alias. Disabled, scheduled for
    deletion, waiting for its material or cut off from its key store, it fails. Says nothing about keys that
    nothing names, and cannot see keys of other accounts.
    """
    users = sorted({relation.source for relation in inventory.sources(key, "encrypts-with")})
    if not users:
        return not_applicable("encrypts nothing that was read")
    state = key["KeyState"]
    if state == "Enabled":
        return passed(f"is enabled and encrypts {_named(users)}", KeyState=state)
    if state in ("Creating", "Updating"):
        return not_evaluated(f"is in the passing state {state}", KeyState=state)
    evidence = {"KeyState": state, "DeletionDate": key["DeletionDate"], "usedBy": users[:5]}
    return failed(f"is {state} and encrypts {_named(users)}", **evidence)


def _named(users: list[str]) -> str:
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return f"{arns.parse(users[0]).name}{more}"


@check("AWS::Kinesis::Stream")
def kinesis_retention_minimum(
    stream: Resource, inventory: Inventory, *, least_hours: int, criticality_tag: str
) -> Verdict:
    """Passes where the stream keeps its records for at least `least_hours`.

    The default of 24 hours leaves no weekend for a repair. Milder (low) where a Firehose stream archives the
    records in S3 beside the consumers; whether a Lambda function does the same cannot be seen.

    Pulls against kinesis-retention-excess: where `criticality_tag` says low or none, any retention will do.
    """
    hours = stream["RetentionPeriodHours"]
    if hours >= least_hours:
        return passed(f"keeps its records for {hours} hours", RetentionPeriodHours=hours)
    if neighbours.is_uncritical(stream, criticality_tag):
        return not_applicable("is tagged as not critical: storing little goes before a long retention")
    readers = [inventory.get(relation.source) for relation in inventory.sources(stream, "reads-from")]
    archives = [r.name for r in readers if r is not None and firehose.s3_destination(r["Destinations"])]
    message = f"keeps its records for {hours} hours, less than {least_hours}"
    if archives:
        message += f"; {archives[0]} archives them in S3"
        return failed(message, severity="low", RetentionPeriodHours=hours, archivedBy=archives)
    return failed(message, RetentionPeriodHours=hours)


@check("AWS::DynamoDB::Table")
def dynamodb_pitr(
    table: Resource, inventory: Inventory, *, least_recovery_days: int, most_backup_hours: int
) -> Verdict:
    """Passes where the table can be restored to any second of at least the last `least_recovery_days`.

    Where it cannot, a recovery point in AWS Backup that is no older than `most_backup_hours` at the time of
    the audit passes too. Says nothing about tables tagged wa-audit:data with transient, lock or cache.
    Replicas of a global table are judged each in its Region, as recovery is configured there.
    """
    backups = table["ContinuousBackups"] or {}
    recovery = backups.get("PointInTimeRecoveryDescription") or {}
    status = recovery.get("PointInTimeRecoveryStatus")
    days = recovery.get("RecoveryPeriodInDays") or _DEFAULT_RECOVERY_DAYS
    if status == "ENABLED" and days >= least_recovery_days:
        return passed(f"can be restored to any second of {days} days", PointInTimeRecoveryStatus=status)
    for relation in inventory.sources(table, "backs-up"):
        backup = inventory.get(relation.via)
        last = backup["LastBackupTime"] if backup else None
        if last and times.hours_between(last, inventory.run.finished) <= most_backup_hours:
            return passed("has a recovery point in AWS Backup of the last day", LastBackupTime=last)
    if table.tags.get("wa-audit:data") in ("transient", "lock", "cache"):
        return not_applicable(f"is tagged as {table.tags['wa-audit:data']}")
    if status == "ENABLED":
        message = f"can be restored to a point in the last {days} days alone, not {least_recovery_days}"
        return failed(message, RecoveryPeriodInDays=days)
    message = f"has neither point-in-time recovery nor an AWS Backup of the last {most_backup_hours} hours"
    return failed(message, PointInTimeRecoveryStatus=status)


@check("AWS::Redshift::Cluster")
def redshift_automated_snapshots(
    cluster: Resource, inventory: Inventory, *, least_days: int, most_hours: int
) -> Verdict:
    """Passes where automated snapshots are kept for at least `least_days` days, and are made.

    They are where the newest is no older than `most_hours`. The default is to keep them for 1 day. A cluster
    that is not as old yet may have none, and one that is paused makes none, as nothing changes.
    https://docs.aws.amazon.com/redshift/latest/mgmt/managing-snapshots-console.html
    """
    days = cluster["AutomatedSnapshotRetentionPeriod"] or 0
    if days < least_days:
        words = f"keeps automated snapshots for {days} days, {least_days} are wanted"
        return failed(words, AutomatedSnapshotRetentionPeriod=days)
    if cluster["ClusterStatus"] == "paused":
        return passed(f"keeps automated snapshots for {days} days, and is paused", ClusterStatus="paused")
    listed = inventory.of("AWS::Redshift::ClusterSnapshot", region=cluster.region)
    by_cluster: dict[str, str] = inventory.derived(
        f"automated snapshots in {cluster.region}", lambda: _newest_automated(listed)
    )
    newest = by_cluster.get(cluster.name)
    since = newest or cluster["ClusterCreateTime"]
    if since is None:
        return not_evaluated("has no automated snapshot, and nothing says how old it is")
    hours = times.hours_between(since, inventory.run.finished)
    evidence: dict[str, Any] = {"AutomatedSnapshotRetentionPeriod": days, "newest": newest}
    if hours > most_hours:
        words = (
            f"made its last automated snapshot {hours:,.0f} hours ago" if newest else "has made no snapshot"
        )
        return failed(f"{words}, {most_hours} are accepted", **evidence)
    return passed(f"keeps automated snapshots for {days} days, and makes them", **evidence)


def _newest_automated(snapshots: list[Resource]) -> dict[str, str]:
    """When each cluster's newest automated snapshot was made."""
    newest: dict[str, str] = {}
    for snapshot in snapshots:
        if snapshot["SnapshotType"] == "automated":
            name, made = snapshot["ClusterIdentifier"], str(snapshot["SnapshotCreateTime"])
            newest[name] = max(made, newest.get(name, ""))
    return newest


@check("AWS::Redshift::Cluster", "AWS::RedshiftServerless::Namespace")
def redshift_snapshot_copy(
    warehouse: Resource, inventory: Inventory, *, dr_required: bool, criticality_tag: str
) -> Verdict:
    """Passes where snapshots are copied to another region.

    Judged where the `criticality_tag` of the cluster, or serverless namespace, says high or critical, or
    everywhere if `dr_required`. A cluster with a key of its own needs a grant for the key of the other region
    (SnapshotCopyGrantName) as well.
    https://docs.aws.amazon.com/redshift/latest/mgmt/managing-snapshots-console.html
    """
    if not dr_required and not neighbours.is_critical(warehouse, criticality_tag):
        return not_applicable("is not tagged as critical")
    if warehouse.type == "AWS::RedshiftServerless::Namespace":
        kind = "AWS::RedshiftServerless::SnapshotCopyConfiguration"
        own = [c for c in inventory.of(kind, region=warehouse.region) if c["namespaceName"] == warehouse.name]
        if own:
            region = own[0]["destinationRegion"]
            return passed(f"copies its snapshots to {region}", destinationRegion=region)
        return failed("keeps its snapshots in its own region alone", snapshotCopyConfigurations=[])
    copy = warehouse["ClusterSnapshotCopyStatus"] or {}
    region = copy.get("DestinationRegion")
    if not region:
        return failed("keeps its snapshots in its own region alone", ClusterSnapshotCopyStatus=copy)
    if not copy.get("SnapshotCopyGrantName") and neighbours.own_keys(warehouse, inventory):
        words = f"names no grant for a key in {region}, and is encrypted with a key of its own"
        return failed(words, ClusterSnapshotCopyStatus=copy)
    return passed(f"copies its snapshots to {region}", ClusterSnapshotCopyStatus=copy)


@check("AWS::Backup::BackupPlan")
def backup_cross_region_copy(plan: Resource, *, dr_required: bool, criticality_tag: str) -> Verdict:
    """A plan for what is critical copies its backups to a vault in another Region.

    Judged where the plan's `criticality_tag` says high or critical, or everywhere if `dr_required`.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html
    """
    if not dr_required and not neighbours.is_critical(plan, criticality_tag):
        return not_applicable("is not tagged as critical")
    copies = [
        action.get("DestinationBackupVaultArn", "")
        for rule in plan["Rules"] or ()
        for action in rule.get("CopyActions") or ()
    ]
    abroad = [arn for arn in copies if arns.parse(arn).region not in ("", plan.region)]
    if abroad:
        return passed(f"copies to {arns.parse(abroad[0]).region}", DestinationBackupVaultArn=abroad[0])
    if copies:
        return failed(f"copies within {plan.region} alone", DestinationBackupVaultArn=copies[0])
    return failed("copies its backups nowhere", CopyActions=[])


@check(ACCOUNT_TYPE)
def backup_plan_coverage(
    account: Resource, inventory: Inventory, *, most_days: int, criticality_tag: str
) -> Verdict:
    """What is tagged as critical was backed up within `most_days` days, or its service keeps it recoverable.

    Looks at DynamoDB tables, S3 buckets and Redshift clusters whose `criticality_tag` says high or critical.
    AWS Backup has a recovery point of it (LastBackupTime), or a table has point-in-time recovery, a bucket
    versions that are replicated, a cluster automated snapshots. Data that can be made again
    (wa-audit:data=reproducible) need not be.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListProtectedResources.html
    """
    critical = [
        r
        for type_ in ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Redshift::Cluster")
        for r in inventory.of(type_)
        if neighbours.is_critical(r, criticality_tag)
        and neighbours.plain_tag(r, "wa-audit:data") != "reproducible"
    ]
    if not critical:
        return not_applicable("has nothing that is tagged as critical")
    bare = [r for r in critical if not _is_recoverable(r) and not _is_backed_up(r, inventory, most_days)]
    evidence: dict[str, Any] = {"critical": len(critical), "unprotected": [r.arn for r in bare[:10]]}
    if bare:
        return failed(
            f"has {len(bare)} of {len(critical)} critical stores without a backup: {bare[0].name}", **evidence
        )
    return passed(f"can recover its {len(critical)} critical stores", **evidence)


def _is_recoverable(store: Resource) -> bool:
    """Whether its own service keeps what was there before."""
    match store.type:
        case "AWS::DynamoDB::Table":
            recovery = (store["ContinuousBackups"] or {}).get("PointInTimeRecoveryDescription") or {}
            return bool(recovery.get("PointInTimeRecoveryStatus") == "ENABLED")
        case "AWS::S3::Bucket":
            rules = (store["Replication"] or {}).get("Rules") or ()
            versions = (store["Versioning"] or {}).get("Status") == "Enabled"
            return versions and any(rule.get("Status") == "Enabled" for rule in rules)
    return bool(store["AutomatedSnapshotRetentionPeriod"])


def _is_backed_up(store: Resource, inventory: Inventory, most_days: int) -> bool:
    for relation in inventory.sources(store, "backs-up"):
        backup = inventory.get(relation.via)
        last = backup["LastBackupTime"] if backup else None
        if last and times.hours_between(last, inventory.run.started) <= 24 * most_days:
            return True
    return False
