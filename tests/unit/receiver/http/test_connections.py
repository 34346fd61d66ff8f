"""The connections: as many as there is room for, and none that waits for ever."""

import asyncio
import resource
from unittest.mock import Mock

import pytest

from receiver.http.admission import Refusal
from receiver.http.connections import Connections
from receiver.http.descriptors import KEPT_BACK, connections_within_limits
from receiver.http.protocol import Connection
from tests.unit.receiver.http.load import (
    HEAD_TIMEOUT,
    LONGEST_IDLE,
    Load,
    listening,
    webhook,
)

HALF_A_HEAD = b"POST /webhooks/shop HTTP/1.1\r\nHost: pay\r\nX-"


async def connected(load: Load, count: int) -> None:
    """Wait until so many connections are open."""
    await load.until(lambda: len(load.connections) == count)


async def test_a_new_connection_gets_in_at_the_cost_of_the_longest_idle() -> None:
    """Beyond the limit the one that has been silent for longest is closed, and no other."""
    async with listening(most=3) as load:
        load.intake.go.set()
        silent = []
        for number in range(3):
            load.clock[0] += 1
            silent.append(await load.connect())
            await connected(load, number + 1)
        fresh = await load.connect()
        fresh.send(webhook())
        assert await fresh.status() == 200
        await silent[0].closed()
        silent[1].send(webhook())
        assert await silent[1].status() == 200
        assert load.admission.refused[Refusal.IDLE] == 1
        assert len(load.connections) == 3


async def test_a_half_sent_head_holds_no_place() -> None:
    """Whoever stops in the middle is told 503 and closed, if nobody has been idle for longer."""
    async with listening(most=2) as load:
        load.intake.go.set()
        half = await load.begin(HALF_A_HEAD)
        load.clock[0] += 1
        await load.connect()
        await connected(load, 2)
        fresh = await load.connect()
        fresh.send(webhook())
        assert await fresh.status() == 200
        assert await half.status() == 503


async def test_whoever_is_owed_an_answer_is_never_closed() -> None:
    """With every connection at work a new one is refused at once, and the others are answered."""
    async with listening(most=2) as load:
        working = [await load.connect() for _ in range(2)]
        for client in working:
            client.send(webhook())
        await load.until(lambda: len(load.intake.taken) == 2)
        late = await load.connect()
        answer = await late.answer()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: " in answer
        await late.closed()
        assert load.admission.refused[Refusal.CONNECTIONS] == 1
        load.intake.go.set()
        assert [await client.status() for client in working] == [200, 200]


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD])
async def test_a_head_that_does_not_come_is_not_waited_for(sent: bytes) -> None:
    """A connection is closed after the timeout without a whole head, and not before."""
    async with listening() as load:
        client = await load.connect()
        client.send(sent)
        await load.until(lambda: load.pending == len(sent) and len(load.connections) == 1)
        load.clock[0] += HEAD_TIMEOUT - 1
        load.connections.look()
        assert len(load.connections) == 1
        load.clock[0] += 1
        load.connections.look()
        await connected(load, 0)
        await client.closed()
        assert load.admission.refused == {Refusal.HEAD: 1}
        assert load.alarms.present == []


async def test_a_head_in_drops_is_not_waited_for() -> None:
    """Each further byte does not buy more time."""
    async with listening() as load:
        client = await load.begin(HALF_A_HEAD)
        for _ in range(int(HEAD_TIMEOUT)):
            before = load.pending
            client.send(b"x")
            await load.until(lambda before=before: load.pending == before + 1)  # type: ignore[misc]
            load.clock[0] += 1
        load.connections.look()
        await client.closed()


async def test_a_second_head_has_its_own_time() -> None:
    """A connection that was kept alive may be silent for longer than a head may take."""
    async with listening() as load:
        load.intake.go.set()
        client = await load.connect()
        client.send(webhook())
        assert await client.status() == 200
        load.clock[0] += LONGEST_IDLE - 1
        load.connections.look()
        client.send(HALF_A_HEAD)
        await load.until(lambda: load.pending > 0)
        load.clock[0] += HEAD_TIMEOUT - 1
        load.connections.look()
        assert len(load.connections) == 1
        load.clock[0] += 1
        load.connections.look()
        await client.closed()


async def test_a_slow_body_is_not_taken_for_a_slow_head() -> None:
    """Once the head is there, the body has its own timeout."""
    async with listening() as load:
        load.intake.go.set()
        whole = webhook(50)
        client = await load.begin(whole[:-1])
        await load.until(lambda: all(c.has_head for c in load.connections._arriving))
        load.clock[0] += HEAD_TIMEOUT
        load.connections.look()
        client.send(whole[-1:])
        assert await client.status() == 200


async def test_an_answer_that_nobody_reads_holds_no_place_for_ever() -> None:
    """A connection on which nothing moves is closed, although no timer of aiohttp's runs there."""
    async with listening() as load:
        load.intake.go.set()
        client = await load.connect()
        client.send(b"GET /livez HTTP/1.1\r\nHost: pay\r\n\r\n")
        assert await client.status() == 200
        load.clock[0] += LONGEST_IDLE
        load.connections.look()
        await client.closed()
        assert load.admission.refused[Refusal.HEAD] == 0


async def test_a_refused_connection_counts_until_its_socket_is_closed() -> None:
    """The count is of sockets, also of those whose 503 is on its way."""
    async with listening() as load:
        load.connections.most = 0
        refused = Mock(spec=Connection, at_work=False, held=0)
        assert not load.connections.open(refused)
        assert len(load.connections) == 1
        load.connections.lost(refused)
        assert len(load.connections) == 0


async def test_a_storm_of_connections_ends_where_it_began() -> None:
    """Ten times as many as there is room for, silent or half sent: each is closed, none leaks."""
    async with listening(most=20) as load:
        for number in range(200):
            client = await load.connect()
            client.send(HALF_A_HEAD if number % 2 else b"")
        await connected(load, 20)
        for client in load.clients:
            client.writer.close()
        await connected(load, 0)
        await load.until(lambda: load.pending == 0)


def limits(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    """Put other limits on open files in the place of this process's; return what is set."""
    set_to = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: set_to[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: set_to.append(both))
    return set_to


@pytest.mark.parametrize(
    ("soft", "hard", "most", "raised"),
    [
        (1024, 20_000, 12_000, 12_000 + KEPT_BACK),
        (1024, 4096, 4096 - KEPT_BACK, 4096),
        (256, 256, 128, 256),
        (50_000, 50_000, 12_000, 50_000),
        (1024, resource.RLIM_INFINITY, 12_000, 12_000 + KEPT_BACK),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 12_000, resource.RLIM_INFINITY),
    ],
)
def test_the_limit_on_open_files_is_raised_and_some_are_kept_back(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, most: int, raised: int
) -> None:
    """As many connections as wanted, or as the hard limit leaves beside what else needs files."""
    set_to = limits(monkeypatch, soft, hard)
    assert connections_within_limits(12_000) == most
    assert set_to[-1] == (raised, hard)


async def test_looking_after_the_connections_ends_when_it_is_cancelled() -> None:
    """The task that closes them is one that goes on until the service stops."""
    async with listening() as load:
        running = asyncio.create_task(Connections.run(load.connections))
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
