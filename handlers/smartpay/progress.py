"""What a visit of a reconciliation leaves behind for the next one."""

from datetime import datetime

import msgspec

from handlers.clock import from_rfc3339, rfc3339
from handlers.jsontext import Json, Unreadable, compact, parse_object


class Progress(msgspec.Struct, frozen=True, gc=False):
    """How far the reading of a head or a window is.

    ``since`` is where the head begins. ``read_at`` is when the last complete reading began: what
    is new at the next one happened later. Of a reading that takes several visits, ``began`` is when
    it began, ``page`` where it goes on, and ``is_open`` whether it showed an open invoice so far.
    ``is_late`` says that the window was found to be older than the lookback.
    """

    since: datetime | None = None
    read_at: datetime | None = None
    began: datetime | None = None
    page: int = 1
    is_open: bool = False
    is_late: bool = False

    def encode(self) -> bytes:
        """Return it as a watch's memory."""
        held = msgspec.structs.asdict(self)
        return compact({name: _written(value) for name, value in held.items()})

    @staticmethod
    def decode(memory: bytes) -> "Progress":
        """Return what is in a watch's memory; a beginning, if there is nothing to be read."""
        try:
            held = parse_object(memory)
            page = held.get("page")
            return Progress(
                since=_moment(held.get("since")),
                read_at=_moment(held.get("read_at")),
                began=_moment(held.get("began")),
                page=page if isinstance(page, int) and page >= 1 else 1,
                is_open=held.get("is_open") is True,
                is_late=held.get("is_late") is True,
            )
        except (Unreadable, ValueError):
            return Progress()


def _written(value: datetime | int | None) -> Json:
    return rfc3339(value) if isinstance(value, datetime) else value


def _moment(value: Json) -> datetime | None:
    return from_rfc3339(value) if isinstance(value, str) else None
