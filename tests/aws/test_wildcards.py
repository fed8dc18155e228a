"""The wildcards of policies, held against every text that they can stand for."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wa_audit.aws import wildcards

LONGEST = 6
PATTERNS = st.text(alphabet="ab*?", max_size=5)


def texts(letters: str, longest: int) -> list[str]:
    return ["".join(word) for n in range(longest + 1) for word in itertools.product(letters, repeat=n)]


TEXTS = texts("ab", LONGEST)
# One letter that neither pattern spells, for what a wildcard may stand for beyond the other's letters.
WIDE_TEXTS = texts("abx", 7)


def stands_for(pattern: str) -> set[str]:
    """Every text up to the longest, by writing the pattern out."""
    found = {""}
    for character in pattern:
        if character == "*":
            found = {text + run for text in found for run in TEXTS if len(text + run) <= LONGEST}
        elif character == "?":
            found = {text + letter for text in found for letter in "ab"}
        else:
            found = {text + character for text in found}
    return {text for text in found if len(text) <= LONGEST}


@settings(max_examples=150, deadline=None)
@given(PATTERNS)
def test_matching_is_what_writing_the_pattern_out_gives(pattern: str) -> None:
    assert {text for text in TEXTS if wildcards.matches(pattern, text)} == stands_for(pattern)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab*?", max_size=4), st.text(alphabet="ab*?", max_size=4))
def test_covering_and_overlapping_are_those_of_the_sets(general: str, specific: str) -> None:
    wide = {text for text in WIDE_TEXTS if wildcards.matches(general, text)}
    narrow = {text for text in WIDE_TEXTS if wildcards.matches(specific, text)}
    assert wildcards.covers(general, specific) == (narrow <= wide)
    assert wildcards.overlaps(general, specific) == bool(wide & narrow)


SHORT = st.text(alphabet="ab*?", max_size=3)
SHORT_TEXTS = texts("abx", 5)


@settings(max_examples=100, deadline=None)
@given(st.lists(SHORT, max_size=3), st.lists(SHORT, min_size=1, max_size=2))
def test_patterns_cover_together_what_their_sets_do(generals: list[str], specifics: list[str]) -> None:
    wide = {text for text in SHORT_TEXTS if any(wildcards.matches(p, text) for p in generals)}
    narrow = {text for text in SHORT_TEXTS if all(wildcards.matches(p, text) for p in specifics)}
    assert wildcards.covers_together(generals, specifics) == (narrow <= wide)


def test_a_variable_is_one_piece_of_an_arn_and_may_be_anything() -> None:
    own = "arn:aws:sqs:*:${aws:PrincipalAccount}:${aws:PrincipalTag/team, 'none'}-*"
    assert wildcards.arn_segments(own)[4:] == (
        "${aws:PrincipalAccount}",
        "${aws:PrincipalTag/team, 'none'}-*",
    )
    assert wildcards.without_variables(own) == "arn:aws:sqs:*:*:*-*"
    assert wildcards.without_variables("a${*}b${?}${$}") == "a${*}b${?}${$}"


@given(PATTERNS)
def test_a_pattern_covers_itself_and_is_covered_by_all(pattern: str) -> None:
    assert wildcards.covers(pattern, pattern)
    assert wildcards.covers("*", pattern)
    assert wildcards.overlaps(pattern, pattern)


# Variables, escapes, and what looks like a part of one.
BRACED = st.lists(
    st.sampled_from(["a", "*", "?", "${*}", "${?}", "${$}", "${v}", "$", "{", "}"]), max_size=6
).map("".join)


@settings(max_examples=1000, deadline=None)
@given(BRACED, BRACED)
def test_covering_takes_no_short_cut_that_the_whole_walk_would_not(general: str, specific: str) -> None:
    assert wildcards.covers(general, specific) == wildcards.covers_together([general], [specific])


@pytest.mark.parametrize(
    ("general", "specific", "covered"),
    [
        ("s3:*", "s3:get*", True),
        ("s3:get*", "s3:*", False),
        ("*", "s3:*", True),
        ("s3:*object", "s3:put*", False),
        ("*:*", "s3:?*", True),
        ("?*", "*", False),
        ("*?", "?*", True),
        ("?*a", "*?a", True),
        ("a*", "${*}", False),
        ("${*}", "*", False),
        ("*", "${*}", True),
        ("*}", "${*}", False),
        ("*b*b", "ab", False),
        ("a*a", "a", False),
        ("*ab*c*", "xabxcx", True),
    ],
)
def test_covering(general: str, specific: str, covered: bool) -> None:
    assert wildcards.covers(general, specific) is covered


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("s3:*object", "s3:put*", True),
        ("s3:get*", "s3:put*", False),
        ("iam:*", "?*:?*", True),
        ("a?", "a", False),
    ],
)
def test_overlapping(one: str, other: str, meet: bool) -> None:
    assert wildcards.overlaps(one, other) is meet


@pytest.mark.parametrize(
    ("general", "specific", "covered"),
    [
        ("*", "arn:aws:s3:::data/*", True),
        ("arn:aws:s3:::data*", "arn:aws:s3:::data", True),
        ("arn:aws:s3:::data*", "arn:aws:s3:::data/*", True),
        ("arn:aws:s3:::data/*", "arn:aws:s3:::data", False),
        ("arn:aws:sqs", "arn:aws:sqs:eu-west-1:123456789012:orders", True),
        ("arn:*:sqs:*:*:*", "arn:aws:sqs:eu-west-1:123456789012:orders", True),
        ("arn:aws:logs:*:*:log-group:*", "arn:aws:logs:eu-west-1:1:log-group:a:log-stream:b", True),
        # No wildcard reaches into the next part.
        ("arn:aws:s3*:data", "arn:aws:s3:::data", False),
        ("arn:aws:iam::*:role/etl", "arn:aws:iam::123456789012:role/etl", True),
        ("arn:aws:s3:::data", "*", False),
    ],
)
def test_arn_patterns(general: str, specific: str, covered: bool) -> None:
    assert wildcards.arn_covers(general, specific) is covered


def test_arns_that_meet() -> None:
    assert wildcards.arn_overlaps("arn:aws:s3:::data/*", "arn:aws:s3:::*/raw")
    assert not wildcards.arn_overlaps("arn:aws:s3:::data/*", "arn:aws:sqs:*:*:*")


def test_escapes_are_the_characters_themselves() -> None:
    assert wildcards.matches("a${*}b", "a*b")
    assert not wildcards.matches("a${*}b", "axb")
    assert wildcards.matches("${$}x", "$x")
    assert not wildcards.has_wildcard("home/${aws:username}")
    assert wildcards.literal_start("repo:acme/*") == "repo:acme/"


def test_long_patterns_are_compared_quickly() -> None:
    hostile = "*a" * 60
    assert not wildcards.covers(hostile + "b", hostile)
    assert wildcards.overlaps(hostile, "a" * 200)
    assert not wildcards.matches(hostile + "b", "a" * 500)
