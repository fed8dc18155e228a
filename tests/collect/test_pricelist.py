"""Today's prices: what is asked of the Price List API, what is taken of its answers, and when nothing is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from click.testing import CliRunner, Result

from wa_audit import pricefile
from wa_audit.collect import pricelist
from wa_audit.collect.guard import UndeclaredOperation
from wa_audit.collect.session import AwsSession
from wa_audit.commands.prices import prices as command
from wa_audit.model import ConfigurationError, CredentialsError

Answer = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self._body]


def session(answer: Answer) -> AwsSession:
    """A session whose calls are answered here; everything before the network is botocore's own."""
    inner = boto3.session.Session(aws_access_key_id="k", aws_secret_access_key="s", region_name="eu-west-1")
    made = AwsSession(inner)

    def send(request: Any, **_: Any) -> AWSResponse:
        status, body = answer(json.loads(request.body))
        return AWSResponse(request.url, status, {}, _Raw(json.dumps(body).encode()))

    made.register("before-send.pricing.GetProducts", send)
    return made


def product(usage: str, *tiers: tuple[str, str]) -> str:
    dimensions = {
        f"D{number}": {"beginRange": begin, "unit": "Hrs", "pricePerUnit": {"USD": usd}}
        for number, (begin, usd) in enumerate(tiers)
    }
    return json.dumps(
        {
            "product": {"attributes": {"usagetype": usage}},
            "terms": {"OnDemand": {"T": {"priceDimensions": dimensions}}},
        }
    )


PRODUCTS = {
    "AmazonKinesis": [
        product("EU-Storage-ShardHour", ("0", "0.0170000000")),
        product("EU-Extended-ShardHour", ("0", "9.9")),
    ],
    "AmazonDynamoDB": [
        product("EU-ReadCapacityUnit-Hrs", ("0", "0.0000000000"), ("18600", "0.0001470000")),
        product("EU-ReplReadCapacityUnit-Hrs", ("0", "9.9")),
    ],
    "AmazonS3": [
        product("EU-TimedStorage-ByteHrs", ("51200", "0.022"), ("0", "0.023")),
        product("EU-TimedStorage-SIA-ByteHrs", ("0", "0.0125")),
        product("EU-TimedStorage-SIA-ByteHrs", ("0", "0.0130")),
    ],
    "AmazonS3GlacierDeepArchive": [
        product("EU-TimedStorage-GDA-ByteHrs", ("0", "0.00099")),
        product("EU-EarlyDelete-GDA", ("0", "0.00099")),
    ],
    "AmazonMSK": [
        product("EU-Kafka.m5.large", ("0", "0.234")),
        product("EU-Kafka.Storage.GP2", ("0", "0.1")),
    ],
    "ElasticMapReduce": [product("EU-BoxUsage:m5.xlarge", ("0", "0.048"))],
}


def answers(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, {"FormatVersion": "aws_v1", "PriceList": PRODUCTS.get(request["ServiceCode"], [])}


def refresh(answer: Answer = answers, *regions: str) -> pricelist.Found:
    return pricelist.refresh(session(answer), regions or ("eu-west-1",), "2026-11-25", lambda *_: None)


def test_what_is_wanted_is_taken_and_nothing_else() -> None:
    found = {price.item: (price.usd, price.unit) for price in refresh().prices}
    assert found == {
        "kinesis/shard": (0.017, "hour"),
        "dynamodb/rcu": (0.000147, "hour"),  # the first tier that is paid for
        "s3/standard": (0.023, "GB-month"),
        "s3/deep-archive": (0.00099, "GB-month"),
        "msk/kafka.m5.large": (0.234, "hour"),
        "emr/m5.xlarge": (0.048, "hour"),
    }


def test_every_price_has_its_date_region_and_source() -> None:
    price = next(p for p in refresh().prices if p.item == "kinesis/shard")
    assert price.region == "eu-west-1"
    assert price.date == "2026-11-25"
    assert price.source == "AWS Price List, AmazonKinesis"


def test_of_two_prices_of_one_thing_none_is_taken() -> None:
    assert refresh().ambiguous == [("s3/standard-ia", "eu-west-1")]


def test_each_query_is_narrowed_to_its_region() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        asked.append(request)
        return answers(request)

    refresh(answer, "eu-west-1", "eu-central-1")
    regions = [f["Value"] for r in asked for f in r["Filters"] if f["Field"] == "regionCode"]
    assert regions == ["eu-west-1"] * len(pricelist.QUERIES) + ["eu-central-1"] * len(pricelist.QUERIES)


def test_every_page_is_read() -> None:
    def answer(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if request["ServiceCode"] != "AmazonKinesis":
            return 200, {"PriceList": []}
        if "NextToken" not in request:
            return 200, {"PriceList": PRODUCTS["AmazonKinesis"][1:], "NextToken": "more"}
        return 200, {"PriceList": PRODUCTS["AmazonKinesis"][:1]}

    assert [price.item for price in refresh(answer).prices] == ["kinesis/shard"]


def test_the_guard_lets_it_through_for_this_and_for_nothing_else() -> None:
    made = session(answers)
    with pytest.raises(UndeclaredOperation):
        made.client("pricing", "us-east-1").get_products(ServiceCode="AmazonS3")
    pricelist.refresh(made, ["eu-west-1"], "2026-11-25", lambda *_: None)
    with pytest.raises(UndeclaredOperation):
        made.client("pricing", "us-east-1").describe_services()


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (
            400,
            {"__type": "AccessDeniedException", "message": "not authorized"},
            ConfigurationError,
            "pricing:GetProducts in us-east-1 was denied; it needs pricing:GetProducts; nothing was written",
        ),
        (
            400,
            {"__type": "ExpiredTokenException", "message": "old"},
            CredentialsError,
            "no usable AWS credentials",
        ),
        (
            400,
            {"__type": "InvalidParameterException", "message": "what?"},
            ConfigurationError,
            "nothing was written",
        ),
        (200, {"FormatVersion": "aws_v1"}, ConfigurationError, "malformed"),
        (200, {"PriceList": ["{"]}, ConfigurationError, "malformed"),
        (200, {"PriceList": ["[]"]}, ConfigurationError, "malformed"),
        (200, {"PriceList": []}, ConfigurationError, "AWS gives no prices of eu-west-1"),
    ],
)
def test_half_a_price_list_is_none(
    status: int, body: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        refresh(lambda _: (status, body))


def test_other_partitions_are_refused_before_any_call() -> None:
    with pytest.raises(ConfigurationError, match="cn-north-1 is in the partition aws-cn"):
        refresh(lambda _: pytest.fail("was called"), "cn-north-1")


# -- the command -----------------------------------------------------------------------------------


def run(monkeypatch: pytest.MonkeyPatch, answer: Answer, *arguments: str) -> Result:
    monkeypatch.setattr("wa_audit.collect.session.connect", lambda **_: session(answer))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    return CliRunner().invoke(command, arguments, catch_exceptions=True)


def test_refreshed_prices_are_those_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    done = run(monkeypatch, answers, "refresh", "--region", "eu-west-1")
    assert done.exit_code == 0, done.output
    assert "6 prices of eu-west-1" in done.output
    assert "several prices of s3/standard-ia in eu-west-1" in done.output
    shown = run(monkeypatch, answers, "--region", "eu-west-1", "--json")
    (shard,) = [price for price in json.loads(shown.output) if price["item"] == "kinesis/shard"]
    assert shard == {
        "item": "kinesis/shard",
        "region": "eu-west-1",
        "usd": 0.017,
        "unit": "hour",
        "date": "2026-09-21",
        "source": "AWS Price List, AmazonKinesis",
    }
    assert pricefile.in_force().get("glue/dpu", "eu-west-1") is not None


def test_other_regions_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "prices.tsv"
    run(monkeypatch, answers, "refresh", "-o", str(path), "--region", "eu-central-1")
    done = run(monkeypatch, answers, "refresh", "-o", str(path), "--region", "eu-west-1")
    assert "6 of other regions as before" in done.output
    assert pricefile.read(path).regions == ["eu-central-1", "eu-west-1"]


def test_a_refusal_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "prices.tsv"
    run(monkeypatch, answers, "refresh", "-o", str(path))
    before = path.read_bytes()
    denied = {"__type": "AccessDeniedException", "message": "no"}
    done = run(monkeypatch, lambda _: (400, denied), "refresh", "-o", str(path))
    assert isinstance(done.exception, ConfigurationError)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["prices.tsv"]


def test_what_is_not_known_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    done = run(monkeypatch, answers, "--region", "ap-south-2")
    assert "0 prices in force: bundled with the program" in done.output
    assert "No price is known in ap-south-2" in done.output
