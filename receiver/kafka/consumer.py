"""A consumer that says so when it fetches no more."""

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is untyped
    """aiokafka's consumer, whose fetching task may end without anybody being told.

    It does at each error that it does not expect; one is the RuntimeError of uvloop for a write to
    a connection that was reset in the same moment. From then on there would be no records, for
    ever, and no error.
    """

    async def getmany(
        self,
        *partitions: TopicPartition,
        timeout_ms: int = 0,
        max_records: int | None = None,
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return records by partition, as aiokafka does.

        Raises:
            KafkaError: as aiokafka does, and where nothing is fetched any more.
        """
        fetched: dict[TopicPartition, list[ConsumerRecord]] = await super().getmany(
            *partitions, timeout_ms=timeout_ms, max_records=max_records
        )
        if not fetched and self._fetcher is not None and self._fetcher.error_future.done():
            raise KafkaError("the consumer does not fetch any more")
        return fetched
