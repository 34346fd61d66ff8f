"""A hold: a partition that nobody else commits to, from its mark to its finish."""

from collections.abc import Callable, Mapping

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from receiver.kafka.clients import Clients, Record
from receiver.kafka.reading import started_consumer
from receiver.shards.guards import check_empty, check_no_move
from receiver.shards.open_shard import own_table
from receiver.shards.repartition.plan import Pair, batches, moves, transactions
from receiver.shards.session import Session, SessionLost
from receiver.shards.table import InputPosition, Table


class Hold:
    """The session of one partition, and the position that it last committed.

    ``common`` is what the table had, when it was marked, of the keys that partitions share.
    """

    def __init__(self, clients: Clients, pair: Pair, partition: int) -> None:
        self.partition = partition
        self.common: Mapping[bytes, bytes] = {}
        self._clients = clients
        self._pair = pair
        self._session = Session(clients, pair.spec.transactional_id(partition))
        self._table = TopicPartition(pair.spec.table_topic, partition)
        self._position = InputPosition(0, 0, 0)
        self._empty = False

    async def mark(self, tables: int, target: int, *, has_input: bool) -> None:
        """Fence every shard of the partition, and have those that start refuse.

        ``tables`` is how many partitions the table's topic has; ``has_input`` says whether the
        input's topic has this one.

        Raises:
            SessionLost: Kafka cannot be reached, or someone else has started in this partition.
            BrokenTable: the table cannot be trusted.
        """
        await self._session.start()
        await self._session.await_partitions(self._table.topic, tables)
        table = await self._restored()
        self._empty = not table.entries
        self.common = {key: table.entries[key] for key in self._pair.common if key in table.entries}
        if table.position is None:
            check_empty(table, self._pair.spec, self.partition)
            first = await self._first_offset() if has_input else 0
            position = InputPosition(first, target, target)
        else:
            position = table.position
            if position.moving_to != target:
                # The survey saw none: another run, to another number, has begun since.
                check_no_move(position)
        self._position = position
        if position.moving_to is None:
            await self._commit(msgspec.structs.replace(position, moving_to=target))

    async def move(self, target: int, progress: Callable[[int], None]) -> None:
        """Move the entries that belong elsewhere; ``progress`` is told of each lot how many.

        Raises:
            Exception: as :meth:`mark`.
        """
        if self._empty:
            return
        await self._session.await_partitions(self._table.topic, target)
        entries = (await self._restored()).entries
        wanted = moves(entries, self._pair.home, self.partition, target)
        for group in transactions(wanted):
            await self._session.commit(batches(self._table.topic, self.partition, group))
            progress(len(group))

    async def finish(self, target: int, common: Mapping[bytes, bytes]) -> None:
        """Let shards work again, with ``common`` in the table.

        Raises:
            SessionLost: Kafka cannot be reached, or someone else has started in this partition.
        """
        before = self._position
        position = InputPosition(before.offset, target, target, witness=before.witness)
        await self._commit(position, common)

    async def release(self) -> None:
        """Throw the session away."""
        await self._session.discard()

    async def _commit(
        self, position: InputPosition, common: Mapping[bytes, bytes] | None = None
    ) -> None:
        records = [Record(key, value) for key, value in (common or {}).items()]
        await self._session.commit({tuple(self._table): [*records, position.record()]})
        self._position = position

    async def _restored(self) -> Table:
        try:
            async with started_consumer(self._clients) as consumer:
                return await own_table(self._session, consumer, self._table)
        except (KafkaError, OSError, TimeoutError) as error:
            raise SessionLost(f"{self._table} was not read: {error!r}") from error

    async def _first_offset(self) -> int:
        partition = TopicPartition(self._pair.spec.input_topic, self.partition)
        try:
            async with started_consumer(self._clients) as consumer:
                return int((await consumer.beginning_offsets([partition]))[partition])
        except (KafkaError, OSError, TimeoutError) as error:
            raise SessionLost(f"{partition} was not read: {error!r}") from error
