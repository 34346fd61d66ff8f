"""An order seen from outside: done, refused, held up, or not taken up at all."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from aiokafka import TopicPartition
from msgspec.structs import replace

from receiver.care.orders import TAKEN_UP_WITHIN, PlacedOrder, new_order, wait
from receiver.care.reading import registration_key
from receiver.kafka.appender import Appender
from receiver.kafka.clients import Record
from receiver.polling.entry import WatchEntry
from receiver.polling.standing import Standing, Stop, standing_key
from receiver.registration.registered import Done, Made, Registered
from receiver.registration.signs import Order
from receiver.shards.table import InputPosition
from receiver.watches.requests import from_value
from tests.unit.receiver.polling.virtual import virtual
from tests.unit.receiver.registration.shop import NOW, PROVEN

PARTITION = 3
OFFSET = 7
PATIENCE = 120.0
TAKEN_UP = InputPosition(OFFSET + 1, 4, 4).record()


@dataclass
class Requests:
    """Takes what is appended."""

    taken: list[tuple[str, bytes, bytes, bytes | None]] = field(default_factory=list)

    async def append(
        self, topic: str, key: bytes, value: bytes, *, partition_key: bytes | None = None
    ) -> tuple[int, int]:
        """Take a record."""
        self.taken.append((topic, key, value, partition_key))
        return PARTITION, OFFSET


@dataclass
class Watchlist:
    """A watchlist's records as they come, each batch ``seconds`` after the one before."""

    batches: list[list[Record]]
    seconds: float
    partition: int

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[Any]]:
        """Return the next batch; nothing when all is read."""
        assert max_records
        if not self.batches:
            await asyncio.sleep(timeout_ms / 1000)
            return {}
        await asyncio.sleep(self.seconds)
        return {TopicPartition("watchlist", self.partition): self.batches.pop(0)}


def guard(registered: Registered, account: str = "shop", error: str | None = None) -> Record:
    """Return the record of the watch that remembers what is registered."""
    entry = WatchEntry(0.0, 0.0, error=error, memory=registered.encode())
    return Record(registration_key(account).encode(), entry.encode())


def done(order: Order, problem: str | None = None) -> Registered:
    """Return what is registered once the order is done."""
    return replace(PROVEN, done=(Done(order.id, NOW + 9, ("a step",), problem),))


@dataclass
class Waited:
    """How a wait ended."""

    placed: PlacedOrder
    done: Done | None
    told: int
    seconds: float


async def waited(
    order: Order, *batches: list[Record], seconds: float = 1.0, partition: int = PARTITION
) -> Waited:
    """Place an order and wait for it, with virtual time."""
    placed, told = PlacedOrder(order), list[None]()
    await placed.place(cast("Appender", Requests()), "requests")
    clock = asyncio.get_running_loop().time
    began = clock()
    watchlist = Watchlist(list(batches), seconds, partition)
    found = await wait(placed, watchlist, patience=PATIENCE, tell=lambda: told.append(None))
    return Waited(placed, found, len(told), clock() - began)


def order() -> Order:
    """Return an order."""
    return new_order("shop", "ensure", NOW)


async def test_an_order_travels_to_the_shard_of_its_account() -> None:
    """Its record is that of a sign, and its partition that of the account's watches."""
    requests, given = Requests(), order()
    await PlacedOrder(given).place(cast("Appender", requests), "requests")
    [(topic, key, value, partition_key)] = requests.taken
    assert (topic, key, partition_key) == ("requests", b"shop/account/sign", b"shop")
    assert from_value(value) == (given,)


def test_two_orders_are_two() -> None:
    """The outcome is found by the order's id, so that no two have the same."""
    assert order().id != order().id


@virtual
async def test_it_is_done_when_its_outcome_is_there() -> None:
    """The outcome is that of this order; an earlier one's is none."""
    given = order()
    found = await waited(
        given, [guard(done(order())), TAKEN_UP], [guard(PROVEN)], [guard(done(given)), TAKEN_UP]
    )
    assert found.done == Done(given.id, NOW + 9, ("a step",))
    assert found.seconds == 3


@virtual
async def test_nobody_takes_it_up() -> None:
    """Without a poller it does not wait for as long as for one that works."""
    found = await waited(order(), [guard(PROVEN), InputPosition(OFFSET, 4, 4).record()])
    assert found.done is None
    assert not found.placed.is_taken_up
    assert TAKEN_UP_WITHIN < found.seconds < TAKEN_UP_WITHIN + 3 < PATIENCE


@virtual
async def test_another_partition_and_another_account_say_nothing() -> None:
    """Neither position nor outcome of others is taken for ours."""
    given = order()
    elsewhere = await waited(given, [guard(done(given)), TAKEN_UP], partition=PARTITION + 1)
    assert (elsewhere.done, elsewhere.placed.is_taken_up) == (None, False)
    others = await waited(given, [guard(done(given), "shop2"), TAKEN_UP])
    assert others.done is None
    assert others.placed.trouble == "nobody looks after its registration"


@virtual
async def test_each_step_is_waited_for_anew() -> None:
    """As long as something is done in time, the whole may take longer than the patience."""
    given = order()
    steps = [Made(NOW + index, f"step {index}") for index in range(5)]
    batches = [
        [guard(replace(PROVEN, made=tuple(steps[: index + 1]))), TAKEN_UP] for index in range(5)
    ]
    found = await waited(given, *batches, [guard(done(given))], seconds=PATIENCE - 1)
    assert found.done is not None
    assert found.told == len(steps) + 1


@virtual
async def test_what_stands_in_the_way_is_told() -> None:
    """A visit that failed leaves its error, which is why the order is not done."""
    found = await waited(order(), [guard(PROVEN, error="503 Service Unavailable"), TAKEN_UP])
    assert found.done is None
    assert found.placed.trouble == "503 Service Unavailable"
    assert found.seconds > PATIENCE


@virtual
async def test_stopped_calls_are_not_waited_for_long() -> None:
    """An invalid key stops the calls until a person mends it."""
    stopped = Standing(stop=Stop("0123", "Invalid key", NOW - 60)).encode()
    record = Record(standing_key("shop").encode(), stopped)
    found = await waited(order(), [guard(PROVEN), record, TAKEN_UP])
    assert found.done is None
    assert found.placed.trouble == "the calls of the account are stopped: Invalid key"
    assert found.seconds < TAKEN_UP_WITHIN


@virtual
async def test_only_steps_since_it_was_given_are_its() -> None:
    """What the guard did before of itself is not told as the order's doing."""
    made = (Made(NOW - 60, "before"), Made(NOW + 1, "since"))
    found = await waited(order(), [guard(replace(PROVEN, made=made)), TAKEN_UP])
    assert [one.told for one in found.placed.made] == ["since"]
