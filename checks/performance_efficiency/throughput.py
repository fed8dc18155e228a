"""Data and compute are close to each other."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    arns,
    check,
    failed,
    not_applicable,
    not_evaluated,
    passed,
)

_USES = ("delivers-to", "lies-in", "logs-to", "reads-from", "scratches-in")
_TAG = "wa-audit:cross-region"


@check("AWS::S3::Bucket")
def s3_pipeline_region_colocation(bucket: Resource, inventory: Inventory) -> Verdict:
    """Passes where everything known to use the bucket runs in the bucket's Region.

    Who uses it is read from configuration: delivery streams, tables, crawlers, jobs, workgroups and
    clusters that name it. Only audited Regions are known, and Redshift is not read. Out of scope are
    buckets that nothing names, replication destinations, which lie in another Region on purpose, and
    buckets with the tag wa-audit:cross-region=intended.
    """
    uses = [use for kind in _USES for use in inventory.sources(bucket, kind)]
    regions = {use.source: region for use in uses if (region := arns.parse(use.source).region)}
    if not regions:
        return not_applicable("is not named by any resource that runs in a Region")
    if not bucket.region:
        return not_evaluated("lies in a Region that is not known")
    away = sorted(arn for arn, region in regions.items() if region != bucket.region)
    if not away:
        return passed(f"is used from its own Region {bucket.region} alone", users=len(regions))

    if inventory.has_source(bucket, "replicates-to"):
        return not_applicable("is a replication destination")
    if bucket.tags.get(_TAG) == "intended":
        return not_applicable(f"is used across Regions on purpose by its tag {_TAG}")
    others = ", ".join(sorted({regions[arn] for arn in away}))
    message = f"lies in {bucket.region} and is used from {others}"
    return failed(message, region=bucket.region, users=away[:5], users_elsewhere=len(away))
