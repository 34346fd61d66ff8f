"""Watches as lines of a file, to be kept outside of Kafka and taken back in.

The first line says what the file is and how many watches follow; each other line is one watch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import msgspec

from handlers.clock import from_rfc3339, rfc3339
from handlers.jsontext import JsonObject, Unreadable, compact, parse_object
from handlers.provider import RECONCILIATION, Watch
from receiver.accounts.registry import Accounts
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import Row, read_snapshot
from receiver.polling.entry import ACTIVE, WatchEntry
from receiver.polling.watchlist import is_note, parse_key
from receiver.watches.registration import Malformed, UnknownAccount, requested_watch
from receiver.watches.requests import LOOK_UP, partition_key

VERSION = 1
"""The version of the file's form."""

_FORM = "payevents_watches"
_ONE_SHOT = frozenset({LOOK_UP, RECONCILIATION})


class NotAnExport(ValueError):
    """The file's first line is not that of an export; ``str()`` says what it should be."""


@dataclass(frozen=True, slots=True)
class KeptWatch:
    """A watch and when it began, which decides how often it is polled and when it is given up."""

    watch: Watch
    since: datetime | None


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line of the file, counted from 1, that cannot be taken; ``why`` is for people."""

    line: int
    why: str


async def kept_watches(
    clients: Clients, topic: str, accounts: Accounts, account: str | None = None
) -> list[KeptWatch]:
    """Return the active watches that somebody registered, by key.

    Left out is what comes back by itself: the watches that an account has from the beginning and
    those that they discover, look-ups, reconciliations. What has ended is left out too.

    Raises:
        SnapshotFailed: the watchlist cannot be read.
    """
    of_account = None if account is None else partition_key(account)
    rows = await read_snapshot(clients, topic, _kept, partition_key=of_account)
    kept = sorted(rows.values(), key=lambda kept: kept.watch.key)
    wanted = (each for each in kept if account is None or each.watch.account == account)
    return [each for each in wanted if _is_registered(accounts, each.watch)]


def to_lines(watches: Sequence[KeptWatch], now: datetime) -> Iterator[str]:
    """Yield the lines of the file, made at ``now``."""
    head: JsonObject = {_FORM: VERSION, "exported_at": rfc3339(now), "watches": len(watches)}
    yield compact(head).decode()
    for kept in watches:
        watch = kept.watch
        line: JsonObject = {"account": watch.account, "kind": watch.kind, "id": watch.id}
        if kept.since is not None:
            line["since"] = rfc3339(kept.since)
        yield compact(line).decode()


def from_lines(
    lines: Sequence[bytes], accounts: Accounts
) -> tuple[list[KeptWatch], list[RefusedLine]]:
    """Return the watches in the lines of a file, and the lines that cannot be taken.

    Raises:
        NotAnExport: the first line is not that of an export of this version.
    """
    stated = _stated(lines[0] if lines else b"")
    taken: list[KeptWatch] = []
    refused: list[RefusedLine] = []
    for number, line in zip(count(2), lines[1:], strict=False):
        try:
            taken.append(_taken(line, accounts))
        except (Malformed, UnknownAccount, ValueError) as error:
            refused.append(RefusedLine(number, str(error)))
    if len(lines) - 1 != stated:
        why = f"the file has {len(lines) - 1} watches and its first line says {stated}"
        refused.append(RefusedLine(1, why))
    return taken, refused


def _stated(head: bytes) -> int:
    try:
        said = parse_object(head)
    except Unreadable:
        said = {}
    version, watches = said.get(_FORM), said.get("watches")
    if version != VERSION or not isinstance(watches, int):
        raise NotAnExport(
            f'its first line is not {{"{_FORM}": {VERSION}, …}}: write it with'
            " 'payevents watches export'"
        )
    return watches


def _taken(line: bytes, accounts: Accounts) -> KeptWatch:
    wanted = parse_object(line)
    since = wanted.pop("since", None)
    if since is not None and not isinstance(since, str):
        raise Malformed('"since" must be a time as text')
    began = None if since is None else from_rfc3339(since)
    return KeptWatch(requested_watch(accounts, wanted), began)


def _is_registered(accounts: Accounts, watch: Watch) -> bool:
    """Tell whether only a registration brings the watch back; True if nobody can tell."""
    handler = accounts.get(watch.account)
    if handler is None:
        return True
    try:
        handler.watch(watch.kind, watch.id)
    except ValueError:
        return False
    return True


def _kept(row: Row) -> KeptWatch | None:
    try:
        if is_note(row.key.decode()):
            return None
        watch, entry = parse_key(row.key.decode()), WatchEntry.decode(row.value)
    except (ValueError, msgspec.MsgspecError):
        return None
    if watch.kind in _ONE_SHOT or entry.state != ACTIVE:
        return None
    return KeptWatch(watch, datetime.fromtimestamp(entry.created_at, UTC))
