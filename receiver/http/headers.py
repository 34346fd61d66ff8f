"""A request's headers as handlers read them: names in lower case, text that records can hold."""

from collections.abc import Iterator, Mapping
from typing import TypeVar, overload

from multidict import CIMultiDictProxy

_T = TypeVar("_T")


class Headers(Mapping[str, str]):
    """Reads what is asked for, which is two or three of all: a copy of all would cost more.

    Where a name is given twice the last one counts.
    """

    __slots__ = ("_given",)

    def __init__(self, given: CIMultiDictProxy[str]) -> None:
        self._given = given

    @overload
    def get(self, name: str, /) -> str | None: ...

    @overload
    def get(self, name: str, /, default: str | _T) -> str | _T: ...

    def get(self, name: str, /, default: str | _T | None = None) -> str | _T | None:
        """Return the header called ``name``, ``default`` without any."""
        values = self._given.getall(name, None)
        if values is None:
            return default
        value = values[-1]
        if value.isascii():
            return value
        # aiohttp keeps bytes that are no UTF-8 as lone surrogates, which no record could hold.
        return value.encode(errors="replace").decode()

    def __getitem__(self, name: str) -> str:
        """Return the header called ``name``."""
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        """Return each name once."""
        return iter(dict.fromkeys(name.lower() for name in self._given))

    def __len__(self) -> int:
        """Return how many names there are."""
        return sum(1 for _ in self)
