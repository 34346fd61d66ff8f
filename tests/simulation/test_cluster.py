"""The simulated Kafka is as unkind as the real one: what the simulation's findings rest on."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced

from tests.simulation import loop
from tests.simulation.faults import Fate, Kind, OneFault
from tests.simulation.process import Process
from tests.simulation.producer import SimulatedProducer
from tests.simulation.world import Machine, World

PLACE = TopicPartition("payevents.ledger", 0)


def in_world(test: Callable[[World, Machine], Awaitable[None]], fault: OneFault | None) -> World:
    """Run ``test`` as a process of a world of its own."""

    async def live() -> World:
        world = World(1, fault)

        async def program(machine: Machine) -> None:
            await test(world, machine)

        try:
            await asyncio.wait_for(world.start("test", program).main, 200.0)
        finally:
            await world.close()
        return world

    return loop.run(live())


async def open_transaction(machine: Machine, key: bytes) -> SimulatedProducer:
    """Start a session and write one record, without a commit."""
    producer: SimulatedProducer = machine.clients.session_producer("id")
    await producer.start()
    await producer.begin_transaction()
    await write(producer, key)
    return producer


async def write(producer: SimulatedProducer, key: bytes) -> None:
    """Write one record; return when it is written."""
    batch = producer.create_batch()
    batch.append(key=key, value=b"", timestamp=None, headers=[])
    await (await producer.send_batch(batch, PLACE.topic, partition=PLACE.partition))


def test_an_owner_s_start_fences_and_aborts() -> None:
    """What an earlier owner left open is aborted, and it cannot commit any more."""

    async def check(world: World, machine: Machine) -> None:
        first = await open_transaction(machine, b"first")
        second = await open_transaction(machine, b"second")
        with pytest.raises(ProducerFenced):
            await first.commit_transaction()
        await second.commit_transaction()
        await asyncio.sleep(5.0)
        [entry] = world.cluster.log(PLACE).committed()
        assert entry.payload is not None
        assert entry.payload.key == b"second"

    in_world(check, None)


def test_an_open_transaction_holds_readers_up() -> None:
    """What follows an open transaction is read only after that one has timed out."""

    async def check(world: World, machine: Machine) -> None:
        await open_transaction(machine, b"open")
        log = world.cluster.log(PLACE)
        appender = machine.clients.appending_producer()
        await appender.start()
        await write(appender, b"plain")
        assert log.committed() == []
        await asyncio.sleep(40.0)
        assert [entry.payload.key for entry in log.committed() if entry.payload] == [b"plain"]

    in_world(check, None)


def test_a_commit_returns_before_it_is_readable() -> None:
    """Markers are written after the answer."""
    unreadable = []

    async def check(world: World, machine: Machine) -> None:
        for number in range(20):
            producer = await open_transaction(machine, b"%d" % number)
            await producer.commit_transaction()
            unreadable.append(bool(world.cluster.log(PLACE).open))

    in_world(check, None)
    assert any(unreadable)


def test_a_crashed_process_does_nothing_more() -> None:
    """Not even its ``finally`` blocks run before the end, and then they reach nobody."""
    ran = []

    async def live() -> None:
        world = World(1, OneFault(3, Fate(Kind.CRASH_AFTER)))

        async def program(machine: Machine) -> None:
            producer: SimulatedProducer = machine.clients.appending_producer()
            await producer.start()
            try:
                for _ in range(5):
                    await write(producer, b"")
            finally:
                ran.append(world.cluster.log(PLACE).end)

        process: Process = world.start("test", program).machine.process
        world.replicas.pop("test")
        await asyncio.sleep(60.0)
        assert not process.alive
        assert ran == []
        assert world.cluster.log(PLACE).end == 2
        await world.close()
        assert ran == [2]

    loop.run(live())
