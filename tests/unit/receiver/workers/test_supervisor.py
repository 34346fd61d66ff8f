"""The supervisor: all workers start, are kept, and drain together."""

import asyncio

import pytest

from receiver.workers.supervisor import END_WITHIN, GIVE_UP_AFTER, Supervisor
from receiver.workers.worker import State
from tests.unit.receiver.polling.virtual import virtual
from tests.unit.receiver.workers.fakes import FakePort, Nursery, settled, worker


@virtual
async def test_it_serves_once_all_workers_do() -> None:
    """The one line that says so comes after the last worker's."""
    nursery, told = Nursery(), []
    supervisor = Supervisor([worker(nursery, number=0), worker(nursery, number=1)])
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop, lambda: told.append("serving")))
    await settled()
    nursery.lives[1][0].serve()
    await settled()
    assert told == []
    nursery.lives[0][0].serve()
    await settled()
    assert told == ["serving"]
    stop.set()
    assert await running == 0


@virtual
async def test_all_drain_together_and_no_share_is_left_open() -> None:
    """Told to end, nothing is started any more, and who connects is not left waiting for nobody."""
    nursery, port = Nursery(), FakePort()
    workers = [worker(nursery, port, number) for number in range(3)]
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor(workers).run(stop, lambda: None))
    await settled()
    # One serves, one still starts, one waits to be started again.
    nursery.lives[0][0].serve()
    nursery.lives[2][0].end(1)
    await settled()
    stop.set()
    assert await running == 0
    assert [life.drained for lives in nursery.lives.values() for life in lives] == [
        True,
        True,
        False,
    ]
    assert all(share.closed for share in port.shares)
    assert {one.state for one in workers} == {State.ENDING}


@virtual
async def test_a_worker_that_does_not_end_is_killed_in_time() -> None:
    """The whole ends within its time, with 0, whatever a worker does."""
    nursery = Nursery()
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor([worker(nursery)]).run(stop, lambda: None))
    await settled()
    nursery.lives[0][0].serve()
    nursery.lives[0][0].slow_to_end = True
    stop.set()
    assert await running == 0
    assert asyncio.get_running_loop().time() == pytest.approx(END_WITHIN)


@pytest.mark.parametrize(("ended_with", "code"), [(2, 2), (1, 1), (-11, 1)])
def test_what_no_start_will_mend_ends_the_whole(ended_with: int, code: int) -> None:
    """Workers that end before any ever served are given up, with their own code."""

    @virtual
    async def given_up() -> None:
        nursery = Nursery()
        workers = [worker(nursery, number=0), worker(nursery, number=1)]
        running = asyncio.create_task(Supervisor(workers).run(asyncio.Event(), lambda: None))
        while not running.done():
            await settled()
            nursery.lives[1][-1].end(ended_with)
            await asyncio.sleep(0.01)
        assert await running == code
        assert len(nursery.lives[1]) == GIVE_UP_AFTER
        assert nursery.lives[0][0].drained

    given_up()


@virtual
async def test_while_another_serves_nobody_is_given_up() -> None:
    """One worker that cannot be started does not take the others down."""
    nursery = Nursery()
    workers = [worker(nursery, number=0), worker(nursery, number=1)]
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor(workers).run(stop, lambda: None))
    await settled()
    nursery.lives[0][0].serve()
    while len(nursery.lives[1]) <= 2 * GIVE_UP_AFTER:
        await settled()
        nursery.lives[1][-1].end(1)
        await asyncio.sleep(0.01)
        assert not running.done()
    assert workers[0].state is State.SERVING
    stop.set()
    assert await running == 0
