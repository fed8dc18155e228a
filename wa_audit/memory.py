"""How Python looks after memory while many objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import msgspec

_Value = TypeVar("_Value")

# Longer than this, hardly a value is there twice, and to see whether it is takes its time.
_LONGEST = 4_096


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Has Python look for cycles of garbage seldom: modules, models, resources and relations are many, and
    stay."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def never_collected() -> Iterator[None]:
    """Has Python look for no cycles of garbage, where what is made stays and what does not makes no cycles.

    To look means to go through all that is there: a third of the time that 100,000 resources take to judge.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def sweep() -> None:
    """Lets go of what only cycles hold: of a session and its clients, once nobody asks AWS any more."""
    gc.collect()


class Shared:
    """Values of JSON's types, of which those that say the same become one object.

    An account says the same thing many times over: tags, settings, sentences. Nobody may change what is
    shared. With `deep`, so do the texts within a value: the ARNs, the names of fields.
    """

    def __init__(self, *, deep: bool = True) -> None:
        # Whoever only sets how often is looked, at the program's start, does without it.
        import msgspec

        self._deep = deep
        self._values: dict[str | bytes, Any] = {}
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder().decode

    def text(self, text: str) -> str:
        """The text, or the one that was there before it."""
        found: str = self._values.setdefault(text, text)
        return found

    def value(self, value: _Value) -> _Value:
        """The value, or the equal one that was there before it; itself, where JSON has no such value."""
        if isinstance(value, str):
            return self._values.setdefault(value, value)  # type: ignore[no-any-return]
        if not isinstance(value, dict | list):
            return value
        try:
            key = self._encode(value)
        except (TypeError, ValueError, OverflowError):
            return value
        if len(key) > _LONGEST:
            return self._within(value)
        try:
            found: _Value = self._values[key]
        except KeyError:
            found = self._values[key] = self._within(value)
        return found

    def decoded(self, raw: bytes | msgspec.Raw) -> Any:
        """What a piece of JSON says, which is decoded once.

        Raises:
            msgspec.DecodeError: it is no JSON.
        """
        key = bytes(raw)
        if len(key) > _LONGEST:
            return self._within(self._decode(key))
        try:
            return self._values[key]
        except KeyError:
            made = self._values[key] = self._within(self._decode(key))
            return made

    def _within(self, value: _Value) -> _Value:
        """A value that is new here, each text within it being the one that was there before it."""
        return self._joined(value) if self._deep else value

    def _joined(self, value: Any) -> Any:
        # Most of what lies within is text, for which nothing is called.
        text, joined = self._values.setdefault, self._joined
        if isinstance(value, str):
            return text(value, value)
        if isinstance(value, dict):
            return {
                text(name, name): text(each, each) if isinstance(each, str) else joined(each)
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [text(each, each) if isinstance(each, str) else joined(each) for each in value]
        return value
