"""A property that is worked out once for all who ask, failures too."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class Once(Generic[Value]):
    """As `functools.cached_property`, but what was raised the first time is raised each time.

    A run that many checks share is not made again for each of them when it fails.
    """

    def __init__(self, function: Callable[[Any], Value]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        """Return the value, or raise what there was in its place."""
        if instance is None:
            return self
        failures = instance.__dict__.setdefault("_failures", {})
        if self._name in failures:
            raise failures[self._name]
        try:
            value = self._function(instance)
        except Exception as error:
            failures[self._name] = error
            raise
        instance.__dict__[self._name] = value
        return value
