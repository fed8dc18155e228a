"""Today's prices, from AWS's Price List API: which products are asked for, and what is taken of each.

Its one operation, pricing:GetProducts, costs nothing and is let through where prices are refreshed and
nowhere else; no audit calls it. The API answers in three regions for all of a partition.
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wa_audit.aws.prices import Price
from wa_audit.collect import reader
from wa_audit.collect.errors import Malformed
from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.session import AwsSession
from wa_audit.model import ConfigurationError, CredentialsError, Reason

OPERATION = "pricing:GetProducts"
_ENDPOINT = "us-east-1"
# What leads a usage type outside us-east-1, and often there: `USE1-`, `EUC1-`, and Ireland's `EU-`.
_REGION = r"(?:(?:EU|[A-Z]{2,4}\d)-)?"


@dataclass(frozen=True, slots=True)
class Query:
    """Products of one service, narrowed by attributes.

    `items` are patterns of usage types, without the region that leads them, each with the item that such a
    product is a price of, `\\1` being what the pattern's group matched, and its unit.
    """

    service: str
    items: tuple[tuple[str, str, str], ...]
    attributes: Mapping[str, str] = field(default_factory=dict)


QUERIES = (
    Query(
        "AmazonS3",
        (
            ("TimedStorage-ByteHrs", "s3/standard", "GB-month"),
            ("TimedStorage-SIA-ByteHrs", "s3/standard-ia", "GB-month"),
            ("TimedStorage-GIR-ByteHrs", "s3/glacier-ir", "GB-month"),
            ("TimedStorage-INT-IA-ByteHrs", "s3/tiering-infrequent", "GB-month"),
            ("TimedStorage-INT-AIA-ByteHrs", "s3/tiering-instant", "GB-month"),
            ("Monitoring-Automation-INT", "s3/tiering-monitoring", "object-month"),
        ),
    ),
    # Deep Archive alone has an offer of its own.
    Query("AmazonS3GlacierDeepArchive", (("TimedStorage-GDA-ByteHrs", "s3/deep-archive", "GB-month"),)),
    Query(
        "AmazonKinesis",
        (
            ("Storage-ShardHour", "kinesis/shard", "hour"),
            ("OnDemand-StreamHour", "kinesis/on-demand", "hour"),
        ),
    ),
    Query(
        "AmazonDynamoDB",
        (
            ("ReadCapacityUnit-Hrs", "dynamodb/rcu", "hour"),
            ("WriteCapacityUnit-Hrs", "dynamodb/wcu", "hour"),
        ),
    ),
    Query(
        "AWSGlue",
        (("ETL-DPU-Hour", "glue/dpu", "hour"), ("ETL-Flex-DPU-Hour", "glue/dpu-flex", "hour")),
    ),
    Query(
        "AmazonEC2",
        (("NatGateway-Hours", "nat/hour", "hour"), ("NatGateway-Bytes", "nat/gigabyte", "GB")),
        {"productFamily": "NAT Gateway"},
    ),
    Query("AmazonCloudWatch", (("TimedStorage-ByteHrs", "logs/storage", "GB-month"),)),
    Query(
        "AWSLambda",
        (
            ("Lambda-GB-Second", "lambda/x86", "GB-second"),
            ("Lambda-GB-Second-ARM", "lambda/arm", "GB-second"),
        ),
    ),
    Query("AmazonRedshift", ((r"Node:([\w.]+)", r"redshift/\1", "hour"),)),
    Query("AmazonMSK", ((r"Kafka\.([a-z]\w*\.\w+)", r"msk/kafka.\1", "hour"),)),
    Query(
        "AmazonEC2",
        ((r"BoxUsage:([\w.-]+)", r"ec2/\1", "hour"),),
        {
            "productFamily": "Compute Instance",
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
            "marketoption": "OnDemand",
        },
    ),
    Query("ElasticMapReduce", ((r"BoxUsage:([\w.-]+)", r"emr/\1", "hour"),), {"softwareType": "EMR"}),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The prices that were found; items, each with its region, that AWS gives several of are `ambiguous`."""

    prices: list[Price]
    ambiguous: list[tuple[str, str]]


def refresh(
    session: AwsSession, regions: Sequence[str], today: str, on_query: Callable[[str, str], None]
) -> Found:
    """The prices of these regions, dated `today`; `on_query` hears of each service and region.

    Raises:
        ConfigurationError: AWS refused or failed the call, answered what cannot be read, or has no prices of
            a region. Half a price list is none.
        CredentialsError: there are no usable credentials.
    """
    for region in regions:
        if session.partition(region) != "aws":
            raise ConfigurationError(
                f"{region} is in the partition {session.partition(region)}, which the Price List API that is "
                "asked does not speak of; name regions of the partition aws with --region"
            )
    session.guard.allow({OPERATION})
    client = session.client("pricing", _ENDPOINT)
    found: dict[tuple[str, str], set[Price]] = {}
    for region in regions:
        for query in QUERIES:
            on_query(query.service, region)
            for price in _prices(client, query, region, today):
                found.setdefault((price.item, region), set()).add(price)
        if not any(place == region for _, place in found):
            raise ConfigurationError(f"AWS gives no prices of {region}; nothing was written")
    sure = [prices.pop() for prices in found.values() if len(prices) == 1]
    return Found(sorted(sure), sorted(key for key, prices in found.items() if prices))


def _prices(client: Any, query: Query, region: str, today: str) -> Iterator[Price]:
    filters = {"regionCode": region, **query.attributes}
    call = Call(
        operation="GetProducts",
        params={
            "ServiceCode": query.service,
            "FormatVersion": "aws_v1",
            "Filters": [{"Type": "TERM_MATCH", "Field": f, "Value": v} for f, v in filters.items()],
        },
        take="PriceList[].{product: @}",
    )
    kind = Kind("AWS::Pricing::Product", service="pricing", list=call, arn="")
    try:
        pages = list(reader.taken_pages(client, call, {}))
        products = [_product(item["product"]) for page in pages for item in page]
        yield from _wanted(products, query, region, today)
    except Exception as error:
        gap = reader.gap(kind, call, error, region=_ENDPOINT, arn="", fields=())
        if gap.reason is Reason.EXPIRED_CREDENTIALS:
            raise CredentialsError(f"no usable AWS credentials: {gap.sentence}") from None
        raise ConfigurationError(
            f"the prices of {query.service}: {gap.sentence}; nothing was written"
        ) from None


def _product(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        raise Malformed("GetProducts answered with a product that is no JSON") from None
    if not isinstance(found, dict):
        raise Malformed("GetProducts answered with a product that is no structure")
    return found


def _wanted(products: Iterable[dict[str, Any]], query: Query, region: str, today: str) -> Iterator[Price]:
    patterns = [(re.compile(_REGION + pattern), item, unit) for pattern, item, unit in query.items]
    for product in products:
        usage = str(((product.get("product") or {}).get("attributes") or {}).get("usagetype", ""))
        for pattern, item, unit in patterns:
            match = pattern.fullmatch(usage)
            usd = _first_paid_tier(product) if match else None
            if match and usd is not None:
                yield Price(match.expand(item), region, usd, unit, today, f"AWS Price List, {query.service}")


def _first_paid_tier(product: Mapping[str, Any]) -> float | None:
    """What the first unit costs that is not free, on demand; None where nothing is sold like that."""
    tiers: list[tuple[float, float]] = []
    for term in ((product.get("terms") or {}).get("OnDemand") or {}).values():
        for dimension in (term.get("priceDimensions") or {}).values():
            usd = _number((dimension.get("pricePerUnit") or {}).get("USD"))
            if usd:
                tiers.append((_number(dimension.get("beginRange")) or 0.0, usd))
    return min(tiers)[1] if tiers else None


def _number(text: Any) -> float | None:
    try:
        found = float(text)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) and found >= 0 else None
