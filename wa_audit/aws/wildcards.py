"""The wildcards of AWS policies: `*` is any run of characters, even none, and `?` is any one character.

Two patterns are compared as the sets of texts that they stand for, exactly, so that `s3:Get*` is known to lie
within `s3:*` and `s3:*Object` is known to meet `s3:Put*`. `${*}`, `${?}` and `${$}` are the characters
themselves; any other policy variable stands for itself and is never taken for a wildcard.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# Begins a policy variable or an escape; without one, each character is a token.
_BRACED = "${"
_PLAIN_START = re.compile(r"[^*?]*")
_TOKEN = re.compile(r"\$\{[*?$]\}|.", re.DOTALL)
_VARIABLE = re.compile(r"\$\{(?![*?$]\})[^{}]*\}")
_ANY, _ONE = "*", "?"
_LITERAL = {_ANY: "${*}", _ONE: "${?}"}
# A character that no pattern spells: what a wildcard may stand for beyond the letters of the other pattern.
_OTHER = "\0"


@lru_cache(maxsize=4096)
def _tokens(pattern: str) -> tuple[str, ...]:
    if _BRACED not in pattern:
        return tuple(pattern)
    return tuple("$" if found == "${$}" else found for found in _TOKEN.findall(pattern))


@lru_cache(maxsize=16384)
def has_wildcard(pattern: str) -> bool:
    """Whether the pattern stands for more than one text."""
    if _ANY not in pattern and _ONE not in pattern:
        return False
    return _BRACED not in pattern or any(token in (_ANY, _ONE) for token in _tokens(pattern))


@lru_cache(maxsize=16384)
def literal_start(pattern: str) -> str:
    """What stands before the first wildcard."""
    if _BRACED not in pattern:
        return _PLAIN_START.match(pattern)[0]  # type: ignore[index]  # matches anything
    start = []
    for token in _tokens(pattern):
        if token in (_ANY, _ONE):
            break
        start.append(token)
    return "".join(start)


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern stands for this text, in which nothing is a wildcard. Case counts."""
    tokens = _tokens(pattern)
    reached = _rest(tokens, frozenset({0}))
    for character in text:
        reached = _step(tokens, reached, _LITERAL.get(character, character))
    return len(tokens) in reached


def covers(general: str, specific: str) -> bool:
    """Whether every text that `specific` stands for, `general` stands for too."""
    # Most pairs that are asked about are alike or differ at once; most patterns end in their one wildcard.
    if general == specific:
        return True
    if _BRACED in general or _BRACED in specific:
        return _covers(general, specific)
    start = literal_start(general)
    if not literal_start(specific).startswith(start):
        return False
    left = len(general) - len(start)
    return left > 0 and ((left == 1 and general[-1] == _ANY) or _covers(general, specific))


def covers_together(generals: Sequence[str], specifics: Sequence[str]) -> bool:
    """Whether every text that all of `specifics` stand for, one of `generals` stands for too."""
    wide, narrow = [_tokens(p) for p in generals], [_tokens(p) for p in specifics]
    start = tuple(_rest(tokens, frozenset({0})) for tokens in (*wide, *narrow))
    waiting, seen = [start], {start}
    while waiting:
        reached = waiting.pop()
        ended = [len(tokens) in at for tokens, at in zip((*wide, *narrow), reached, strict=True)]
        if all(ended[len(wide) :]) and not any(ended[: len(wide)]):
            return False
        symbols = {
            tokens[place]
            for tokens, at in zip((*wide, *narrow), reached, strict=True)
            for place in at
            if place < len(tokens)
        }
        for symbol in symbols - {_ANY, _ONE} | {_OTHER}:
            after = tuple(
                _step(tokens, at, symbol) for tokens, at in zip((*wide, *narrow), reached, strict=True)
            )
            if all(after[len(wide) :]) and after not in seen:
                seen.add(after)
                waiting.append(after)
    return True


@lru_cache(maxsize=16384)
def _covers(general: str, specific: str) -> bool:
    if _ONE not in general and _BRACED not in general + specific and not has_wildcard(specific):
        return _has_parts(specific, general.split(_ANY))
    wide, narrow = _tokens(general), _tokens(specific)
    # Walks `narrow` one place at a time beside the set of all places that `wide` can be in.
    start = _rest(wide, frozenset({0}))
    waiting = [(place, start) for place in _rest(narrow, frozenset({0}))]
    seen = set(waiting)
    while waiting:
        place, reached = waiting.pop()
        if place == len(narrow):
            if len(wide) not in reached:
                return False
            continue
        token = narrow[place]
        after = frozenset({place if token == _ANY else place + 1})
        symbols = {token}
        if token in (_ANY, _ONE):
            # Letters that `wide` does not wait for here are all alike.
            symbols = {wide[at] for at in reached if at < len(wide)} - {_ANY, _ONE} | {_OTHER}
        for symbol in symbols:
            next_reached = _step(wide, reached, symbol)
            for next_place in _rest(narrow, after):
                state = (next_place, next_reached)
                if state not in seen:
                    seen.add(state)
                    waiting.append(state)
    return True


def _has_parts(text: str, parts: list[str]) -> bool:
    """Whether a text begins with the first of several parts, ends with the last, and has the rest between."""
    first, *between, last = parts
    place, end = len(first), len(text) - len(last)
    if place > end or not (text.startswith(first) and text.endswith(last)):
        return False
    for part in between:
        place = text.find(part, place, end) + len(part)
        if place < len(part):
            return False
    return True


@lru_cache(maxsize=16384)
def overlaps(one: str, other: str) -> bool:
    """Whether there is a text that both patterns stand for."""
    left, right = _tokens(one), _tokens(other)
    waiting = [(0, 0)]
    seen = set(waiting)
    while waiting:
        i, j = waiting.pop()
        if i == len(left) and j == len(right):
            return True
        for state in _moves(left, i, right, j):
            if state not in seen:
                seen.add(state)
                waiting.append(state)
    return False


@lru_cache(maxsize=16384)
def arn_segments(pattern: str) -> tuple[str, ...]:
    """The six parts of an ARN pattern; AWS fills an incomplete one with `*`."""
    if not literal_start(pattern) and covers(pattern, "?*"):
        return ("arn", *"*****")
    hidden = pattern
    if _BRACED in pattern:
        # The colon of a policy variable parts nothing.
        hidden = _VARIABLE.sub(lambda found: found[0].replace(":", _OTHER), pattern)
    parts = [part.replace(_OTHER, ":") for part in hidden.split(":", 5)]
    return (*parts, *["*"] * (6 - len(parts)))


def without_variables(pattern: str) -> str:
    """The pattern with `*` for each policy variable, whose value nothing here tells."""
    return _VARIABLE.sub(_ANY, pattern) if _BRACED in pattern else pattern


def arn_covers(general: str, specific: str) -> bool:
    """As `covers`, for ARN patterns, in which no wildcard reaches from one of the six parts into the next."""
    return general == specific or all(map(covers, arn_segments(general), arn_segments(specific)))


def arn_overlaps(one: str, other: str) -> bool:
    """As `overlaps`, for ARN patterns."""
    return all(map(overlaps, arn_segments(one), arn_segments(other)))


def _rest(tokens: tuple[str, ...], places: frozenset[int]) -> frozenset[int]:
    """The places with those that are reached by letting a `*` stand for nothing."""
    found = set(places)
    for place in places:
        while place < len(tokens) and tokens[place] == _ANY:
            place += 1  # noqa: PLW2901  the run of stars is walked to its end
            found.add(place)
    return frozenset(found)


def _step(tokens: tuple[str, ...], places: frozenset[int], symbol: str) -> frozenset[int]:
    after = set()
    for place in places:
        if place < len(tokens):
            token = tokens[place]
            if token == _ANY:
                after.add(place)
            elif token in (_ONE, symbol):
                after.add(place + 1)
    return _rest(tokens, frozenset(after))


def _moves(left: tuple[str, ...], i: int, right: tuple[str, ...], j: int) -> list[tuple[int, int]]:
    """From these two places, where one more character, or a `*` that stands for nothing, leads."""
    moves = []
    if i < len(left) and left[i] == _ANY:
        moves.append((i + 1, j))
    if j < len(right) and right[j] == _ANY:
        moves.append((i, j + 1))
    if i < len(left) and j < len(right):
        a, b = left[i], right[j]
        if a in (_ANY, _ONE) or b in (_ANY, _ONE) or a == b:
            moves.append((i if a == _ANY else i + 1, j if b == _ANY else j + 1))
    return moves
