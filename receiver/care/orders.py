"""Orders: having the one poller that has an account do something at its provider, and waiting.

Only that poller has the account's token and its budget of calls, so that nobody else calls.
"""

import asyncio
from collections.abc import Callable
from math import inf
from secrets import token_hex

from aiokafka import AIOKafkaConsumer

from receiver.care.reading import registration_key
from receiver.kafka.appender import Appender
from receiver.kafka.snapshot import OF_THE_TABLE
from receiver.polling.entry import WatchEntry
from receiver.polling.standing import Standing, standing_key
from receiver.registration.registered import Done, Made, Registered
from receiver.registration.signs import Order
from receiver.registration.vitals import Vitals, vitals_key
from receiver.shards.table import Table
from receiver.watches.requests import partition_key, to_record

TAKEN_UP_WITHIN = 30.0
"""Seconds within which a poller that runs has taken an order up, a takeover among them."""

_STOPPED_FOR = 10.0
"""Seconds that a stop may take to end: whoever mended the credentials has just restarted."""

_ID_BYTES = 8
_BATCH = 1_000
_WAIT_MS = 500


def new_order(
    account: str,
    what: str,
    now: float,
    *,
    take_over: bool = False,
    recreate: bool = False,
    topics: tuple[str, ...] = (),
) -> Order:
    """Return an order under an id that no other has; ``now`` is in seconds since 1970."""
    return Order(account, token_hex(_ID_BYTES), what, now, take_over, recreate, topics)


class PlacedOrder:
    """An order, as the records of the watchlist tell of what becomes of it."""

    def __init__(self, order: Order) -> None:
        self.order = order
        account = order.account
        keys = registration_key(account), vitals_key(account), standing_key(account)
        self._told_by = {key.encode() for key in keys}
        self._table = Table()
        self._at: tuple[int, int] | None = None

    async def place(self, appender: Appender, topic: str) -> None:
        """Have the poller of the account told, through its requests' ``topic``.

        Raises:
            NotDurable: the order is not in Kafka.
        """
        record = to_record(self.order)
        self._at = await appender.append(
            topic,
            record.key,
            record.value or b"",
            partition_key=partition_key(self.order.account),
        )

    @property
    def partition(self) -> int | None:
        """Return the partition of the watchlist that tells of it, None before it was placed."""
        return None if self._at is None else self._at[0]

    def take(self, key: bytes, value: bytes | None) -> None:
        """Take one record of that partition into account."""
        if key in self._told_by or key.startswith(OF_THE_TABLE):
            self._table.apply(key, value)

    @property
    def is_taken_up(self) -> bool:
        """Return whether a poller has seen the order."""
        position = self._table.position
        return self._at is not None and position is not None and position.offset > self._at[1]

    @property
    def done(self) -> Done | None:
        """Return what became of it, None as long as it is not done."""
        return next((done for done in self.registered.done if done.order == self.order.id), None)

    @property
    def registered(self) -> Registered:
        """Return what is known of the account's subscriptions."""
        entry = self._guard
        return Registered() if entry is None else Registered.decode(entry.memory)

    @property
    def made(self) -> tuple[Made, ...]:
        """Return the steps that were made since it was given."""
        return tuple(made for made in self.registered.made if made.at >= self.order.asked_at)

    @property
    def vitals(self) -> Vitals:
        """Return what the signs of the account's webhooks add up to."""
        return Vitals.decode(self._value(vitals_key(self.order.account)))

    @property
    def standing(self) -> Standing:
        """Return the account's standing with its provider."""
        return Standing.decode(self._value(standing_key(self.order.account)))

    @property
    def trouble(self) -> str | None:
        """Return what stands in the way, None if nothing is known to."""
        stop = self.standing.stop
        if stop is not None:
            return f"the calls of the account are stopped: {stop.why}"
        entry = self._guard
        return "nobody looks after its registration" if entry is None else entry.error

    @property
    def progress(self) -> object:
        """Return what differs whenever something was done for it."""
        registered = self.registered
        return self.is_taken_up, registered.listed_at, registered.made

    @property
    def _guard(self) -> WatchEntry | None:
        value = self._value(registration_key(self.order.account))
        return None if value is None else WatchEntry.decode(value)

    def _value(self, key: str) -> bytes | None:
        return self._table.entries.get(key.encode())


async def wait(
    placed: PlacedOrder,
    records: AIOKafkaConsumer,
    *,
    patience: float,
    tell: Callable[[], None],
) -> Done | None:
    """Follow ``records``, the watchlist from its beginning, until the order is done.

    Returns None once nothing was done for it for ``patience`` seconds, or for a shorter time where
    nobody took it up or the account's calls are stopped. ``tell`` is called whenever something was.

    Raises:
        KafkaError: the watchlist cannot be read.
    """
    now = asyncio.get_running_loop().time
    progress, since = placed.progress, now()
    while (done := placed.done) is None:
        fetched = await records.getmany(timeout_ms=_WAIT_MS, max_records=_BATCH)
        for partition, found in fetched.items():
            if partition.partition == placed.partition:
                for record in found:
                    placed.take(record.key or b"", record.value)
        before, progress = progress, placed.progress
        if progress != before:
            since = now()
            tell()
        if now() - since > min(patience, _limit(placed)):
            return placed.done
    return done


def _limit(placed: PlacedOrder) -> float:
    if not placed.is_taken_up:
        return TAKEN_UP_WITHIN
    return inf if placed.standing.stop is None else _STOPPED_FOR
