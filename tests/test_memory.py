"""What says the same becomes one object, and nothing else does."""

from __future__ import annotations

import gc
from typing import Any

import msgspec
import pytest

from wa_audit.memory import Shared, never_collected


@pytest.mark.parametrize("value", [{"Status": "ACTIVE", "Of": [1, None]}, ["a", {"b": 1.5}], "a text"])
def test_what_says_the_same_becomes_one(value: Any) -> None:
    shared = Shared()
    again = msgspec.json.decode(msgspec.json.encode(value))

    assert shared.value(value) is value
    assert shared.value(again) is value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),  # the order is shown
        ('{"a":1}', {"a": 1}),
        (["1"], [1]),
    ],
)
def test_what_is_another_stays_another(one: Any, other: Any) -> None:
    shared = Shared()
    shared.value(one)

    assert shared.value(other) is other
    assert shared.decoded(msgspec.json.encode(one)) == one
    made = shared.decoded(msgspec.json.encode(other))
    assert (repr(made), type(made)) == (repr(other), type(other))


@pytest.mark.parametrize("value", [{"a": object()}, {"a": 2**70}, (1, 2), 7, None, {"a": "x" * 5_000}])
def test_what_is_no_json_or_too_long_is_itself(value: Any) -> None:
    shared = Shared()

    assert shared.value(value) is value


def test_text_and_what_it_says_are_told_apart() -> None:
    shared = Shared()

    assert shared.text('{"a":1}') == '{"a":1}'
    assert shared.decoded(b'{"a":1}') == {"a": 1}
    assert shared.decoded(b'{"a":1}') is shared.decoded(b'{"a":1}')
    with pytest.raises(msgspec.DecodeError):
        shared.decoded(b'{"a":')


def test_cycles_are_looked_for_again_afterwards() -> None:
    with never_collected():
        with never_collected():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the inner one leaves it as it was"
    assert gc.isenabled()


def test_nor_does_an_error_leave_them_be() -> None:
    with pytest.raises(ZeroDivisionError), never_collected():
        _break()
    assert gc.isenabled()


def _break() -> None:
    assert not gc.isenabled()
    raise ZeroDivisionError
