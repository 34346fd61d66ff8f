"""The watchlist of a shard: its entries as they will be after the next commit."""

import asyncio
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from handlers.provider import RECONCILIATION, Discovery, Ending, Watch
from receiver.inbox import MOST_BYTES
from receiver.observability.alarms import Alarms
from receiver.polling.entry import ACTIVE, Timing, WatchEntry
from receiver.polling.schedule import Schedule
from receiver.polling.stalled import StalledWatches
from receiver.registration.signs import ACCOUNT
from receiver.shards.open_shard import OpenShard
from receiver.shards.session import Batches
from receiver.watches.requests import LookUp, Original

_MOST_ORIGINALS = 100
_APART = 0.001
"""Seconds between watches that are hastened together: enough to keep their order."""

_RESTORED_AT_ONCE = 2_000
"""How many watches hold up everything else that the process does: a few milliseconds."""


def parse_key(key: str) -> Watch:
    """Return the watch that ``key`` names."""
    account, kind, encoded = key.split("/", 2)
    return Watch(account, kind, unquote(encoded))


def account_of(key: str) -> str:
    """Return the account of the watch that ``key`` names."""
    return key[: key.index("/")]


def kind_of(key: str) -> str:
    """Return the kind of the watch that ``key`` names."""
    return key.split("/", 2)[1]


def is_note(key: str) -> bool:
    """Tell whether what is kept under ``key`` is no watch, but something known of its account."""
    return kind_of(key) == ACCOUNT


class Watchlist:
    """Entries with changes not yet committed, the schedule that follows, and the stalled ones."""

    def __init__(self, shard: OpenShard, alarms: Alarms) -> None:
        self.schedule = Schedule(self._due)
        self.stalled = StalledWatches(alarms)
        self._shard = shard
        self._changes: dict[bytes, bytes | None] = {}
        self.is_pressing = False
        """Whether any of the changes should not wait for others to be committed with."""
        self._hastened: dict[str, float] = {}
        self._postponed: dict[bytes, float] = {}
        """When those watches are due whose records say otherwise."""
        self.reconciled_at: dict[str, float] = {}
        """When a part of each account's reconciliation was last visited, by account."""

    async def restore(self, now: float) -> None:
        """Schedule all watches of the shard, letting others go on meanwhile."""
        for number, (raw_key, value) in enumerate(self._shard.entries.items()):
            if number % _RESTORED_AT_ONCE == 0:
                await asyncio.sleep(0)
            key = raw_key.decode()
            if is_note(key):
                continue
            entry = WatchEntry.decode(value)
            self._note_reconciliation(key, entry)
            due = entry.due_at(now)
            if due != entry.next_poll_at:
                self._postponed[raw_key] = due
            self._follow(raw_key, key, entry)

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to commit."""
        return bool(self._changes)

    def take_due(self, now: float) -> str | None:
        """Take a watch that is due; None if there is none."""
        raw_key = self.schedule.take_due(now)
        return None if raw_key is None else raw_key.decode()

    def get(self, key: str) -> WatchEntry | None:
        """Return the watch, None if there is none."""
        raw = self._raw(key.encode())
        return None if raw is None else WatchEntry.decode(raw)

    def begin(self, key: str) -> WatchEntry | None:
        """Return the watch for a visit that begins; what hastened it has come to its aim."""
        self._hastened.pop(key, None)
        self._postponed.pop(key.encode(), None)
        return self.get(key)

    def rank(self, key: str) -> float:
        """Return the pace of a part of a reconciliation; 0.0 if it was never visited, or is none.

        Where many wait for the account's calls it is for the order in which they go.
        """
        entry = self.get(key) if kind_of(key) == RECONCILIATION else None
        return 0.0 if entry is None or entry.last_polled_at is None else entry.pace

    def put(self, key: str, entry: WatchEntry | None, *, quietly: bool = False) -> None:
        """Set the watch, or remove it with None; ``quietly`` if that can wait to be committed."""
        if entry is not None or self.get(key) is not None:
            raw_key = key.encode()
            self._changes[raw_key] = None if entry is None else entry.encode()
            self.is_pressing |= not quietly
            self._postponed.pop(raw_key, None)
            self._follow(raw_key, key, entry)

    def note(self, key: str) -> bytes | None:
        """Return what is kept under ``key``, a watch or not, as it was set; None if nothing is."""
        return self._raw(key.encode())

    def set_note(self, key: str, note: bytes) -> None:
        """Keep something that is no watch under ``key``, of the kind ``ACCOUNT``."""
        if self.note(key) != note:
            self._changes[key.encode()] = note
            self.is_pressing = True

    async def commit(self, offset: int | None, *, outputs: Batches | None = None) -> None:
        """Commit what changed, ``outputs``, and how far the requests were handled.

        Nothing may be read or set meanwhile.

        Raises:
            SessionLost: the shard must be started again.
        """
        changes, self._changes = self._changes, {}
        self.is_pressing = False
        await self._shard.commit(changes, outputs=outputs, offset=offset)

    def start(self, key: str, now: float, since: float | None = None) -> None:
        """Start a watch that is not there, or has ended; ``since`` is when it really began."""
        known = self.get(key)
        if known is None or known.state != ACTIVE:
            began = now if since is None else min(now, since)
            self.put(key, WatchEntry(created_at=began, next_poll_at=now))

    def start_look_up(self, request: LookUp, now: float) -> Original | None:
        """Start a look-up, or add the observation to the one that asks the same already.

        An observation that it has no room for is returned.
        """
        key = request.watch.key
        known = self.get(key)
        if known is None:
            entry = WatchEntry(now, now, claim=request.claim, originals=(request.original,))
            self.put(key, entry)
        elif not any(request.original.repeats(other) for other in known.originals):
            originals = (*known.originals, request.original)
            if not _fit(originals):
                return request.original
            self.put(key, msgspec.structs.replace(known, originals=originals))
        return None

    def discover(self, discovery: Discovery, now: float) -> None:
        """Start a watch that another one found, or set its pace."""
        key = discovery.watch.key
        known = self.get(key)
        if known is None:
            self.put(key, WatchEntry(created_at=now, next_poll_at=now, pace=discovery.pace))
        elif known.pace != discovery.pace and known.state == ACTIVE:
            self.put(key, msgspec.structs.replace(known, pace=discovery.pace))

    def finish(
        self, key: str, visited: WatchEntry, after: WatchEntry | None, *, quietly: bool = False
    ) -> None:
        """Take a visit's result, but for what was stopped or added while it was under way.

        ``quietly`` if it shows nothing new.
        """
        known = self.get(key)
        if after is not None:
            self._note_reconciliation(key, after)
        hastened = self._hastened.pop(key, None)
        if hastened is not None and after is not None:
            # What the visit saw is older than the reason to look now.
            due = min(after.next_poll_at, hastened)
            after = msgspec.structs.replace(after, next_poll_at=due)
        if known is not None and known.created_at == visited.created_at:
            added = known.originals[len(visited.originals) :]
            if not added:
                self.put(key, after, quietly=quietly)
            elif after is None:
                self.put(key, msgspec.structs.replace(known, originals=added, status=None))
            else:
                self.put(key, msgspec.structs.replace(after, originals=known.originals))
        self.schedule.put_back(key.encode())

    def postpone(self, key: str, at: float | None = None) -> None:
        """Have a watch that was taken due again ``at``, or when its entry says; if it still is."""
        raw_key = key.encode()
        self._hastened.pop(key, None)
        self._postponed.pop(raw_key, None)
        if at is not None and self._raw(raw_key) is not None:
            self._postponed[raw_key] = at
        self.schedule.put_back(raw_key)

    def of_kind(self, account: str, kind: str) -> Iterator[tuple[str, WatchEntry]]:
        """Yield an account's watches of a kind that have not ended; it costs a walk over all."""
        for raw_key in {*self._shard.entries, *self._changes}:
            key = raw_key.decode()
            if key.startswith(f"{account}/{kind}/"):
                entry = self.get(key)
                if entry is not None and entry.state == ACTIVE:
                    yield key, entry

    def hasten(self, account: str, kind: str, now: float) -> None:
        """Have all watches of a kind due at ``now``, those first that are looked at most often.

        One that is being visited is visited again.
        """
        found = sorted(self.of_kind(account, kind), key=lambda each: (each[1].pace, each[0]))
        for order, (key, _) in enumerate(found):
            self.hasten_one(key, now + order * _APART)

    def hasten_one(self, key: str, at: float) -> None:
        """Have a watch due ``at``, if it was due later; one that is being visited, once more."""
        entry = self.get(key)
        if entry is None or entry.state != ACTIVE:
            return
        due = min(entry.next_poll_at, at)
        if due != entry.next_poll_at:
            self.put(key, msgspec.structs.replace(entry, next_poll_at=due))
        if self.schedule.is_taken(key.encode()):
            self._hastened[key] = due

    def is_failing(self, key: str) -> bool:
        """Tell whether a watch rests because its last visit failed."""
        entry = self.get(key)
        return entry is not None and entry.failures > 0

    def _due(self, raw_key: bytes) -> float | None:
        """Return when a watch is due, None if it is not there or has ended."""
        raw = self._raw(raw_key)
        if raw is None:
            return None
        entry = Timing.decode(raw)
        if entry.state != ACTIVE:
            return None
        return self._postponed.get(raw_key, entry.next_poll_at)

    def _raw(self, raw_key: bytes) -> bytes | None:
        if raw_key in self._changes:
            return self._changes[raw_key]
        return self._shard.entries.get(raw_key)

    def _note_reconciliation(self, key: str, entry: WatchEntry) -> None:
        if kind_of(key) == RECONCILIATION and entry.last_polled_at is not None:
            account = account_of(key)
            before = self.reconciled_at.get(account, 0.0)
            self.reconciled_at[account] = max(before, entry.last_polled_at)

    def _follow(self, raw_key: bytes, key: str, entry: WatchEntry | None) -> None:
        """Schedule the watch, and keep its account's alarm true."""
        if entry is not None and entry.state == ACTIVE:
            self.schedule.put(raw_key, self._postponed.get(raw_key, entry.next_poll_at))
        stalled = entry is not None and entry.state == Ending.STALLED
        self.stalled.note(account_of(key), key, stalled=stalled)


def _fit(originals: tuple[Original, ...]) -> bool:
    """Tell whether a look-up with these fits into one Kafka record."""
    size = sum(len(original.body) for original in originals)
    return len(originals) <= _MOST_ORIGINALS and size <= MOST_BYTES
