"""A dead letter, as its record describes it."""

from base64 import b64encode
from dataclasses import asdict, dataclass
from typing import Self

from receiver.dead_letters.advice import advice
from receiver.kafka.snapshot import Row


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a dead letter says about itself; the body is left where it is."""

    id: str
    account: str
    origin: str
    topic: str
    reason: str
    detail: str
    count: int
    first_at: str
    last_at: str
    inbox_position: str

    def as_json(self) -> dict[str, object]:
        """Return the letter as ``/v1/dead-letters`` shows it."""
        return asdict(self)

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return the letter in a record of the dead letters' topic."""
        return cls(
            id=row.key.decode(errors="replace"),
            account=row.header("payevents-account"),
            origin=row.header("payevents-origin"),
            topic=row.header("payevents-topic"),
            reason=row.header("payevents-reason"),
            detail=row.header("payevents-detail"),
            count=_count(row),
            first_at=row.header("payevents-first-at"),
            last_at=row.header("payevents-last-at"),
            inbox_position=row.header("payevents-inbox-position"),
        )


def shown(row: Row) -> dict[str, object]:
    """Return all of a letter as JSON: with what to do, its headers and its exact bytes.

    ``body`` is null where the bytes are not UTF-8; ``body_base64`` always holds them.
    """
    letter = DeadLetter.of(row)
    told = advice(letter.reason)
    return {
        **letter.as_json(),
        "means": told.means,
        "what_to_do": told.what_to_do,
        "headers": [[name, _text(value)] for name, value in row.headers],
        "body": _utf8(row.value),
        "body_base64": b64encode(row.value).decode(),
    }


def _count(row: Row) -> int:
    count = row.header("payevents-count")
    return int(count) if count.isascii() and count.isdigit() else 1


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="backslashreplace")


def _utf8(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
