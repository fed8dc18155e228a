"""Objects leave a bucket, or move to a cheaper class, when they are no longer needed."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    check,
    failed,
    lifecycle,
    neighbours,
    not_applicable,
    passed,
    times,
    wasted,
)


@check("AWS::S3::Bucket")
def s3_bucket_noncurrent_expiration(
    bucket: Resource, *, most_days: int, most_critical_days: int, criticality_tag: str
) -> Verdict:
    """Passes where an Enabled whole-bucket rule removes noncurrent versions within 90 days (most_days).

    Pulls against s3-bucket-versioning: where `criticality_tag` says high or critical, versions may be kept
    for `most_critical_days`.

    A rule with a prefix, a tag or a size covers a part and fails, naming it. Plain expiry does not count: in
    a versioned bucket it adds delete markers and frees nothing. Suspended versioning is judged too, since the
    old versions stay. Buckets that were never versioned, and those whose Object Lock keeps versions in
    COMPLIANCE mode, are not judged.
    """
    status = (bucket["Versioning"] or {}).get("Status")
    if status is None:
        return not_applicable("was never versioned")
    removing = [r for r in lifecycle.enabled(bucket["LifecycleRules"]) if lifecycle.noncurrent_days(r)]
    whole = [lifecycle.noncurrent_days(r) or 0 for r in removing if lifecycle.applies_to_all(r)]
    if whole and min(whole) <= most_days:
        return passed(f"removes noncurrent versions after {min(whole)} days", NoncurrentDays=min(whole))
    if _locked(bucket):
        return not_applicable("keeps versions under Object Lock in COMPLIANCE mode", Mode="COMPLIANCE")
    if whole and min(whole) <= most_critical_days and neighbours.is_critical(bucket, criticality_tag):
        words = f"is critical, and removes noncurrent versions after {min(whole)} days"
        return passed(words, NoncurrentDays=min(whole))
    if whole:
        return failed(
            f"keeps noncurrent versions for {min(whole)} days, more than {most_days}",
            NoncurrentDays=min(whole),
            waste=_UNCOUNTED,
        )
    if removing:
        parts = "; ".join(str(lifecycle.scope(r)) for r in removing)
        return failed(
            f"removes noncurrent versions of a part alone: {parts}",
            Versioning=status,
            scope=parts,
            waste=_UNCOUNTED,
        )
    return failed("keeps every noncurrent version for ever", Versioning=status, waste=_UNCOUNTED)


_UNCOUNTED = wasted.unknown("S3's metrics do not tell noncurrent versions and parts from other objects")


def _locked(bucket: Resource) -> bool:
    rule = (bucket["ObjectLock"] or {}).get("Rule") or {}
    return (rule.get("DefaultRetention") or {}).get("Mode") == "COMPLIANCE"


@check("AWS::S3::Bucket")
def s3_bucket_abort_multipart(bucket: Resource, *, most_days: int) -> Verdict:
    """Passes where an Enabled rule for the whole bucket aborts unfinished uploads within 7 days (most_days).

    A rule with a prefix covers a part and fails, naming it; S3 takes no such rule with tags or sizes.
    Directory buckets are not judged.
    """
    if bucket.name.endswith("--x-s3"):
        return not_applicable("is a directory bucket")
    aborting = [r for r in lifecycle.enabled(bucket["LifecycleRules"]) if lifecycle.abort_days(r)]
    whole = [lifecycle.abort_days(r) or 0 for r in aborting if lifecycle.applies_to_all(r)]
    if whole and min(whole) <= most_days:
        return passed(f"aborts unfinished uploads after {min(whole)} days", DaysAfterInitiation=min(whole))
    if whole:
        return failed(
            f"aborts unfinished uploads after {min(whole)} days, more than {most_days}",
            DaysAfterInitiation=min(whole),
            waste=_UNCOUNTED,
        )
    if aborting:
        parts = "; ".join(str(lifecycle.scope(r)) for r in aborting)
        return failed(f"aborts unfinished uploads in a part alone: {parts}", scope=parts, waste=_UNCOUNTED)
    return failed(
        "keeps the parts of unfinished uploads for ever",
        AbortIncompleteMultipartUpload=None,
        waste=_UNCOUNTED,
    )


@check("AWS::S3::Bucket")
def s3_bucket_lifecycle_configured(bucket: Resource, *, cold_percent: int) -> Verdict:
    """Passes where at least one Enabled rule expires or moves objects, or their noncurrent versions.

    Disabled rules do not count, nor do rules that only abort uploads or clear away lone delete markers: they
    leave the data where it is. Does not look at metrics to judge, so small buckets, and buckets that hold
    nothing but Intelligent-Tiering objects, are judged as all others. Waste is estimated as if nobody read
    `cold_percent` of what stands in S3 Standard.
    """
    rules = bucket["LifecycleRules"]
    acting = sorted({action for rule in lifecycle.enabled(rules) for action in lifecycle.actions(rule)})
    if acting:
        return passed(f"has lifecycle rules for {', '.join(acting)}", actions=acting)
    if not rules:
        return failed(
            "has no lifecycle configuration",
            rules=0,
            waste=wasted.cold(bucket, "s3/tiering-infrequent", cold_percent),
        )
    return failed(
        "has lifecycle rules, none of which expires or moves data",
        rules=len(rules),
        waste=wasted.cold(bucket, "s3/tiering-infrequent", cold_percent),
    )


_CHEAPER = wasted.nothing("what is kept for less time than wanted costs less")


@check("AWS::Logs::LogGroup")
def logs_retention_set(
    group: Resource, inventory: Inventory, *, prefixes: list[str], least_days: int, most_days: int
) -> Verdict:
    """Passes where a pipeline's log group keeps its events for `least_days` to `most_days` days.

    Without retentionInDays they are kept, and paid for, for ever. Log groups are a pipeline's by how their
    names begin (`prefixes`). Groups of class DELIVERY keep a day, which cannot be changed.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html
    """
    if not group.name.startswith(tuple(prefixes)):
        return not_applicable("is no pipeline's, by its name")
    if group["logGroupClass"] == "DELIVERY":
        return not_applicable("is of class DELIVERY", logGroupClass="DELIVERY")
    days = group["retentionInDays"]
    if days is None:
        return failed(
            "keeps its events for ever",
            retentionInDays=None,
            storedBytes=group["storedBytes"],
            waste=wasted.events(group, most_days, inventory.run.started),
        )
    if not least_days <= days <= most_days:
        wanted = f"{least_days} to {most_days} are wanted"
        return failed(
            f"keeps its events for {days} days, {wanted}",
            retentionInDays=days,
            waste=wasted.events(group, most_days, inventory.run.started) if days > most_days else _CHEAPER,
        )
    return passed(f"keeps its events for {days} days", retentionInDays=days)


@check("AWS::S3::Bucket")
def s3_bucket_intelligent_tiering(
    bucket: Resource,
    *,
    least_gigabytes: int,
    most_days: int,
    least_object_kilobytes: int,
    hot_tag: str,
    cold_percent: int,
) -> Verdict:
    """A bucket with more than `least_gigabytes` in S3 Standard lets objects that nobody reads become cheaper.

    By an enabled rule that moves them to INTELLIGENT_TIERING within `most_days` days, or to Standard-IA or a
    Glacier class, or because objects are put there already. ListBucketIntelligentTieringConfigurations tells
    of the archive tiers alone, and is not looked at. Objects under 128 KB are never tiered: a bucket whose
    objects are smaller on average is not judged, nor one whose objects are gone within a month, or that bears
    the tag `hot_tag`. Waste is estimated as if nobody read `cold_percent` of the rest.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-overview.html
    """
    if hot_tag in bucket.tags:
        return not_applicable("is read all the time, as its tag says")
    standard = bucket.latest("BucketSizeBytes.StandardStorage")
    if standard < least_gigabytes * 2**30:
        return not_applicable(f"holds {standard / 2**30:,.0f} GB in S3 Standard", bytes=round(standard))
    objects = bucket.latest("NumberOfObjects.AllStorageTypes")
    if objects and standard / objects < least_object_kilobytes * 2**10:
        return not_applicable("holds objects that are too small to be tiered", objects=round(objects))
    life = lifecycle.longest_life(bucket["LifecycleRules"])
    if life is not None and life < _SHORT_DAYS:
        return not_applicable(f"lets every object expire after {life} days", ExpirationDays=life)

    for move in lifecycle.transitions(bucket["LifecycleRules"]):
        if move.get("StorageClass") != "INTELLIGENT_TIERING" or (move.get("Days") or 0) <= most_days:
            return passed(f"moves objects to {move['StorageClass']}", Days=move.get("Days"))
    tiered = sum(
        bucket.latest(f"BucketSizeBytes.IntelligentTiering{tier}Storage") for tier in ("FA", "IA", "AIA")
    )
    if tiered:
        return passed("has objects in Intelligent-Tiering", bytes=round(tiered))
    return failed(
        f"keeps {standard / 2**30:,.0f} GB in S3 Standard, read or not",
        bytes=round(standard),
        waste=wasted.cold(bucket, "s3/tiering-infrequent", cold_percent),
    )


@check("AWS::S3::Bucket")
def s3_bucket_archive_tier(
    bucket: Resource, inventory: Inventory, *, least_gigabytes: int, least_days: int, cold_percent: int
) -> Verdict:
    """A large, old bucket moves what it keeps to an archive class.

    Judged with more than `least_gigabytes` in S3 Standard and older than `least_days` days. Athena, Spectrum
    and Glue cannot read GLACIER and DEEP_ARCHIVE: where a table of the catalog lies in the bucket,
    GLACIER_IR, Standard-IA and Intelligent-Tiering are wanted in their place. Says nothing where every object
    expires before such a class pays. Waste is estimated as if `cold_percent` were hardly read.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
    """
    standard = bucket.latest("BucketSizeBytes.StandardStorage")
    if standard < least_gigabytes * 2**30:
        return not_applicable(f"holds {standard / 2**30:,.0f} GB in S3 Standard", bytes=round(standard))
    if times.hours_between(bucket["CreationDate"], inventory.run.started) < 24 * least_days:
        return not_applicable(f"is not yet {least_days} days old", CreationDate=bucket["CreationDate"])
    life = lifecycle.longest_life(bucket["LifecycleRules"])
    if life is not None and life < least_days:
        return not_applicable(f"lets every object expire after {life} days", ExpirationDays=life)

    queried = inventory.has_source(bucket, "lies-in")
    wanted = _QUERIED if queried else _ARCHIVE
    classes = sorted(
        {str(move.get("StorageClass")) for move in lifecycle.transitions(bucket["LifecycleRules"])}
    )
    if found := [name for name in classes if name in wanted]:
        return passed(f"moves objects to {found[0]}", StorageClass=classes)
    if classes and queried:
        return failed(
            f"moves objects that tables are made of to {classes[0]}",
            StorageClass=classes,
            waste=wasted.unknown("what is moved there costs less to keep, and has to be restored to be read"),
        )
    return failed(
        f"keeps {standard / 2**30:,.0f} GB in S3 Standard for ever",
        bytes=round(standard),
        waste=wasted.cold(bucket, "s3/standard-ia" if queried else "s3/tiering-instant", cold_percent),
    )


_SHORT_DAYS = 30
_ARCHIVE = ("GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
_QUERIED = ("GLACIER_IR", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING")
