"""Data outlives the loss of its Region."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    arns,
    check,
    failed,
    lifecycle,
    not_applicable,
    not_evaluated,
    passed,
)


@check("AWS::S3::Bucket")
def s3_bucket_cross_region_replication(
    bucket: Resource, inventory: Inventory, *, dr_required: bool, transient_days: int
) -> Verdict:
    """Passes where an enabled rule replicates the bucket to another Region.

    Judged where the bucket is tagged criticality=high or critical, or everywhere if `dr_required`.
    Replication within the Region does not count. A destination bucket of another account has a Region that
    cannot be read: the bucket is then not evaluated. Says nothing about data that is transient or can be made
    again: tagged wa-audit:data=transient or reproducible, expiring within `transient_days`, or written by
    services for themselves (Athena results, temporary files, logs) where no Glue table lies beside it.
    """
    tags = {key.lower(): value.lower() for key, value in bucket.tags.items()}
    if not dr_required and tags.get("criticality") not in ("high", "critical"):
        return not_applicable("is not tagged as critical")
    if tags.get("wa-audit:data") in ("transient", "reproducible"):
        return not_applicable(f"is tagged as {tags['wa-audit:data']}")

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
