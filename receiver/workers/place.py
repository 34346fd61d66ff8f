"""What a supervisor hands to a worker that it starts, as its one argument."""

from typing import Self

import msgspec


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's number, and what it is given: open file descriptors and paths.

    ``lifeline`` and ``public`` are descriptors; ``public`` is None where nothing is received.
    ``admin`` is the path of the unix socket to listen on, ``config`` that of the configuration.
    """

    number: int
    lifeline: int
    public: int | None
    admin: str
    config: str | None
    roles: list[str]

    @property
    def descriptors(self) -> list[int]:
        """Return what the process must inherit."""
        return [self.lifeline] if self.public is None else [self.lifeline, self.public]

    def as_argument(self) -> str:
        """Return it as text; there is no secret in it, since everybody may read arguments."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_argument(cls, text: str) -> Self:
        """Return what :meth:`as_argument` wrote.

        Raises:
            msgspec.DecodeError: it is something else.
        """
        return msgspec.json.decode(text, type=cls)
