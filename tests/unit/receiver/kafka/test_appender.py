"""The appender without Kafka: what befalls its producer does not end it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.errors import KafkaError

from receiver.kafka import appender as module
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.batching import settle
from receiver.kafka.clients import Clients, Timeouts
from receiver.kafka.partitioning import partition_for
from tests.unit.receiver.kafka.batches import TOPIC, FakeProducer
from tests.unit.receiver.polling.virtual import virtual


class FailingProducer:
    """A producer that fails as uvloop does, and can hardly be thrown away."""

    async def start(self) -> None:
        """Fail as nobody expects."""
        message = "unable to perform operation on <TCPTransport>; the handler is closed"
        raise RuntimeError(message)


@virtual
async def test_an_unexpected_error_does_not_end_it() -> None:
    """It tries again: its end would be that of the whole process."""
    made: list[FailingProducer] = []

    def producer() -> Any:
        made.append(FailingProducer())
        return made[-1]

    clients = SimpleNamespace(appending_producer=producer, timeouts=Timeouts())
    appender = Appender(cast("Clients", clients), ["topic"])
    running = asyncio.create_task(appender.run())
    await asyncio.sleep(10.0)
    assert not running.done()
    assert len(made) > 10
    assert "RuntimeError" in appender.problem
    running.cancel()
    await asyncio.wait([running])


@dataclass
class FakeCluster:
    """A cluster with one topic, of so many ``partitions``."""

    partitions: int = 1
    listeners: list[Callable[[object], None]] = field(default_factory=list)

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Return the topic's partitions."""
        return set(range(self.partitions)) if topic == TOPIC else None

    def add_listener(self, listener: Callable[[object], None]) -> None:
        """Tell ``listener`` of every change."""
        self.listeners.append(listener)

    def grow(self, partitions: int) -> None:
        """Have more partitions, and say so."""
        self.partitions = partitions
        for listener in self.listeners:
            listener(self)


class ConnectedProducer(FakeProducer):
    """A producer that reaches its cluster at once."""

    def __init__(self, cluster: FakeCluster) -> None:
        super().__init__()
        self.client = SimpleNamespace(
            cluster=cluster, add_topic=lambda _: None, force_metadata_update=_done
        )

    async def start(self) -> None:
        """Do nothing."""


async def _nothing(*_: object) -> None:
    """Throw nothing away."""


def _done() -> "asyncio.Future[None]":
    """Return what is done at once."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


@dataclass
class Stage:
    """An appender that has reached its cluster, and the producers that it was given."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    producers: list[ConnectedProducer] = field(default_factory=list)
    appender: Appender = field(init=False)

    def __post_init__(self) -> None:
        clients = SimpleNamespace(appending_producer=self._producer, timeouts=Timeouts())
        self.appender = Appender(cast("Clients", clients), [TOPIC])

    def _producer(self) -> ConnectedProducer:
        self.producers.append(ConnectedProducer(self.cluster))
        return self.producers[-1]

    def begin(self, value: bytes = b"value") -> "asyncio.Future[int]":
        """Begin to append a record."""
        offset: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.appender.begin(TOPIC, b"key", value, [], partial(settle, offset))
        return offset

    async def answer(self, outcome: object) -> None:
        """Answer the batch that is under way, and let everybody hear of it."""
        _, answer = await self.producers[-1].next()
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def connected(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Yield an appender that runs."""
    monkeypatch.setattr(module, "discard_producer", _nothing)
    stage = Stage()
    running = asyncio.create_task(stage.appender.run())
    await asyncio.sleep(0.1)
    yield stage
    running.cancel()
    await asyncio.wait([running])


@virtual
async def test_after_a_failure_one_is_tried_before_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others fail at once meanwhile, also when the trial failed or was given up."""
    async with connected(monkeypatch) as stage:
        first = stage.begin()
        await stage.answer(KafkaError("away"))
        with pytest.raises(NotDurable, match="away"):
            await first
        with pytest.raises(NotDurable, match="away"):
            stage.begin()
        await asyncio.sleep(10)
        failing = stage.begin()
        with pytest.raises(NotDurable, match="tried again"):
            stage.begin()
        await stage.answer(KafkaError("still away"))
        with pytest.raises(NotDurable, match="still away"):
            await failing
        await asyncio.sleep(10)
        stage.begin().cancel()
        with pytest.raises(NotDurable, match="tried again"):
            stage.begin()
        await stage.answer(SimpleNamespace(offset=3))
        others = [stage.begin(), stage.begin()]
        await stage.answer(SimpleNamespace(offset=5))
        assert await asyncio.gather(*others) == [5, 6]


@virtual
async def test_a_trial_that_could_not_begin_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that no batch can hold must not keep all others out for ever."""
    async with connected(monkeypatch) as stage:
        first = stage.begin()
        await stage.answer(KafkaError("away"))
        with pytest.raises(NotDurable):
            await first
        await asyncio.sleep(10)
        with pytest.raises(TypeError):
            stage.begin(cast("bytes", 1))
        trial = stage.begin()
        await stage.answer(SimpleNamespace(offset=3))
        assert await trial == 3


@virtual
async def test_partitions_that_are_added_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the cluster says so; a topic that is none is asked for anew each time."""
    async with connected(monkeypatch) as stage:
        stage.begin().cancel()
        stage.cluster.grow(300)
        stage.begin().cancel()
        assert [partition for partition, *_ in stage.producers[-1].sent] == [
            0,
            partition_for(b"key", 300),
        ]
        for _ in range(2):
            with pytest.raises(NotDurable, match="no topic"):
                stage.appender.begin("other", b"key", b"value", [], lambda _: None)
