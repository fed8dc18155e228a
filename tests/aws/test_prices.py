"""Prices: the bundled table, a user's own file, and what use costs by them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from wa_audit import pricefile
from wa_audit.aws import prices
from wa_audit.model import Confidence, ConfigurationError, Use, Waste

HEAD = "item\tregion\tusd\tunit\tdate\tsource\n"


def row(item: str, region: str, usd: float) -> prices.Price:
    return prices.Price(item, region, usd, "hour", "2026-11-01", "AWS Price List, A")


def waste(**uses: float) -> Waste:
    named = tuple(Use(name.replace("_", "/"), units) for name, units in uses.items())
    return Waste(confidence=Confidence.MEASURED, uses=named, assumptions=("it goes on so",))


def test_every_bundled_figure_has_a_date_and_a_source() -> None:
    table = prices.bundled()
    assert table.source == "bundled"
    assert len(table.prices) > 50
    for price in table.prices.values():
        assert datetime.date.fromisoformat(price.date) <= datetime.date(2026, 11, 26)
        assert price.source.startswith(("AWS ", "https://aws.amazon.com/"))
        assert price.usd >= 0


def test_what_is_remembered_says_so() -> None:
    """And is older than whatever was read: nobody takes the one for the other."""
    sources = {price.source: price.date for price in prices.bundled().prices.values()}
    remembered = {source: date for source, date in sources.items() if "remembered" in source}
    assert set(remembered.values()) == {"2025-01-01"}
    assert all(source.endswith(" (remembered)") for source in remembered)
    assert min(date for source, date in sources.items() if source not in remembered) > "2025-01-01"


def test_no_bundled_figure_stands_twice() -> None:
    lines = (Path(prices.__file__).parent / "data/prices.tsv").read_text().splitlines()
    keys = [tuple(line.split("\t")[:2]) for line in lines if line and not line.startswith("#")]
    assert len(keys) == len(set(keys))


def test_use_is_multiplied_by_its_price() -> None:
    found = prices.table([row("kinesis/shard", "eu-west-1", 0.5)], "mine").estimate(
        waste(kinesis_shard=1460), "eu-west-1"
    )
    assert found.usd == 730
    assert found.confidence is Confidence.MEASURED
    assert found.assumptions == ("it goes on so",)
    assert [(use.price, use.units, use.usd, use.date) for use in found.uses] == [
        ("kinesis/shard", 1460, 0.5, "2026-11-01")
    ]


def test_what_takes_its_place_is_taken_off() -> None:
    table = prices.table([row("glue/dpu", "r", 0.44), row("glue/dpu-flex", "r", 0.29)], "mine")
    saved = Waste(confidence=Confidence.MEASURED, uses=(Use("glue/dpu", 100.0), Use("glue/dpu-flex", -100.0)))
    assert table.estimate(saved, "r").usd == 15


def test_what_would_cost_more_is_no_waste() -> None:
    table = prices.table([row("a/b", "r", 1.0)], "mine")
    assert table.estimate(waste(a_b=-5), "r").usd == 0


def test_another_regions_price_is_never_taken() -> None:
    table = prices.table([row("kinesis/shard", "us-east-1", 0.015)], "mine")
    found = table.estimate(waste(kinesis_shard=1), "ap-south-1")
    assert found.usd is None
    assert found.confidence is Confidence.UNKNOWN
    assert found.reason == "no price of kinesis/shard is known in ap-south-1"


def test_a_part_without_a_price_makes_the_whole_unknown() -> None:
    table = prices.table([row("ec2/m5.large", "r", 0.1)], "mine")
    found = table.estimate(
        Waste(confidence=Confidence.MEASURED, uses=(Use("ec2/m5.large", 1), Use("emr/m5.large", 1))), "r"
    )
    assert found.usd is None
    assert "emr/m5.large" in found.reason


def test_an_amount_of_a_bill_needs_no_price() -> None:
    billed = Waste(confidence=Confidence.MEASURED, usd=12.345)
    assert prices.table([], "mine").estimate(billed, "").usd in (12.34, 12.35)


def test_unknown_waste_says_why() -> None:
    found = prices.bundled().estimate(
        Waste(confidence=Confidence.UNKNOWN, reason="nobody knows"), "eu-west-1"
    )
    assert (found.usd, found.reason) == (None, "nobody knows")


def test_a_file_of_prices_is_read_back_and_counts_before_the_bundled_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "prices.tsv"
    pricefile.write(path, [row("nat/hour", "eu-west-1", 0.05), row("kinesis/shard", "eu-west-1", 0.0000175)])
    table = pricefile.in_force(path)
    assert table.source == "prices.tsv"
    assert table.get("nat/hour", "eu-west-1") == row("nat/hour", "eu-west-1", 0.05)
    assert table.get("kinesis/shard", "eu-west-1") == row("kinesis/shard", "eu-west-1", 0.0000175)
    assert table.get("glue/dpu", "eu-west-1") == prices.bundled().get("glue/dpu", "eu-west-1")


def test_the_same_prices_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [row("b/b", "r", 1.0), row("a/a", "r", 2.0)]
    for name, given in (("one", rows), ("two", rows[::-1])):
        pricefile.write(tmp_path / name, given)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_without_a_file_the_bundled_prices_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert pricefile.in_force() is prices.bundled()
    pricefile.write(pricefile.default_path(), [row("a/a", "r", 2.0)])
    assert pricefile.in_force().get("a/a", "r") is not None


def test_a_relative_configuration_folder_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert pricefile.default_path() == tmp_path / ".config" / "wa-audit" / "prices.tsv"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no prices"),
        ("# nothing\n", "holds no prices"),
        ("item\tregion\n", "line 1: its columns are not item, region, usd, unit, date, source"),
        (HEAD + "a\tr\t1\n", "line 2: has 3 columns, not 6"),
        (HEAD + "a\tr\tmuch\thour\t2026-01-01\ts\n", "line 2: usd 'much' is no amount of money"),
        (HEAD + "a\tr\t-1\thour\t2026-01-01\ts\n", "line 2: usd '-1' is no amount of money"),
        (HEAD + "a\tr\tnan\thour\t2026-01-01\ts\n", "line 2: usd 'nan' is no amount of money"),
        (HEAD + "a\tr\t1\thour\tlast year\ts\n", "line 2: date 'last year' is not of the form 2026-05-01"),
        (HEAD + "\tr\t1\thour\t2026-01-01\ts\n", "line 2: names no item, or no region"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "prices.tsv"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        pricefile.in_force(path)
    assert words in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        pricefile.in_force(tmp_path / "nowhere.tsv")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "prices.tsv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        pricefile.in_force(path)
