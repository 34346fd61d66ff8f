"""One worker: started again when it ends, its share of the port kept for a while."""

import asyncio

from receiver.workers.backoff import FIRST, STEADY
from receiver.workers.supervisor import Supervisor
from receiver.workers.worker import State, Worker
from tests.unit.receiver.polling.virtual import virtual
from tests.unit.receiver.workers.fakes import HELD_FOR, FakePort, Nursery, settled, worker


def keep(one: Worker) -> asyncio.Task[int]:
    """Run a worker as its supervisor does; one that has served is never given up."""
    one.served.set()
    return asyncio.create_task(Supervisor([one]).run(asyncio.Event(), lambda: None))


@virtual
async def test_the_only_worker_that_served_is_started_again_with_its_share() -> None:
    """Whoever waits in the share's queue is served by the next process."""
    nursery, port = Nursery(), FakePort()
    one = worker(nursery, port)
    running = keep(one)
    await settled()
    nursery.lives[0][0].serve()
    await settled()
    assert one.state is State.SERVING
    nursery.lives[0][0].end(-9)
    await settled()
    assert (one.state, one.why) == (State.WAITING, "it ended with -9")
    await asyncio.sleep(FIRST)
    await settled()
    assert nursery.given == port.shares * 2
    assert not port.shares[0].closed
    assert (one.state, one.restarts) == (State.STARTING, 1)
    running.cancel()


@virtual
async def test_where_others_serve_a_share_ends_with_its_process() -> None:
    """Connections go to the others at once, and to the next process once it listens."""
    nursery, port = Nursery(), FakePort()
    one = worker(nursery, port, alone=False)
    running = keep(one)
    await settled()
    nursery.lives[0][0].serve()
    await settled()
    assert not port.shares[0].closed
    nursery.lives[0][0].end(-9)
    await settled()
    assert port.shares[0].closed
    await asyncio.sleep(FIRST)
    await settled()
    assert nursery.given == port.shares
    assert [share.closed for share in port.shares] == [True, False]
    running.cancel()


@virtual
async def test_a_worker_that_dies_before_it_serves_leaves_no_share_to_nobody() -> None:
    """It may have listened by then: what waits in its share would wait for the next process."""
    nursery, port = Nursery(), FakePort()
    one = worker(nursery, port, alone=False)
    running = keep(one)
    await settled()
    nursery.lives[0][0].end(1)
    await settled()
    assert one.state is State.WAITING
    assert port.shares[0].closed
    running.cancel()


@virtual
async def test_a_worker_that_drains_gives_its_share_up_before_it_ends() -> None:
    """Told to end by somebody else, it closes its own copy after the drain: none may be left."""
    nursery, port = Nursery(), FakePort()
    one = worker(nursery, port, alone=False)
    running = keep(one)
    await settled()
    nursery.lives[0][0].serve()
    await settled()
    nursery.lives[0][0].stop()
    await settled()
    assert (one.state, one.answers) == (State.ENDING, True)
    assert port.shares[0].closed
    nursery.lives[0][0].end(0)
    await asyncio.sleep(FIRST)
    await settled()
    assert (one.state, one.answers) == (State.STARTING, False)
    running.cancel()


@virtual
async def test_a_share_is_given_up_when_nobody_could_be_answered_in_time() -> None:
    """Connections go to the others once waiting is of no use; a later start gets a new share."""
    nursery, port = Nursery(), FakePort()
    running = keep(worker(nursery, port))
    loop = asyncio.get_running_loop()
    closed_at = None
    while len(port.shares) == 1:
        await settled()
        nursery.lives[0][-1].end(1)
        await asyncio.sleep(0.05)
        assert loop.time() < 2 * HELD_FOR
        if closed_at is None and port.shares[0].closed:
            closed_at = loop.time()
    assert closed_at is not None
    assert HELD_FOR <= closed_at < HELD_FOR + 0.1
    assert nursery.given[-1] is port.shares[1]
    running.cancel()


@virtual
async def test_a_worker_that_serves_again_is_forgiven() -> None:
    """The alarm stands from the second end in a row until it serves."""
    nursery = Nursery()
    one = worker(nursery)
    running = keep(one)
    for _ in range(2):
        await settled()
        assert one._alarms.present == []
        nursery.lives[0][-1].end(1)
        await settled()
        await asyncio.sleep(one.backoff.pause)
    await settled()
    [alarm] = one._alarms.present
    assert (alarm.code, alarm.why) == ("worker-0-down", "it ended with 1")
    nursery.lives[0][-1].serve()
    await settled()
    assert one._alarms.present == []
    await asyncio.sleep(STEADY)
    nursery.lives[0][-1].end(1)
    await settled()
    assert one.backoff.pause == FIRST
    running.cancel()


@virtual
async def test_a_system_that_can_start_nothing_is_asked_again() -> None:
    """No process to be had is a reason to wait, not to end."""
    nursery = Nursery(barren=True)
    one = worker(nursery)
    running = keep(one)
    await asyncio.sleep(10)
    assert one.why == "it cannot be started: no more processes"
    nursery.barren = False
    await asyncio.sleep(30)
    assert one.state is State.STARTING
    running.cancel()
