"""What is known of one account, read from the watchlist: for people, wherever they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from handlers.provider import RECONCILIATION, Watch
from receiver.care.known import Care
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import Row, read_snapshot
from receiver.polling.entry import WatchEntry
from receiver.polling.standing import Standing, standing_key
from receiver.polling.watchlist import is_note, parse_key
from receiver.registration.registered import REGISTRATION, Registered
from receiver.registration.vitals import Vitals, vitals_key
from receiver.watches.requests import partition_key

Note: TypeAlias = Vitals | Standing


@dataclass(frozen=True, slots=True)
class SeenWatch:
    """A watch as its entry tells of it, without what it has seen. Times: seconds since 1970."""

    kind: str
    state: str
    last_polled_at: float | None
    next_poll_at: float
    error: str | None
    memory: bytes = b""

    @classmethod
    def of(cls, kind: str, entry: WatchEntry) -> "SeenWatch":
        """Return what an entry tells; only that of the registration keeps its memory."""
        memory = entry.memory if kind == REGISTRATION else b""
        return cls(kind, entry.state, entry.last_polled_at, entry.next_poll_at, entry.error, memory)


@dataclass(frozen=True, slots=True)
class AccountRecords:
    """What the watchlist holds of one account; ``watches`` by key."""

    care: Care = field(default_factory=Care)
    watches: Mapping[str, SeenWatch] = field(default_factory=dict)


async def read_account(clients: Clients, topic: str, account: str) -> AccountRecords:
    """Return what the watchlist ``topic`` holds of an account, read in one pass.

    Raises:
        SnapshotFailed: the watchlist cannot be read.
    """

    def view(row: Row) -> SeenWatch | Note | None:
        return seen(row, account)

    rows: dict[bytes, SeenWatch | Note] = await read_snapshot(
        clients, topic, view, partition_key=partition_key(account)
    )
    return gathered(account, {key.decode(): what for key, what in rows.items()})


def gathered(account: str, found: Mapping[str, SeenWatch | Note]) -> AccountRecords:
    """Return the records of an account from what its keys hold."""
    watches = {key: what for key, what in found.items() if isinstance(what, SeenWatch)}
    guard = watches.get(registration_key(account))
    vitals, standing = found.get(vitals_key(account)), found.get(standing_key(account))
    care = Care(
        Registered() if guard is None else Registered.decode(guard.memory),
        vitals if isinstance(vitals, Vitals) else Vitals(),
        standing if isinstance(standing, Standing) else Standing(),
        windows_read_at(watches.values()),
    )
    return AccountRecords(care, watches)


def registration_key(account: str) -> str:
    """Return the key of the watch that looks after an account's subscriptions."""
    return Watch(account, REGISTRATION, "").key


def windows_read_at(watches: Iterable[SeenWatch]) -> float | None:
    """Return when a listing was last read for what no webhook told, None if that never was."""
    windows = (watch for watch in watches if watch.kind == RECONCILIATION)
    read = [watch.last_polled_at for watch in windows if watch.last_polled_at is not None]
    return max(read, default=None)


def seen(row: Row, account: str) -> SeenWatch | Note | None:
    """Return what a record tells of the account, None where it is another's, or is none."""
    key = row.key.decode(errors="replace")
    if not key.startswith(f"{account}/"):
        return None
    try:
        if key == vitals_key(account):
            return Vitals.decode(row.value)
        if key == standing_key(account):
            return Standing.decode(row.value)
        if is_note(key):
            return None
        return SeenWatch.of(parse_key(key).kind, WatchEntry.decode(row.value))
    except (ValueError, msgspec.MsgspecError):
        return None
