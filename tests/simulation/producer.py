"""A simulated aiokafka producer: its own state machine, and what it does behind one's back.

Its sender keeps asking until it is answered, whoever still waits: so requests repeat, and arrive
after their caller has given up. It has the private parts that ``discard_producer`` uses.
"""

import asyncio
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    ProducerClosed,
    ProducerFenced,
)
from aiokafka.protocol.transaction import EndTxnRequest

from tests.simulation.log import Producer
from tests.simulation.network import Site
from tests.simulation.sending import Batch, ProducerClient, settle


class SimulatedProducer:
    """What the real code uses of ``AIOKafkaProducer``, with or without transactions."""

    def __init__(
        self,
        site: Site,
        *,
        transactional_id: str | None = None,
        transaction_timeout_ms: int = 60_000,
        request_timeout_ms: int = 40_000,
        retry_backoff_ms: int = 100,
        **_: Any,
    ) -> None:
        self.transactional_id = transactional_id
        self.client = ProducerClient(site, request_timeout_ms / 1000, retry_backoff_ms / 1000)
        self._site = site
        self._transaction_timeout = transaction_timeout_ms / 1000
        self._patience = request_timeout_ms / 1000
        self._closed = False
        self._txn_manager = None
        self._sender: Any = SimpleNamespace(sender_task=None)
        self._message_accumulator: Any = SimpleNamespace(
            _closed=False,
            _exception=None,
            _batches={},
            _pending_batches=set(),
            _append_batch=self._queue,
        )
        self._queues: dict[TopicPartition, list[Batch]] = self._message_accumulator._batches
        self._in_flight: set[Batch] = self._message_accumulator._pending_batches
        self._sequences: dict[TopicPartition, int] = {}
        self._added: set[TopicPartition] = set()
        self._identity: Producer = (-1, -1)
        self._in_transaction = False
        self._ending: tuple[bool, asyncio.Future[None]] | None = None
        self._fatal: KafkaError | None = None
        self._wake = asyncio.Event()
        self._batches = 0

    async def start(self) -> None:
        """Reach the cluster, and fence earlier producers of the same transactional id.

        Raises:
            KafkaError: the cluster cannot be reached; once it is, this goes on for ever.
        """
        site = self._site
        await site.network.ask(site.process, "bootstrap", lambda: None, patience=self._patience)
        name = self.transactional_id
        if name is not None:
            self._identity = await self.client.insist(
                "init",
                lambda: site.cluster.transactions.initialise(name, self._transaction_timeout),
                name,
            )
        self._sender.sender_task = asyncio.create_task(self._send(), name="sender")

    async def partitions_for(self, topic: str) -> set[int]:
        """Return a topic's partitions."""
        site = self._site
        found = await site.network.ask(
            site.process,
            "metadata",
            lambda: site.cluster.partitions_of(topic),
            patience=self._patience,
            about=topic,
        )
        return {partition.partition for partition in found}

    async def begin_transaction(self) -> None:
        """Begin; nothing is sent yet."""
        self._check()
        if self._in_transaction:
            raise AssertionError("a transaction is under way")
        self._in_transaction = True

    def create_batch(self) -> Batch:
        """Return an empty batch."""
        self._batches += 1
        return Batch(self._batches)

    async def send_batch(
        self, batch: Batch, topic: str, *, partition: int
    ) -> "asyncio.Future[Any]":
        """Queue a batch, and return what has the first record's ``offset`` when it is written.

        Without transactions it may be written even twice, also where it fails.
        """
        self._check()
        if self.transactional_id is not None and not self._in_transaction:
            raise AssertionError("no transaction is under way")
        return asyncio.shield(self._queue(batch, TopicPartition(topic, partition)).future)

    async def commit_transaction(self) -> None:
        """Commit what was sent, also where some of it failed."""
        await self._end(commit=True)

    async def abort_transaction(self) -> None:
        """Abort."""
        await self._end(commit=False)

    def _queue(self, batch: Batch, at: TopicPartition) -> Batch:
        batch.sequence = self._sequences.get(at, 0)
        self._sequences[at] = batch.sequence + len(batch.payloads)
        self._queues.setdefault(at, []).append(batch)
        self._wake.set()
        return batch

    def _check(self) -> None:
        if self._closed:
            raise ProducerClosed
        if self._fatal is not None:
            raise self._fatal

    async def _end(self, *, commit: bool) -> None:
        self._check()
        if not self._in_transaction or self._ending is not None:
            raise AssertionError("no transaction is under way, or it is ending")
        self._ending = commit, asyncio.get_running_loop().create_future()
        self._wake.set()
        await asyncio.shield(self._ending[1])

    async def _send(self) -> None:
        """Be the sender: add partitions, produce to all of them at once, then end."""
        under_way: dict[TopicPartition, asyncio.Task[None]] = {}
        try:
            while True:
                await self._add_partitions()
                for partition, queue in self._queues.items():
                    if queue and partition not in under_way:
                        batch = queue.pop(0)
                        batch.sent = True
                        self._in_flight.add(batch)
                        under_way[partition] = asyncio.create_task(self._produce(partition, batch))
                if not under_way:
                    await self._end_transaction()
                await self._wake.wait()
                self._wake.clear()
                for partition in [at for at, task in under_way.items() if task.done()]:
                    under_way.pop(partition).result()
        except (InvalidProducerEpoch, ProducerFenced):
            self._fail(ProducerFenced())
        except KafkaError as error:
            self._fail(error)
        finally:
            for task in under_way.values():
                task.cancel()

    async def _add_partitions(self) -> None:
        new = [p for p, queue in self._queues.items() if queue and p not in self._added]
        if self.transactional_id is None or not new:
            return
        transactions = self._site.cluster.transactions
        await self.client.insist(
            "add-partitions", lambda: transactions.add_partitions(self._identity, new), _names(new)
        )
        self._added |= set(new)

    async def _produce(self, partition: TopicPartition, batch: Batch) -> None:
        transactions, log = self._site.cluster.transactions, self._site.cluster.log

        def write() -> int:
            if self.transactional_id is None:
                return log(partition).append(batch.payloads)
            transactions.produce(self._identity, partition, batch.sequence, batch.payloads)
            return 0

        transactional = self.transactional_id is not None
        # A refusal that no retry mends: the batch is lost, and the transaction goes on without it.
        refusal = MessageSizeTooLargeError if transactional else NotEnoughReplicasError
        limit = None if transactional else self._patience
        try:
            offset = await self.client.insist(
                "produce", write, _names([partition]), refusal=refusal, limit=limit
            )
        except (InvalidProducerEpoch, ProducerFenced) as error:
            settle(batch.future, ProducerFenced())
            raise ProducerFenced from error
        except KafkaError as error:
            settle(batch.future, error)
        else:
            settle(batch.future, SimpleNamespace(offset=offset))
        finally:
            self._in_flight.discard(batch)
            self._wake.set()

    async def _end_transaction(self) -> None:
        if self._ending is None or any(self._queues.values()):
            return
        commit, done = self._ending
        transactions = self._site.cluster.transactions
        if self._added:
            try:
                await self.client.insist(
                    "commit" if commit else "abort",
                    lambda: transactions.end(self._identity, commit=commit),
                    request=EndTxnRequest(self.transactional_id or "", *self._identity, commit),
                )
            except (InvalidProducerEpoch, ProducerFenced):
                raise
            except KafkaError as error:
                settle(done, error)
                raise
        self._ending, self._in_transaction = None, False
        self._added.clear()
        settle(done, None)

    def _fail(self, error: KafkaError) -> None:
        self._fatal = self._message_accumulator._exception = error
        queued = [batch for queue in self._queues.values() for batch in queue]
        for batch in [*queued, *self._in_flight]:
            settle(batch.future, error)
        if self._ending is not None:
            settle(self._ending[1], error)


def _names(partitions: list[TopicPartition]) -> str:
    return " ".join(f"{partition.topic}/{partition.partition}" for partition in partitions)
