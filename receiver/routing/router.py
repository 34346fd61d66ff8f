"""The router: what a shard does with inbox records, one transaction after another."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

from config.topics import Topics
from handlers.clock import Clock
from handlers.letters import Reason
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.routing.batch import Batch
from receiver.routing.expiry import Retention
from receiver.routing.handling import Handling
from receiver.routing.letters import Refusal
from receiver.routing.route import Route
from receiver.shards.open_shard import InputRecord, OpenShard
from receiver.shards.pacing import Pacing

CONTRADICTION = Reason.CONTRADICTS_LEDGER.value
"""The alarm has the name of the dead letter that it is about."""

MOST_RECORDS = 2_000
"""Records in one transaction unless it is set otherwise: a backlog goes in few of them."""

_WAIT = 5.0
_WAIT_WALKING = 0.05
"""Seconds between two steps of the walk over the ledger while no observation comes."""
_AT_A_STRETCH = 100
"""Records handled before others in this process have their turn: a few milliseconds."""


class Router:
    """Turns the inbox partition of a shard into events, until the shard ends.

    Transactions follow the load: one holds whatever has come by then, and small ones take turns.
    """

    def __init__(
        self,
        route: Route,
        topics: Topics,
        metrics: Metrics,
        alarms: Alarms,
        clock: Clock,
        *,
        batch: int = MOST_RECORDS,
        retention: Retention = Retention(),  # noqa: B008 - it is immutable
    ) -> None:
        self._route = route
        self._topics = topics
        self._metrics = metrics
        self._alarms = alarms
        self._clock = clock
        self._limit = batch
        self._retention = retention
        self._pacing = Pacing()
        self._backlogs = asyncio.Lock()

    async def work(self, shard: OpenShard) -> None:
        """Route until cancelled.

        Raises:
            SessionLost: the shard must be started again.
        """
        handling = Handling(
            self._route, self._topics, self._clock, self._retention, shard.partition
        )
        expiry, throttle = handling.expiry, handling.throttle
        loop = asyncio.get_running_loop()
        while True:
            wait = _WAIT_WALKING if expiry.is_walking else _WAIT
            records = await shard.fetch(wait=wait, limit=self._limit)
            # Records that others handed on are followed by markers: see OpenShard.reached.
            is_behind = shard.reached != shard.position.offset
            if records or is_behind or throttle.is_due(self._clock()):
                await self._transact(shard, records, handling)
                if not shard.has_backlog:
                    await asyncio.sleep(self._pacing.rest(loop.time()))
            forgotten = expiry.step(shard.entries)
            if forgotten:
                await shard.commit(dict.fromkeys(forgotten))

    async def _transact(
        self, shard: OpenShard, records: Sequence[InputRecord], handling: Handling
    ) -> None:
        batch = Batch(shard.entries)
        partitions = shard.position.input_partitions
        # One backlog after another: the half-made batches of many shards would fill the memory.
        async with self._backlogs if shard.has_backlog else nullcontext():
            for first in range(0, len(records), _AT_A_STRETCH):
                if first:
                    # They must not keep waiting whoever else is at work in this process.
                    await asyncio.sleep(0)
                handling.take(records[first : first + _AT_A_STRETCH], partitions, batch)
        handling.tell_what_is_due(batch)
        outputs = await batch.outputs(shard.partitions)
        await shard.commit(batch.changes, outputs=outputs, offset=shard.reached)
        self._metrics.routed.add(batch.tally, self._clock())
        for account, refusal in batch.tally.contradictions:
            self._tell_contradiction(account, refusal)

    def _tell_contradiction(self, account: str, refusal: Refusal) -> None:
        # It stays until the process ends: only a person can say that the books are right.
        self._alarms.sound(
            account,
            CONTRADICTION,
            why=f"{refusal.detail}: dead letter {refusal.letter_id}",
            remedy="compare with the provider, and correct your books by hand",
        )
