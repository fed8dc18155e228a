"""What an object works out once and keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

_Value = TypeVar("_Value")


class kept(Generic[_Value]):  # noqa: N801  stands where a function would
    """As `functools.cached_property`, which before Python 3.12 takes a lock that costs more than most values.

    Two threads that ask at once may both work it out, and one of the equal values is kept.
    """

    def __init__(self, make: Callable[[Any], _Value]) -> None:
        self.make, self.name = make, make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, instance: Any, owner: type[Any]) -> _Value:
        made: _Value = self.make(instance)
        instance.__dict__[self.name] = made
        return made
