"""Rewinding: having a whole input handled again, where nobody can say any more how far it was.

The ledger drops what was published before, so for the inbox this is always safe.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from receiver.kafka.clients import Clients
from receiver.kafka.reading import partitions_of, started_consumer
from receiver.shards.guards import ShardSpec, check_empty, check_no_move
from receiver.shards.open_shard import own_table
from receiver.shards.session import Session, SessionLost


class NoSuchPartition(LookupError):
    """The topic does not have this partition."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """A partition's position before and now; None before if nothing was ever handled in it."""

    partition: int
    was: int | None
    now: int


async def rewind(
    clients: Clients, spec: ShardSpec, partitions: Collection[int] | None = None
) -> Sequence[Rewound]:
    """Set the positions of these input partitions, or of all, back to the beginning of the input.

    A shard at work is fenced: it notices with its next commit, starts again by itself, and takes up
    the new position.

    Raises:
        NoSuchPartition: the input has not all of ``partitions``; nothing was changed.
        NoSuchTopic: a topic does not exist.
        BrokenTable: a repartition is under way, or there are entries without any position.
        SessionLost: Kafka cannot be reached, or another owner has started; do it again.
        KafkaError: Kafka cannot be reached.
        TimeoutError: it does not answer.
    """
    there = [each.partition for each in await partitions_of(clients, [spec.input_topic])]
    wanted = there if partitions is None else sorted(partitions)
    unknown = set(wanted) - set(there)
    if unknown:
        raise NoSuchPartition(f"{spec.input_topic} has no partition {min(unknown)}")
    return [await _rewind(clients, spec, partition) for partition in wanted]


async def _rewind(clients: Clients, spec: ShardSpec, partition: int) -> Rewound:
    at, table_at = (TopicPartition(t, partition) for t in (spec.input_topic, spec.table_topic))
    session = Session(clients, spec.transactional_id(partition))
    try:
        await session.start()
        async with started_consumer(clients) as consumer:
            first = int((await consumer.beginning_offsets([at]))[at])
            table = await own_table(session, consumer, table_at)
        check_no_move(table.position)
        if table.position is None:
            check_empty(table, spec, partition)
            return Rewound(partition, None, first)
        position = msgspec.structs.replace(table.position, offset=first, witness=None)
        await session.commit({tuple(table_at): [position.record()]})
        return Rewound(partition, table.position.offset, first)
    except (KafkaError, OSError, TimeoutError) as error:
        raise SessionLost(f"{at} was not rewound: {error!r}") from error
    finally:
        await session.discard()
