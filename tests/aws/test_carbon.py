"""Grid factors and the regions to move to."""

from __future__ import annotations

from wa_audit.aws import carbon


def test_factors_are_the_tables() -> None:
    assert carbon.intensity("eu-north-1") == 8
    assert carbon.intensity("ap-south-1") == 708
    assert carbon.intensity("mx-central-1") is None


def test_suggestions_stay_in_one_legal_space() -> None:
    assert carbon.cleaner("eu-central-1", 300) == ["eu-north-1", "eu-west-3", "eu-south-1"]
    assert carbon.cleaner("us-east-1", 350) == []
    assert carbon.cleaner("us-east-1", 351) == ["us-west-1", "us-west-2"]
    assert carbon.cleaner("ap-south-1", 350) == []


def test_the_united_kingdom_and_switzerland_are_not_in_the_union() -> None:
    assert carbon.residency("eu-west-2") == "eu-west-2"
    assert carbon.residency("eu-central-2") == "eu-central-2"
    assert carbon.residency("eu-west-1") == carbon.residency("eu-north-1")
