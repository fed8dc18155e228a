"""What says the same becomes one object, and nothing else does."""

from __future__ import annotations

import gc
from typing import Any

import msgspec
import pytest

from wa_audit.memory import Shared, never_collected


@pytest.mark.parametrize("value", [{"Status": "ACTIVE", "Of": [1, None]}, ["a", {"b": 1.5}], "a text"])
def test_what_says_the_same_becomes_one(value: Any) -> None:
    again = msgspec.json.decode(msgspec.json.encode(value))
    for shared in (Shared(), Shared(deep=False)):
        first = shared.value(value)
        assert (repr(first), type(first)) == (repr(value), type(value))
        assert shared.value(again) is first
    assert first is value, "without looking into it, it is the first that came"


def test_texts_within_values_become_one() -> None:
    shared = Shared()
    arn = shared.text("arn:aws:iam::123456789012:role/orders")
    one = shared.value({"Role": str(arn.encode(), "utf-8"), "Of": [{"Number": 1}, "ACTIVE", 2]})
    other = shared.decoded(b'{"Of":["ACTIVE"],"Role":"arn:aws:iam::123456789012:role/orders"}')

    assert one == {"Role": arn, "Of": [{"Number": 1}, "ACTIVE", 2]}
    assert other == {"Of": ["ACTIVE"], "Role": arn}
    assert one["Role"] is other["Role"] is arn
    assert one["Of"][1] is other["Of"][0]
    assert {id(name) for name in one} == {id(name) for name in other}


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
    first = shared.value(one)
    second = shared.value(other)

    assert second is not first
    assert (repr(second), type(second)) == (repr(other), type(other))
    assert shared.decoded(msgspec.json.encode(one)) == one
    made = shared.decoded(msgspec.json.encode(other))
    assert (repr(made), type(made)) == (repr(other), type(other))


@pytest.mark.parametrize("value", [{"a": object()}, (1, 2), 7, None])
def test_what_is_no_json_is_itself(value: Any) -> None:
    assert Shared().value(value) is value


def test_a_number_that_json_has_no_room_for_stays_what_it_is() -> None:
    assert Shared().value({"a": 2**70}) == {"a": 2**70}


def test_what_is_long_is_kept_nowhere() -> None:
    shared, value = Shared(), {"a": "x" * 5_000}

    assert shared.value(value) == value
    assert shared.decoded(msgspec.json.encode(value)) == value
    assert shared.value(dict(value)) is not shared.value(value)


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
