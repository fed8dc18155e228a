"""Data and compute are close to each other."""

from typing import Any

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
    uses = inventory.sources(bucket, *_USES)
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


@check("AWS::Lambda::Function")
def lambda_throttles(function: Resource, *, most_percent: float, least_invocations: int) -> Verdict:
    """Passes where no more than `most_percent` of a function's calls were throttled.

    A throttled call is no invocation, so the share is Throttles ÷ (Invocations + Throttles). Says nothing
    under `least_invocations` calls, nor of a function that a reserved concurrency of 0 switches off.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    if function["ReservedConcurrentExecutions"] == 0:
        return not_applicable("is switched off", ReservedConcurrentExecutions=0)
    ran, throttled = function.total("Invocations"), function.total("Throttles")
    if ran + throttled < least_invocations:
        return not_applicable(f"was called {ran + throttled:,.0f} times, too seldom to say")
    share = 100 * throttled / (ran + throttled)
    evidence: dict[str, Any] = {"Invocations": ran, "Throttles": throttled}
    if share > most_percent:
        return failed(
            f"has {share:.1f} % of its calls throttled, {most_percent:g} % are accepted", **evidence
        )
    return passed(f"has {share:.1f} % of its calls throttled", **evidence)


@check("AWS::Kinesis::Stream")
def kinesis_throttling(stream: Resource, *, most_percent: float) -> Verdict:
    """Passes where no more than `most_percent` of the records were held up by a shard's throughput.

    Looks at WriteProvisionedThroughputExceeded and ReadProvisionedThroughputExceeded against the records that
    came in.
    https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
    """
    came = stream.total("IncomingRecords")
    if not came:
        return not_applicable("took in nothing")
    held: dict[str, Any] = {
        name: stream.total(name)
        for name in ("WriteProvisionedThroughputExceeded", "ReadProvisionedThroughputExceeded")
    }
    share = 100 * max(held.values()) / came
    if share > most_percent:
        words = f"held up {share:.2f} % of its records, {most_percent:g} % are accepted"
        return failed(words, IncomingRecords=came, **held)
    return passed(f"held up {share:.2f} % of its records", IncomingRecords=came, **held)
