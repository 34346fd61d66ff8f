"""The watches as people see them, read from the watchlist topic."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import msgspec

from handlers.clock import rfc3339
from handlers.provider import Watch
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import Row, read_snapshot
from receiver.polling.entry import ACTIVE, WatchEntry
from receiver.polling.watchlist import is_note, parse_key
from receiver.watches.requests import LOOK_UP, partition_key


@dataclass(frozen=True, slots=True)
class ListedWatch:
    """One watch; ``status`` is the provider's word, the times are RFC 3339."""

    key: str
    account: str
    kind: str
    id: str
    status: str | None
    state: str
    last_polled_at: str | None
    next_poll_at: str | None
    error: str | None

    def as_json(self) -> dict[str, str | None]:
        """Return the watch as ``/v1/watches`` shows it."""
        return asdict(self)


async def list_watches(
    clients: Clients, topic: str, account: str | None = None
) -> list[ListedWatch]:
    """Return the watches, or those of one account, by key; look-ups are no concern of people.

    Raises:
        SnapshotFailed: the watchlist cannot be read.
    """
    of_account = None if account is None else partition_key(account)
    rows = await read_snapshot(clients, topic, _listed, partition_key=of_account)
    wanted = (watch for watch in rows.values() if account is None or watch.account == account)
    return sorted(wanted, key=lambda watch: watch.key)


async def is_listed(clients: Clients, topic: str, watch: Watch) -> bool:
    """Tell whether the watch is there, active or ended.

    Raises:
        SnapshotFailed: the watchlist cannot be read.
    """
    rows = await read_snapshot(
        clients, topic, lambda row: row.key, partition_key=partition_key(watch.account)
    )
    return watch.key.encode() in rows


def _listed(row: Row) -> ListedWatch | None:
    key = row.key.decode(errors="replace")
    try:
        if is_note(key):
            return None
        watch, entry = parse_key(key), WatchEntry.decode(row.value)
    except (ValueError, msgspec.MsgspecError):
        return None
    if watch.kind == LOOK_UP:
        return None
    return ListedWatch(
        key=key,
        account=watch.account,
        kind=watch.kind,
        id=watch.id,
        status=entry.status,
        state=entry.state,
        last_polled_at=_time(entry.last_polled_at),
        next_poll_at=_time(entry.next_poll_at) if entry.state == ACTIVE else None,
        error=entry.error,
    )


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else rfc3339(datetime.fromtimestamp(seconds, UTC))
