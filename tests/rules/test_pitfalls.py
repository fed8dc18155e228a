"""What makes naive checks wrong is held by a case or a test each, which exists and runs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rules import cases
from wa_audit import rulebook

TESTS = cases.FOLDER.parent
PITFALLS: dict[int, dict[str, Any]] = yaml.safe_load((cases.FOLDER / "pitfalls.yaml").read_text())
BOOK = rulebook.load()


@cache
def _cases_of(rule: str) -> frozenset[str]:
    found = cases.FOLDER.glob(f"*/{rule}.yaml")
    return frozenset(case["name"] for path in found for case in cases.load(path))


@cache
def _tests_of(path: Path) -> frozenset[str]:
    return (
        frozenset(re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE))
        if path.exists()
        else frozenset()
    )


def test_none_is_left_out() -> None:
    assert sorted(PITFALLS) == list(range(1, 58))


@pytest.mark.parametrize("number", sorted(PITFALLS))
def test_what_holds_it_exists(number: int) -> None:
    pitfall = PITFALLS[number]
    assert pitfall["says"].endswith(".")
    assert pitfall["held_by"]
    for held in pitfall["held_by"]:
        if "::" in held:
            path, _, name = held.partition("::")
            assert name in _tests_of(TESTS / path), held
        else:
            rule, _, name = held.partition(": ")
            assert name in _cases_of(rule), held


def test_no_fix_recommends_a_key_that_shuts_publishers_out() -> None:
    """alias/aws/sns cannot be used by CloudWatch, S3 and EventBridge: its policy is AWS's.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    words = {rule.id: f"{rule.fix} {rule.why}" for rule in BOOK.rules}
    assert [rule for rule, text in words.items() if "aws/sns" in text] == []
