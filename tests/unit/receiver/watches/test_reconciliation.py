"""A reconciliation seen from outside: when it is done, held up, or not taken up at all."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition

from handlers.provider import RECONCILIATION, Watch
from receiver.kafka.clients import Record
from receiver.polling.entry import WatchEntry
from receiver.shards.table import InputPosition
from receiver.watches.reconciliation import Reconciliation, wait
from receiver.watches.registration import Registrar
from tests.unit.receiver.polling.virtual import virtual

WINDOWS = [Watch("shop", RECONCILIATION, f"invoices/{name}") for name in ("a", "b")]
PARTITION = 3
OFFSET = 7
"""Where the last request is."""

PATIENCE = 30.0


class Requests(Registrar):
    """Takes requests, and puts each behind the one before."""

    def __init__(self) -> None:
        self.started: list[Watch] = []

    async def start(self, watch: Watch, since: object = None) -> tuple[int, int]:
        """Take a request."""
        assert since is None
        self.started.append(watch)
        return PARTITION, OFFSET - len(WINDOWS) + len(self.started)


@dataclass
class Watchlist:
    """A watchlist's records as they come, each batch ``seconds`` after the one before."""

    batches: list[list[Record]]
    seconds: float = 10.0
    partition: int = PARTITION
    read: int = field(default=0)

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[Any]]:
        """Return the next batch; nothing when all is read."""
        assert max_records
        if self.read == len(self.batches):
            await asyncio.sleep(timeout_ms / 1000)
            return {}
        await asyncio.sleep(self.seconds)
        self.read += 1
        return {TopicPartition("watchlist", self.partition): self.batches[self.read - 1]}


CUT = Record(b"", None)
"""The end of a batch that a fetch cut in the middle of a transaction."""


def _ended(batch: list[Record]) -> list[Record]:
    if batch[-1] is CUT:
        return batch[:-1]
    return batch if batch[-1].key == position(0).key else [*batch, position(OFFSET + 1)]


def position(offset: int) -> Record:
    """Return the record that says how far the requests were handled."""
    return InputPosition(offset, 4, 4).record()


def entry(window: Watch, more: str = "", error: str | None = None) -> Record:
    """Return the record of a window, or of a later part of it."""
    watch = Watch(window.account, window.kind, window.id + more)
    visited = None if error is None else 1.0
    held = WatchEntry(0.0, 0.0, last_polled_at=visited, error=error)
    return Record(watch.key.encode(), held.encode())


def over(window: Watch, more: str = "") -> Record:
    """Return the record that a window, or a later part of it, is read."""
    return Record(entry(window, more).key, None)


async def waited(
    *batches: list[Record], partition: int = PARTITION
) -> tuple[bool, Any, list[tuple[int, int]]]:
    """Ask, and wait; return whether it is done, what is left, and each progress told.

    A batch ends as a transaction does, with a position, unless it ends in :data:`CUT`.
    """
    batches = tuple(_ended(batch) for batch in batches)
    asked, told = Reconciliation("shop", WINDOWS), list[tuple[int, int]]()
    await asked.ask(Requests())
    done = await wait(
        asked,
        Watchlist([*batches], partition=partition),
        patience=PATIENCE,
        tell=lambda: told.append(asked.progress),
    )
    return done, asked.left, told


@virtual
async def test_it_is_done_when_nothing_is_left() -> None:
    """Each window that is gone is told, and the last one's end is the end."""
    one, two = WINDOWS
    done, left, told = await waited(
        [entry(one), entry(two), position(OFFSET + 1)], [over(one)], [over(two)]
    )
    assert (done, left, told) == (True, {}, [(1, 2), (2, 2)])


@virtual
async def test_what_was_never_seen_is_not_done() -> None:
    """A window that is not in the watchlist yet is not read, whatever an earlier run left there."""
    one, two = WINDOWS
    done, _, told = await waited(
        [entry(one), over(one), position(OFFSET)],
        [entry(two), position(OFFSET + 1)],
        [over(two), position(OFFSET + 1)],
    )
    assert (done, told) == (True, [(1, 2), (2, 2)])


@virtual
async def test_a_window_is_read_when_its_last_part_is() -> None:
    """A long window goes on under names that begin with its own; another window's may not."""
    one, two = WINDOWS
    other = Watch(one.account, one.kind, one.id + "-other")
    done, _, told = await waited(
        [entry(one), over(two), entry(other), position(OFFSET + 1)],
        [over(one), entry(one, "/5")],
        [over(one, "/5")],
    )
    assert (done, told) == (True, [(1, 2), (2, 3), (3, 3)])


@virtual
async def test_parts_of_an_earlier_run_are_not_counted() -> None:
    """What the same window was cut into before it was asked for this time is nobody's progress."""
    one, two = WINDOWS
    done, _, told = await waited(
        [entry(one, "/a"), over(one, "/a"), entry(one), entry(two), position(OFFSET)],
        [entry(two, "/b"), position(OFFSET + 1)],
        [over(one), over(two), over(two, "/b")],
    )
    assert (done, told) == (True, [(0, 3), (3, 3)])


@virtual
async def test_a_part_and_the_next_are_one_change() -> None:
    """A fetch that ends between the end of one and the beginning of the other is no end."""
    one, two = WINDOWS
    done, _, told = await waited(
        [entry(one), entry(two), position(OFFSET + 1)],
        [over(one), over(two), CUT],
        [entry(two, "/5"), position(OFFSET + 1)],
        [over(two, "/5")],
    )
    assert (done, told) == (True, [(2, 3), (3, 3)])


@virtual
async def test_a_window_that_cannot_be_read_is_named_after_a_while() -> None:
    """Nothing finished while the patience lasts, and an error: it gives up and says why."""
    one, two = WINDOWS
    done, left, _ = await waited(
        [entry(one), entry(two), position(OFFSET + 1)], [entry(one, error="Invalid key")]
    )
    assert not done
    assert left == {one.key: "Invalid key", two.key: None}


@virtual
async def test_an_account_that_rests_is_known_by_its_other_watches() -> None:
    """After a refusal nothing of the account is visited: the last visit of any watch tells it."""
    one, two = WINDOWS
    earlier = Watch("shop", "look-up", "invoice")
    other = Watch("another", "look-up", "invoice")
    waiting = [entry(one), entry(two), position(OFFSET + 1)]
    assert not (await waited([entry(earlier, error="Invalid key"), *waiting]))[0]
    over_soon = [over(one), over(two)]
    for harmless in (entry(other, error="500"), entry(earlier)):
        assert (await waited([harmless, *waiting], *[waiting] * 10, over_soon))[0]


@virtual
async def test_a_slow_provider_is_waited_for() -> None:
    """Without an error there is no end to patience: a budget of calls may take hours."""
    one, two = WINDOWS
    nothing = [[position(OFFSET + 1)]] * 100
    done, _, _ = await waited(
        [entry(one), entry(two), position(OFFSET + 1)], *nothing, [over(one), over(two)]
    )
    assert done


@virtual
async def test_an_error_that_passes_is_waited_for() -> None:
    """What is read in time after it failed is read."""
    one, two = WINDOWS
    done, _, _ = await waited(
        [entry(one, error="503"), over(two), position(OFFSET + 1)], [entry(one)], [over(one)]
    )
    assert done


@virtual
async def test_nobody_takes_it_up() -> None:
    """Without a poller all windows are left, and none has an error."""
    done, left, _ = await waited([position(OFFSET)])
    assert (done, left) == (False, dict.fromkeys([watch.key for watch in WINDOWS]))


@virtual
async def test_another_partition_says_nothing() -> None:
    """Each partition of the watchlist has a position of its own."""
    done, _, _ = await waited([position(OFFSET + 100)], partition=PARTITION + 1)
    assert not done
