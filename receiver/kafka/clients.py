"""Making aiokafka clients: one place that knows how to reach the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import aiokafka.admin.client
import aiokafka.client
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.metadata import MetadataRequest

from receiver.kafka.consumer import Consumer
from receiver.kafka.partitioning import partition_for

__all__ = ["Clients", "KafkaHeaders", "Record", "Timeouts", "partition_for"]

KafkaHeaders: TypeAlias = list[tuple[str, bytes]]

_NOTICE_TOPICS_MS = 5_000
"""How soon a topic that was missing is noticed; aiokafka's own default is five minutes."""

# aiokafka lets brokers make each topic that it asks about and that is missing, and cannot be told
# otherwise: a ledger made so would be deleted after a week.
for _module in (aiokafka.client, aiokafka.admin.client):
    _module.MetadataRequest = partial(MetadataRequest, allow_auto_topic_creation=False)


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record to be written; ``value`` None is a tombstone."""

    key: bytes
    value: bytes | None
    headers: KafkaHeaders = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long Kafka may take, in seconds."""

    acknowledge: float = 2.0
    session: float = 10.0
    transaction: float = 15.0
    start: float = 60.0


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes clients of one cluster. ``options`` are aiokafka's own: servers, TLS, SASL."""

    options: Mapping[str, Any]
    timeouts: Timeouts = field(default_factory=Timeouts)

    def session_producer(self, transactional_id: str) -> AIOKafkaProducer:
        """Return a producer whose start fences every earlier one of the same id."""
        return self._producer(
            transactional_id=transactional_id,
            transaction_timeout_ms=round(self.timeouts.transaction * 1000),
            acks="all",
            linger_ms=0,
            max_batch_size=1 << 20,
            request_timeout_ms=10_000,
            retry_backoff_ms=20,
        )

    def appending_producer(self) -> AIOKafkaProducer:
        """Return a producer of single records.

        It is not idempotent on purpose: the ledger drops a record that a retry wrote twice, while
        an idempotent producer keeps trying for ever and dies of one gap in its sequence.
        """
        return self._producer(
            acks="all",
            linger_ms=0,
            max_batch_size=1 << 20,
            request_timeout_ms=max(1000, round(self.timeouts.acknowledge * 1000)),
            retry_backoff_ms=50,
            metadata_max_age_ms=_NOTICE_TOPICS_MS,
        )

    def partition_consumer(self) -> AIOKafkaConsumer:
        """Return a consumer for partitions assigned by hand, of committed records only."""
        return self._consumer(
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",
            fetch_max_wait_ms=250,
            request_timeout_ms=10_000,
            retry_backoff_ms=20,
        )

    def member(self, group: str) -> AIOKafkaConsumer:
        """Return a consumer that takes part in ``group`` for its membership alone."""
        # Imported here because aiokafka logs at import time of the assignor package.
        from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

        return self._consumer(
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(StickyPartitionAssignor,),
            session_timeout_ms=round(self.timeouts.session * 1000),
            heartbeat_interval_ms=1000,
            rebalance_timeout_ms=10_000,
            request_timeout_ms=15_000,
            max_poll_interval_ms=30_000,
            metadata_max_age_ms=_NOTICE_TOPICS_MS,
        )

    def admin(self) -> AIOKafkaAdminClient:
        """Return an admin client."""
        return AIOKafkaAdminClient(**self.options, request_timeout_ms=15_000)

    def _producer(self, **settings: object) -> AIOKafkaProducer:
        return AIOKafkaProducer(**self.options, **settings)

    def _consumer(self, **settings: object) -> AIOKafkaConsumer:
        return Consumer(**self.options, **settings)
