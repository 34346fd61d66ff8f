"""The end of the public listener: what is under way is answered, for as long as there is time."""

import asyncio

from tests.unit.receiver.http.load import listening, webhook


async def test_a_listener_that_stops_answers_what_came_whole() -> None:
    """What is under way has its answer before its connection is closed; nothing else is taken."""
    async with listening() as load:
        busy = await load.begin(webhook(1))
        idle = await load.connect()
        await load.until(lambda: len(load.intake.taken) == 1 and len(load.connections) == 2)
        stopping = asyncio.ensure_future(load.stop())
        await asyncio.sleep(0.05)
        idle.send(webhook(2))
        busy.send(webhook(2))
        await asyncio.sleep(0.05)
        assert not stopping.done()
        load.intake.go.set()
        assert await busy.status() == 200
        await stopping
        await busy.closed()
        await idle.closed()
        assert len(load.intake.taken) == 1


async def test_a_listener_that_stops_does_not_wait_for_ever() -> None:
    """What is not answered in time is counted as broken off, once, whatever becomes of it."""
    async with listening(shutdown=0.05) as load:
        client = await load.begin(webhook(1))
        await load.until(lambda: len(load.intake.taken) == 1)
        await load.stop()
        await client.closed()
        [failure] = load.failures.noted
        assert (failure.status, failure.why) == (None, "the service ended before it answered")
        load.intake.go.set()
        await load.until(lambda: load.pending == 0)
        assert load.failures.noted == [failure]
