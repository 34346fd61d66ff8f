"""Properties that are worked out once, of values that never change."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_T = TypeVar("_T")


class once(Generic[_T]):  # noqa: N801 - a decorator, as ``property`` is
    """A property of a ``msgspec.Struct`` with ``dict=True``, worked out when it is first asked for.

    It is no field: neither equality nor what is written knows of it. ``functools.cached_property``
    would take a lock, which costs more than most of what is kept here.
    """

    def __init__(self, work_out: Callable[[Any], _T]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> "once[_T]": ...

    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...

    def __get__(self, instance: object, owner: type) -> "once[_T] | _T":
        """Return the value; from now on Python finds it in the instance before it looks here."""
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._work_out(instance)
        return value
