"""S3 lifecycle rules: scopes and actions."""

from __future__ import annotations

from typing import Any

import pytest

from wa_audit.aws import lifecycle


def rule(filter_: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"Status": "Enabled", **({"Filter": filter_} if filter_ is not None else {}), **fields}


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (rule({}), "the whole bucket"),
        (rule({"Prefix": ""}), "the whole bucket"),
        (rule(Prefix=""), "the whole bucket"),
        (rule(), "the whole bucket"),
        (rule({"Prefix": "tmp/"}), "prefix tmp/"),
        (rule(Prefix="tmp/"), "prefix tmp/"),
        (rule({"Tag": {"Key": "a", "Value": "b"}}), "tags"),
        (rule({"ObjectSizeGreaterThan": 0}), "object size"),
        (
            rule({"And": {"Prefix": "a/", "Tags": [{"Key": "a", "Value": "b"}], "ObjectSizeLessThan": 9}}),
            "prefix a/ and tags and object size",
        ),
    ],
)
def test_scope(given: dict[str, Any], where: str) -> None:
    assert str(lifecycle.scope(given)) == where
    assert lifecycle.applies_to_all(given) is (where == "the whole bucket")


def test_covers_what_lies_below_its_prefix() -> None:
    assert lifecycle.covers(rule({"Prefix": "tmp/"}), "tmp/glue/")
    assert lifecycle.covers(rule({}), "tmp/glue/")
    assert not lifecycle.covers(rule({"Prefix": "tmp/glue/"}), "tmp/")
    assert not lifecycle.covers(rule({"Prefix": "temp/"}), "tmp/")
    assert not lifecycle.covers(rule({"And": {"Prefix": "tmp/", "ObjectSizeLessThan": 9}}), "tmp/glue/")


def test_actions() -> None:
    assert lifecycle.actions(rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7})) == []
    assert lifecycle.actions(rule(Expiration={"ExpiredObjectDeleteMarker": True})) == []
    assert lifecycle.actions(rule(Expiration={"Date": "2026-01-01T00:00:00Z"})) == ["Expiration"]
    both = rule(Transitions=[{"Days": 30}], NoncurrentVersionExpiration={"NoncurrentDays": 30})
    assert lifecycle.actions(both) == ["Transitions", "NoncurrentVersionExpiration"]
    assert lifecycle.noncurrent_days(both) == 30
    assert lifecycle.abort_days(both) is None


def test_longest_life() -> None:
    month, week = rule({}, Expiration={"Days": 30}), rule({"Prefix": "tmp/"}, Expiration={"Days": 7})
    off = {**rule({}, Expiration={"Days": 1}), "Status": "Disabled"}
    assert lifecycle.longest_life(None) is None
    assert lifecycle.longest_life([off, week]) is None
    assert lifecycle.longest_life([off, week, month, rule({}, Expiration={"Days": 60})]) == 30
    assert lifecycle.shortest([month, week], "tmp/athena/") == 7
