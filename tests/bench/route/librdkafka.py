"""The loop of :mod:`tests.bench.route.looping` on librdkafka: what another client would leave.

Fetching, packing and sending are compiled here, and done in librdkafka's own threads, which the
processor time of the process includes.
"""

import json
import sys
from collections import defaultdict
from typing import NamedTuple, cast
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from receiver.kafka.clients import KafkaHeaders
from tests.bench.route.looping import MOST_RECORDS, Work


class _Fetched(NamedTuple):
    offset: int
    key: bytes
    value: bytes
    headers: KafkaHeaders


def loop(partitions: int, servers: str, source: str, positions: str, work: Work) -> None:
    """Do ``work`` on all that ``source`` has and gets, until killed.

    Raises:
        KafkaException: a record was not written.
    """
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "transactional.id": f"{source}-loop",
            "acks": "all",
            # A commit flushes: until then, as few requests as can be.
            "linger.ms": 1_000,
            "batch.size": 1 << 20,
            "batch.num.messages": 100_000,
            "queue.buffering.max.messages": 1_000_000,
            "delivery.report.only.error": True,
        }
    )
    producer.init_transactions()
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": uuid4().hex,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "check.crcs": True,
            "fetch.wait.max.ms": 250,
        }
    )
    consumer.assign([TopicPartition(source, partition, 0) for partition in range(partitions)])
    reached = dict.fromkeys(range(partitions), 0)
    sys.stdout.write(json.dumps({"partitions": partitions}) + "\n")
    sys.stdout.flush()
    while True:
        fetched = consumer.consume(MOST_RECORDS, 1.0)
        if not fetched:
            continue
        by_partition: defaultdict[int, list[_Fetched]] = defaultdict(list)
        for message in fetched:
            by_partition[cast("int", message.partition())].append(_fetched(message))
        producer.begin_transaction()
        for partition, records in by_partition.items():
            for topic, outputs in work(partition, records).items():
                for each in outputs:
                    producer.produce(
                        topic, each.value, each.key, partition, headers=list(each.headers)
                    )
            reached[partition] = records[-1].offset + 1
        producer.produce(positions, json.dumps(reached).encode(), b"position", 0)
        # Raises unless all of it was written.
        producer.commit_transaction()


def _fetched(message: Message) -> _Fetched:
    error = message.error()
    if error is not None:
        raise KafkaException(error)
    # Of a message without an error all of this is there.
    parts = message.offset(), message.key(), message.value(), message.headers() or []
    return _Fetched(*cast("tuple[int, bytes, bytes, KafkaHeaders]", parts))
