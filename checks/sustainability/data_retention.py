"""Data that has served its purpose is removed."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from wa_audit.rule import (
    Inventory,
    Relation,
    Resource,
    Verdict,
    arns,
    check,
    failed,
    lifecycle,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
    tables,
)


class _Location(NamedTuple):
    prefix: str
    field: str
    owner: str
    is_log: bool


@check("AWS::S3::Bucket")
def s3_temp_data_expiration(
    bucket: Resource, inventory: Inventory, *, most_days: int, most_log_days: int
) -> Verdict:
    """Passes where every scratch location in the bucket is covered by an Enabled rule that expires objects.

    Locations come from configuration: Athena result locations, Glue --TempDir and --spark-event-logs-path,
    EMR LogUri, and Firehose error prefixes. Each is judged for itself: a rule covers it if its prefix is a
    prefix of the location and no tag or size narrows it. Scratch data must go within 30 days (most_days),
    logs within 90 (most_log_days). Workgroups with managed query results are left out, as Athena removes
    those itself. Buckets without scratch locations are not judged.
    """
    locations = sorted(set(_locations(bucket, inventory)))
    if not locations:
        return not_applicable("holds no scratch location that configuration names")
    rules = bucket["LifecycleRules"]
    kept = []
    for where in locations:
        days, most = lifecycle.shortest(rules, where.prefix), most_log_days if where.is_log else most_days
        if days is None or days > most:
            time = "for ever" if days is None else f"{days} days, more than {most}"
            kept.append(f"{where.prefix or 'the whole bucket'} ({where.field} of {where.owner}) {time}")
    if kept:
        more = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
        return failed(f"keeps {kept[0]}{more}", kept=kept[:10])
    return passed(
        f"expires its {len(locations)} scratch locations", prefixes=[where.prefix for where in locations]
    )


def _locations(bucket: Resource, inventory: Inventory) -> Iterator[_Location]:
    for relation in inventory.sources(bucket, "scratches-in"):
        if _has_managed_results(relation, inventory):
            continue
        yield _location(relation, inventory, is_log=False)
    for relation in inventory.sources(bucket, "logs-to"):
        if arns.parse(relation.source).service != "s3":
            yield _location(relation, inventory, is_log=True)
    streams = inventory.of("AWS::KinesisFirehose::DeliveryStream")
    by_bucket = inventory.derived("Firehose's error prefixes", lambda: _error_prefixes(streams))
    yield from by_bucket.get(bucket.arn, ())


def _error_prefixes(streams: list[Resource]) -> dict[str, list[_Location]]:
    """By the bucket's ARN: where Firehose puts what it could not deliver."""
    found: dict[str, list[_Location]] = {}
    for stream in streams:
        for destination in _s3_destinations(stream["Destinations"]):
            if prefix := destination.get("ErrorOutputPrefix"):
                # What follows `!{` is written anew for each object.
                where = _Location(prefix.partition("!{")[0], "ErrorOutputPrefix", stream.name, False)
                found.setdefault(destination["BucketARN"], []).append(where)
    return found


def _location(relation: Relation, inventory: Inventory, *, is_log: bool) -> _Location:
    """The location that the relation was read from, at the path that the relation names."""
    value: Any = inventory.get(relation.source)
    owner = value.name
    for step in relation.field.split("."):
        value = value[step]
    location = arns.s3_location(value)
    return _Location(location.prefix if location else "", relation.field.rpartition(".")[2], owner, is_log)


def _has_managed_results(relation: Relation, inventory: Inventory) -> bool:
    source = inventory.get(relation.source)
    if source is None or source.type != "AWS::Athena::WorkGroup":
        return False
    managed = (source["Configuration"] or {}).get("ManagedQueryResultsConfiguration") or {}
    return bool(managed.get("Enabled"))


def _s3_destinations(value: Any) -> Iterator[dict[str, Any]]:
    """Every S3 destination or backup within a Firehose stream's destinations."""
    if isinstance(value, dict) and value.get("BucketARN"):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _s3_destinations(inner)


@check("AWS::Kinesis::Stream")
def kinesis_retention_excess(stream: Resource, *, most_hours: int, criticality_tag: str) -> Verdict:
    """Passes where records are kept for no more than `most_hours`: beyond, AWS bills long-term retention.

    A stream that must be replayed from further back is tagged wa-audit:replay with the reason. Pulls against
    kinesis-retention-minimum, which asks for the least that a consumer needs: where `criticality_tag` says
    high or critical, records may be kept for as long as there is.
    https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html
    """
    hours = stream["RetentionPeriodHours"]
    if hours <= most_hours:
        return passed(f"keeps records for {hours} hours", RetentionPeriodHours=hours)
    if "wa-audit:replay" in stream.tags:
        return not_applicable("is tagged wa-audit:replay", RetentionPeriodHours=hours)
    if neighbours.is_critical(stream, criticality_tag):
        words = "is tagged as critical: a long retention goes before storing little"
        return not_applicable(words, RetentionPeriodHours=hours)
    return failed(
        f"keeps records for {hours} hours, {most_hours} are wanted at most", RetentionPeriodHours=hours
    )


@check("AWS::Backup::BackupPlan", "AWS::Redshift::Cluster", "AWS::S3::Bucket")
def cross_region_copy_needed(resource: Resource, inventory: Inventory, *, criticality_tag: str) -> Verdict:
    """Passes where what is copied to another Region is critical; fails where somebody has said it is not.

    Looks at S3 replication, copies of Redshift snapshots and copy actions of backup plans. `criticality_tag`
    says high or critical, or low or none; wa-audit:data=transient or reproducible says that it can be had
    again. Where no tag says anything nobody can tell, and nothing is judged. Pulls against
    s3-bucket-cross-region-replication, redshift-snapshot-copy and backup-cross-region-copy, which ask for
    copies of what is critical.
    """
    copies = _copies(resource)
    if not copies:
        return not_applicable("is not copied")
    data = neighbours.plain_tag(resource, "wa-audit:data")
    spare = f"as {data}" if data in ("transient", "reproducible") else ""
    if neighbours.is_uncritical(resource, criticality_tag):
        spare = "as not critical"
    if not spare and not neighbours.is_critical(resource, criticality_tag):
        return not_applicable("is copied, and no tag says how critical it is")
    home = resource["BucketRegion"] or resource.region
    regions = sorted({_region(copy, inventory) for copy in copies} - {home})
    if not regions:
        return not_applicable("is copied within its Region alone")
    if regions == [""]:
        name = arns.parse(copies[0]).name
        return not_evaluated(f"is copied to {name}, whose Region could not be read", Destination=copies[0])
    where = regions[-1]
    evidence: dict[str, Any] = {"Regions": [region for region in regions if region]}
    if spare:
        return failed(f"is copied to {where}, and tagged {spare}", **evidence)
    return passed(f"is critical, and copied to {where}", **evidence)


def _copies(resource: Resource) -> list[str]:
    """The Regions that copies of it go to, or the ARNs of buckets and vaults there."""
    match resource.type:
        case "AWS::S3::Bucket":
            rules = (resource["Replication"] or {}).get("Rules") or ()
            return [rule["Destination"]["Bucket"] for rule in rules if rule.get("Status") == "Enabled"]
        case "AWS::Redshift::Cluster":
            region = (resource["ClusterSnapshotCopyStatus"] or {}).get("DestinationRegion")
            return [region] if region else []
    actions = [action for rule in resource["Rules"] or () for action in rule.get("CopyActions") or ()]
    return [action["DestinationBackupVaultArn"] for action in actions]


def _region(copy: str, inventory: Inventory) -> str:
    parsed = arns.parse(copy)
    if parsed.service != "s3":
        return parsed.region or copy
    bucket = inventory.find("AWS::S3::Bucket", copy)
    # A bucket that is not this account's may be anywhere.
    return bucket["BucketRegion"] if bucket else ""


@check("AWS::DataSync::Task")
def datasync_incremental(task: Resource) -> Verdict:
    """A task that runs again and again copies what has changed (TransferMode CHANGED), not everything.

    A task without a schedule is taken for a migration that happens once.
    https://docs.aws.amazon.com/datasync/latest/userguide/configure-metadata.html
    """
    schedule = (task["Schedule"] or {}).get("ScheduleExpression")
    if not schedule:
        return not_applicable("has no schedule")
    mode = (task["Options"] or {}).get("TransferMode", "CHANGED")
    if mode == "ALL":
        return failed("copies everything each time", TransferMode=mode, ScheduleExpression=schedule)
    return passed("copies what has changed", TransferMode=mode, ScheduleExpression=schedule)


@check("AWS::Backup::BackupPlan")
def backup_cold_storage(plan: Resource, *, long_days: int) -> Verdict:
    """What a plan keeps for `long_days` days and more, or for ever, moves to cold storage on the way.

    AWS Backup has cold storage for some types alone (DynamoDB with advanced features, EFS, EBS, Timestream,
    VMware, SAP HANA; S3, Redshift and RDS stay warm), and which resources a plan takes in is not read: this
    is a reason to look. What moves must then stay for at least 90 days.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
    """
    rules = plan["Rules"] or ()
    lives = {rule.get("RuleName", ""): rule.get("Lifecycle") or {} for rule in rules}
    long = {name: life for name, life in lives.items() if life.get("DeleteAfterDays", long_days) >= long_days}
    if not long:
        return not_applicable(f"keeps no backup for {long_days} days")
    warm = sorted(name for name, life in long.items() if not life.get("MoveToColdStorageAfterDays"))
    if warm:
        days = long[warm[0]].get("DeleteAfterDays")
        kept = f"for {days} days" if days else "for ever"
        return failed(f"keeps what {warm[0]} makes {kept} in warm storage", rules=warm)
    return passed("moves what it keeps long to cold storage", rules=sorted(long))


@check("AWS::S3::Bucket")
def s3_bucket_deep_archive_cold_data(bucket: Resource, *, archive_words: str, least_percent: int) -> Verdict:
    """A bucket whose name or tags call it an archive or a backup moves its objects to Glacier.

    By an enabled rule that moves them to GLACIER or DEEP_ARCHIVE, or because `least_percent` of its bytes are
    there already. Objects that must be back within hours bear the tag wa-audit:retrieval.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
    """
    if not tables.is_named_after(archive_words, bucket.name, *bucket.tags.values()):
        return not_applicable("is called neither an archive nor a backup")
    if "wa-audit:retrieval" in bucket.tags:
        return not_applicable("must be back soon, as its tag says")
    for move in lifecycle.transitions(bucket["LifecycleRules"]):
        if move.get("StorageClass") in ("GLACIER", "DEEP_ARCHIVE"):
            return passed(f"moves its objects to {move['StorageClass']}", Days=move.get("Days"))
    sizes = {name: bucket.latest(f"BucketSizeBytes.{name}") for name in (*_COLD, *_WARM)}
    total = sum(sizes.values())
    cold = sum(sizes[name] for name in _COLD)
    if total and 100 * cold >= least_percent * total:
        return passed(f"has {100 * cold / total:.0f} % of its bytes in Glacier")
    return failed("keeps its archive out of Glacier", bytes=round(total))


_COLD = ("GlacierStorage", "DeepArchiveStorage")
_WARM = ("StandardStorage", "StandardIAStorage", "OneZoneIAStorage", "GlacierInstantRetrievalStorage")
