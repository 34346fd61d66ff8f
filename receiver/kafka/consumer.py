"""A consumer that says so when it fetches no more."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

_LOOK_AFTER_MS = 1000


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is untyped
    """aiokafka's consumer, two of whose tasks may end without anybody being told.

    They do at each error that they do not expect; one is the RuntimeError of uvloop for a write to
    a connection that was reset in the same moment. Without the fetching task there would be no
    records, for ever, and no error; without the metadata task the same from the next change of a
    leader or coordinator on.
    """

    def be_patient(self, seconds: float) -> None:
        """From the next fetch on, let the broker wait so long where there is nothing new.

        What comes is answered at once all the same. But until then the broker answers nothing else
        on that connection, so that whoever still has questions to ask must not be patient.
        """
        fetcher = self._fetcher
        fetcher._fetch_max_wait_ms = round(seconds * 1000)  # noqa: SLF001 - fixed at the start
        # How often it looks, unasked, whether there is something to fetch: it is told of all that.
        fetcher._fetcher_timeout = seconds  # noqa: SLF001

    async def getmany(
        self,
        *partitions: TopicPartition,
        timeout_ms: int = 0,
        max_records: int | None = None,
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return records by partition, as aiokafka does.

        Raises:
            KafkaError: as aiokafka does, and where one of its tasks has ended.
        """
        if self._fetcher is not None:
            _check(self._fetcher.error_future, "does not fetch any more")
        if self._client._sync_task is not None:  # noqa: SLF001 - nothing else tells of its end
            _check(self._client._sync_task, "hears of no new leader any more")  # noqa: SLF001
        fetched: dict[TopicPartition, list[ConsumerRecord]] = await super().getmany(
            *partitions, timeout_ms=timeout_ms, max_records=max_records
        )
        return fetched

    async def getone(self, *partitions: TopicPartition) -> ConsumerRecord:
        """Return the next record, as soon as there is one. Iterating does the same.

        Raises:
            KafkaError: as :meth:`getmany`.
        """
        while True:
            # aiokafka's own would wait for ever, also where nothing comes any more.
            fetched = await self.getmany(*partitions, timeout_ms=_LOOK_AFTER_MS, max_records=1)
            for [record] in fetched.values():
                return record


def _check(task: "asyncio.Future[None]", what: str) -> None:
    if task.done():
        why = "cancelled" if task.cancelled() else repr(task.exception())
        raise KafkaError(f"the consumer {what}: {why}")
