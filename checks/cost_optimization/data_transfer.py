"""No more is moved than need be."""

import re
from typing import Any

from wa_audit.rule import (
    ACCOUNT_TYPE,
    Inventory,
    Resource,
    Verdict,
    check,
    failed,
    firehose,
    networks,
    not_applicable,
    not_evaluated,
    passed,
    times,
    wasted,
)


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_compression(stream: Resource, inventory: Inventory, *, compressed_percent: int) -> Verdict:
    """Passes where a stream into S3 compresses what it writes.

    With format conversion the format must be UNCOMPRESSED: Parquet and ORC compress by themselves. A stream
    whose records come compressed is tagged wa-audit:compressed-source. Waste is estimated as if
    compression took away `compressed_percent` of what the stream takes in.
    https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html
    """
    destination = firehose.s3_destination(stream["Destinations"]) or {}
    form = destination.get("CompressionFormat")
    if not form:
        return not_applicable("does not deliver to S3")
    if (destination.get("DataFormatConversionConfiguration") or {}).get("Enabled"):
        return not_applicable("converts to a format that compresses by itself")
    if form != "UNCOMPRESSED":
        return passed(f"writes {form}", CompressionFormat=form)
    if "wa-audit:compressed-source" in stream.tags:
        return not_applicable("is tagged wa-audit:compressed-source")
    return failed(
        "writes uncompressed objects",
        CompressionFormat=form,
        waste=wasted.compression(stream, inventory.run.metrics_days, compressed_percent),
    )


# Between regions, through NAT gateways, and out to the internet. What crosses zones is not meant.
# https://docs.aws.amazon.com/cur/latest/userguide/cur-data-transfers-charges.html
_MOVED = re.compile(r"(?:^|-)(?:AWS-(?:Out|In)-Bytes|NatGateway-Bytes|DataTransfer-Out-Bytes)$")


@check(ACCOUNT_TYPE)
def data_transfer_cost_share(
    account: Resource, inventory: Inventory, *, most_percent: float, notable_percent: float
) -> Verdict:
    """Of last month's cost, at most `most_percent` went for moving data.

    Between regions, through NAT gateways, and out to the internet, by the usage types of Cost Explorer, which
    is asked with --cost alone. Above `notable_percent` it is a failure for information.
    https://docs.aws.amazon.com/cost-management/latest/userguide/ce-what-is.html
    """
    months = inventory.of("AWS::CE::CostAndUsage")
    rows = [row for month in months for row in month["UsageTypes"] or ()]
    costs = [(str(row.get("UsageType")), float(row["Cost"]["Amount"])) for row in rows if row.get("Cost")]
    total = sum(amount for _, amount in costs)
    if total <= 0:
        return not_applicable("spent nothing last month")
    moved = {name: round(amount, 2) for name, amount in costs if _MOVED.search(name) and amount > 0}
    percent = 100 * sum(moved.values()) / total
    dearest = sorted(moved, key=lambda name: (-moved[name], name))[:5]
    evidence: dict[str, Any] = {
        "percent": round(percent, 1),
        "total": round(total, 2),
        "usage_types": {name: moved[name] for name in dearest},
    }
    words = f"spent {percent:.1f} % of last month's cost on moving data"
    units = {row["Cost"].get("Unit") for row in rows if row.get("Cost")}
    if percent <= notable_percent:
        return passed(words, **evidence)
    return failed(
        f"{words}, more than {most_percent if percent > most_percent else notable_percent:g} %",
        severity=None if percent > most_percent else "info",
        waste=wasted.billed(
            sum(moved.values()) - total * notable_percent / 100,
            f"what exceeds {notable_percent:g} % of the cost, as Cost Explorer has it for last month",
        )
        if units == {"USD"}
        else wasted.unknown("the bill is not in USD"),
        **evidence,
    )


@check("AWS::EC2::NatGateway")
def vpc_nat_without_gateway_endpoint(
    gateway: Resource, inventory: Inventory, *, least_gigabytes_a_fortnight: float
) -> Verdict:
    """What goes to S3 does not go through a NAT gateway.

    A NAT gateway asks a price for every gigabyte; a gateway endpoint for S3 in the route tables that lead to
    it asks none. Judged where more than `least_gigabytes_a_fortnight` left by it in 14 days, over the time
    that metrics were read of (--metrics-days). Private NAT gateways, which lead to no internet, and those
    that no route table leads to are not judged; nor is one younger than that time.
    https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-pricing.html
    """
    if gateway["State"] != "available":
        return not_applicable(f"is {gateway['State']}")
    if gateway["ConnectivityType"] == "private":
        return not_applicable("is private", ConnectivityType="private")
    days = inventory.run.metrics_days
    sent = gateway.metric("BytesOutToDestination")
    if sent is None or not days:
        return not_evaluated("was read without BytesOutToDestination")
    if times.hours_between(gateway["CreateTime"], inventory.run.started) < 24 * days:
        return not_applicable(f"is not yet {days} days old", CreateTime=gateway["CreateTime"])
    gigabytes = sent.get("Sum", 0.0) / 2**30
    if gigabytes / days * 14 <= least_gigabytes_a_fortnight:
        return not_applicable(f"sent {gigabytes:,.1f} GB in {days} days", gigabytes=round(gigabytes, 1))

    tables = [t.name for t in networks.tables_to(gateway, inventory)]
    if not tables:
        return not_applicable("is led to by no route table")
    free = networks.gateway_tables("s3", gateway, inventory)
    without = sorted(set(tables) - free)
    evidence: dict[str, Any] = {"gigabytes": round(gigabytes, 1), "days": days, "route_tables": without}
    if without:
        return failed(
            f"sent {gigabytes:,.0f} GB in {days} days, and {without[0]}, which leads to it, has no gateway "
            "endpoint for S3",
            waste=wasted.translated(gigabytes, days),
            **evidence,
        )
    return passed("lets what goes to S3 by a gateway endpoint", **evidence)
