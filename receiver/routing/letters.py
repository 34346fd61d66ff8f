"""Dead letters as records: the observation as it came, and why it could not become events."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from handlers.clock import rfc3339
from receiver.kafka.clients import KafkaHeaders, Record

_COUNT_PREFIX = b"\x00letter/"


class LetterCount(msgspec.Struct, array_like=True, frozen=True):
    """How often the same letter came; kept in the ledger beside the resources."""

    count: int
    first_at: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An inbox record that could not become events, under its letter's id."""

    letter_id: str
    reason: str
    detail: str


def count_key(letter_id: str) -> bytes:
    """Return the key of a letter's count in the ledger."""
    return _COUNT_PREFIX + letter_id.encode()


def write(
    refusal: Refusal,
    *,
    inbox_key: bytes | None,
    value: bytes | None,
    headers: KafkaHeaders,
    position: str,
    counted: bytes | None,
    now: datetime,
) -> tuple[Record, bytes]:
    """Return the letter's record, and its new count for the ledger.

    ``counted`` is the count in the ledger so far; ``position`` where the observation stands.
    """
    first_at = rfc3339(now)
    count = LetterCount(1, first_at)
    if counted is not None:
        before = msgspec.msgpack.decode(counted, type=LetterCount)
        count = LetterCount(before.count + 1, before.first_at)
    added = {
        "payevents-reason": refusal.reason,
        "payevents-detail": refusal.detail[:1000],
        "payevents-inbox-key": (inbox_key or b"").decode(errors="replace"),
        "payevents-inbox-position": position,
        "payevents-count": str(count.count),
        "payevents-first-at": count.first_at,
        "payevents-last-at": rfc3339(now),
    }
    kept = [(name, raw) for name, raw in headers if name != "payevents-letter-id"]
    all_headers = [*kept, *((name, text.encode()) for name, text in added.items())]
    record = Record(refusal.letter_id.encode(), value or b"", all_headers)
    return record, msgspec.msgpack.encode(count)
