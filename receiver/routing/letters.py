"""Dead letters as records: the observation as it came, and why it could not become events."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from handlers.clock import from_rfc3339, rfc3339
from handlers.letters import letter_id
from handlers.observation import Observation
from handlers.provider import Handler
from receiver.kafka.clients import KafkaHeaders, Record

_COUNT_PREFIX = b"\x00letter/"
_LONGEST_DETAIL = 1000

REPLACED_BY = "payevents-replaced-by"
"""The header of a letter's removal that names the letter which its observation has become."""


class LetterCount(msgspec.Struct, array_like=True, frozen=True):
    """How often the same letter came, first and last; kept in the ledger beside the resources.

    ``inbox_key`` says which partition of the ledger that is; empty where the record had no key.
    """

    count: int
    first_at: str
    last_at: str = ""
    inbox_key: bytes = b""


class Refusal(msgspec.Struct, frozen=True):
    """An inbox record that could not become events, under its letter's id."""

    letter_id: str
    reason: str
    detail: str


def refusal_of(observation: Observation, reason: str, detail: str) -> Refusal:
    """Return why nothing, or not all, follows from an observation: it becomes a dead letter."""
    return Refusal(letter_id(observation, reason), reason, detail)


def count_key(letter_id: str) -> bytes:
    """Return the key of a letter's count in the ledger."""
    return _COUNT_PREFIX + letter_id.encode()


def is_count(key: bytes) -> bool:
    """Tell whether a key of the ledger is that of a letter's count."""
    return key.startswith(_COUNT_PREFIX)


def is_count_older(counted: bytes, limit: datetime) -> bool:
    """Tell whether the counted letter came for the last time before ``limit``."""
    count = msgspec.msgpack.decode(counted, type=LetterCount)
    return from_rfc3339(count.last_at or count.first_at) < limit


def counted_at(key: bytes, value: bytes) -> bytes | None:
    """Return the inbox key of the letter that a ledger entry counts; None if it counts none.

    Raises:
        msgspec.MsgspecError: it is no count.
    """
    if not is_count(key):
        return None
    return msgspec.msgpack.decode(value, type=LetterCount).inbox_key


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
    last_at = rfc3339(now)
    count = LetterCount(1, last_at, last_at, inbox_key or b"")
    if counted is not None:
        before = msgspec.msgpack.decode(counted, type=LetterCount)
        count = msgspec.structs.replace(count, count=before.count + 1, first_at=before.first_at)
    added = {
        "payevents-reason": refusal.reason,
        "payevents-detail": refusal.detail[:_LONGEST_DETAIL],
        "payevents-inbox-key": (inbox_key or b"").decode(errors="replace"),
        "payevents-inbox-position": position,
        "payevents-count": str(count.count),
        "payevents-first-at": count.first_at,
        "payevents-last-at": last_at,
    }
    kept = [(name, raw) for name, raw in headers if name != "payevents-letter-id"]
    all_headers = [*kept, *((name, text.encode()) for name, text in added.items())]
    record = Record(refusal.letter_id.encode(), value or b"", all_headers)
    return record, msgspec.msgpack.encode(count)


def bounded(observation: Observation, handler: Handler | None) -> Observation:
    """Return the observation as the ids of its letters are made from it.

    Of an account that is not configured nobody knows which topics there are.
    """
    if handler is None:
        return observation
    return msgspec.structs.replace(observation, topic=handler.letter_topic(observation))


def removal(letter_id: str, refusals: Sequence[Refusal]) -> Record:
    """Return the record that removes a letter which was tried again.

    Where the observation only became another letter, its headers say which and why: whoever waits
    for the outcome reads it in one record, committed at once.
    """
    headers = {
        name: text
        for refusal in refusals[:1]
        for name, text in (
            (REPLACED_BY, refusal.letter_id),
            ("payevents-reason", refusal.reason),
            ("payevents-detail", refusal.detail[:_LONGEST_DETAIL]),
        )
    }
    return Record(letter_id.encode(), None, [(name, t.encode()) for name, t in headers.items()])
