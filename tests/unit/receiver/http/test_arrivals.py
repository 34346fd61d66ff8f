"""Webhooks that come whole and all else, on the same connections and in the same turns."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from receiver.http.protocol import Connection
from tests.unit.receiver.http.load import (
    LONGEST_IDLE,
    MOST_BODY,
    Load,
    head,
    listening,
    webhook,
)
from tests.unit.receiver.http.test_public import TOPIC, signature

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: pay\r\n\r\n"
FORGED = webhook().replace(b"Hmac-Sha256: ", b"Hmac-Sha256: x")


@pytest.fixture
async def load() -> AsyncIterator[Load]:
    """Return a listener whose intake takes everything at once."""
    async with listening() as load:
        load.intake.go.set()
        yield load


def settled(load: Load) -> bool:
    """Tell whether nothing is charged, and every connection is idle."""
    connections = load.connections
    return load.pending == 0 and len(connections._idle) == len(connections)


async def only_connection(load: Load) -> Connection:
    """Return the listener's side of the one connection there is, once it is open."""
    await load.until(lambda: len(load.connections) == 1)
    [connection] = load.connections._open
    return connection


async def test_what_comes_whole_is_not_read_by_aiohttp(load: Load) -> None:
    """Neither what is taken nor what is refused."""
    client = await load.connect()
    for sent, status in ((webhook(), 200), (FORGED, 401), (webhook(0), 200)):
        client.send(sent)
        assert await client.status() == status
    unknown = webhook().replace(b"/shop", b"/none")
    client.send(unknown)
    assert await client.status() == 404
    large = webhook(MOST_BODY + 1)
    client.send(large)
    assert await client.status() == 413
    assert load.by_aiohttp == 0
    assert settled(load)


async def test_one_in_parts_is_read_by_aiohttp_and_the_next_one_is_not(load: Load) -> None:
    """Wherever it breaks off after its head; one whose length is not known is the last such."""
    whole = webhook(300)
    client = await load.connect()
    for number, size in enumerate((len(whole) - 300, len(whole) - 150, len(whole) - 1), 1):
        part, rest = whole[:size], whole[size:]
        client.send(part)
        await load.until(lambda part=part: load.pending == len(part))  # type: ignore[misc]
        client.send(rest)
        assert await client.status() == 200
        client.send(whole)
        assert await client.status() == 200
        assert load.by_aiohttp == number
    client.send(whole[:20])
    await load.until(lambda: load.pending == 20)
    client.send(whole[20:])
    assert await client.status() == 200
    client.send(whole)
    assert await client.status() == 200
    assert load.by_aiohttp == 5
    assert settled(load)


async def test_a_sender_that_does_not_wait_is_answered_in_order(load: Load) -> None:
    """Whatever it sends meanwhile, in whichever parts."""
    load.intake.go.clear()
    client = await load.begin(webhook(1))
    await load.until(lambda: len(load.intake.taken) == 1)
    before = load.pending
    for early in (FORGED, webhook(2) + LIVEZ, webhook(3)[:50]):
        client.send(early)
        await asyncio.sleep(0.01)
    load.intake.go.set()
    client.send(webhook(3)[50:])
    assert before > 0
    assert [await client.status() for _ in range(5)] == [200, 401, 200, 200, 200]
    assert [len(observation.body) for observation in load.intake.taken] == [1, 2, 3]
    await load.until(lambda: settled(load))


@pytest.mark.parametrize("first", [webhook(1), webhook(1)[:-1]])
async def test_nothing_that_comes_early_is_lost(load: Load, first: bytes) -> None:
    """However often a connection is read before the request that came first is."""
    client = await load.connect()
    connection = await only_connection(load)
    for part in (first, (webhook(1) + webhook(2))[len(first) :], webhook(3)[:9], webhook(3)[9:]):
        connection.data_received(part)
    assert [await client.status() for _ in range(3)] == [200, 200, 200]
    assert [len(observation.body) for observation in load.intake.taken] == [1, 2, 3]
    assert settled(load)


@pytest.mark.parametrize("first", [webhook(1), webhook(1)[:-1]])
async def test_what_comes_early_is_charged_once(load: Load, first: bytes) -> None:
    """For as long as it is held, and whoever reads what came before it."""
    load.intake.go.clear()
    sent = webhook(1) + webhook(2)[:-1]
    client = await load.connect()
    connection = await only_connection(load)
    connection.data_received(first)
    connection.data_received(sent[len(first) :])
    await load.until(lambda: len(load.intake.taken) == 1)
    assert load.pending == len(sent)
    load.intake.go.set()
    assert await client.status() == 200
    if first == webhook(1):
        assert load.pending == len(webhook(2)) - 1
    client.send(b"x")
    assert await client.status() == 200
    assert settled(load)


async def test_what_comes_early_is_not_read_for_ever(load: Load) -> None:
    """While an answer is owed, no more is held than one read brings: the rest waits outside."""
    load.intake.go.clear()
    client = await load.begin(webhook(1))
    await load.until(lambda: len(load.intake.taken) == 1)
    flood = webhook(1000) * 2000
    client.send(flood)
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert load.pending < len(flood) / 2
    client.writer.transport.abort()


async def test_senders_of_one_turn_do_not_share_their_fate(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many that arrive together each gets its own answer, though one meets a defect."""
    take = load.intake.take

    def broken(key: str, observation: object, ended: object) -> None:
        if len(observation.body) == 3:  # type: ignore[attr-defined]
            raise RuntimeError(key)
        take(key, observation, ended)  # type: ignore[arg-type]

    monkeypatch.setattr(load.intake, "take", broken)
    clients = [await load.connect() for _ in range(5)]
    with capture_logs() as lines:
        for client, sent in zip(
            clients,
            (webhook(1), FORGED, webhook(3), webhook(4)[:-1], webhook(5)),
            strict=True,
        ):
            client.send(sent)
        await load.until(lambda: load.by_aiohttp == 1)
        clients[3].send(b"x")
        assert [await client.status() for client in clients] == [200, 401, 500, 200, 200]
    assert "a webhook was not answered" in [line["event"] for line in lines]
    assert [failure.status for failure in load.failures.noted] == [401, 500]
    await clients[2].closed()
    await load.until(lambda: settled(load))


async def test_a_defect_in_reading_one_is_no_other_senders(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is closed, and the others are answered."""
    data_received, bad = web.RequestHandler.data_received, head(100, TOPIC, signature())

    def broken(self: web.RequestHandler, data: bytes) -> None:
        if data == bad:
            raise RuntimeError
        data_received(self, data)

    monkeypatch.setattr(web.RequestHandler, "data_received", broken)
    clients = [await load.connect() for _ in range(3)]
    with capture_logs() as lines:
        clients[0].send(bad)
        clients[1].send(webhook(900)[:-1])
        clients[2].send(webhook())
        await clients[0].closed()
        assert await clients[2].status() == 200
        clients[1].send(b"x")
        assert await clients[1].status() == 200
    assert "what came on a connection could not be read" in [line["event"] for line in lines]
    await load.until(lambda: settled(load) and len(load.connections) == 2)


@pytest.mark.parametrize("zeros", [4_400, 7_000])
async def test_no_length_keeps_others_waiting(load: Load, zeros: int) -> None:
    """However long a number a sender writes, its neighbours are answered."""
    length = f"Content-Length: {'0' * zeros}50\r\n".encode()
    odd = b"POST /webhooks/shop HTTP/1.1\r\nHost: pay\r\n" + length + b"\r\n"
    clients = [await load.connect() for _ in range(3)]
    for client, sent in zip(clients, (webhook(1), odd, webhook(3)), strict=True):
        client.send(sent)
    assert [await clients[0].status(), await clients[2].status()] == [200, 200]
    clients[0].send(webhook(4))
    assert await clients[0].status() == 200
    assert [len(observation.body) for observation in load.intake.taken] == [1, 3, 4]


async def test_nothing_follows_the_last_request(load: Load) -> None:
    """What comes after a request that closes its connection is not taken: nobody would hear it."""
    client = await load.connect()
    connection = await only_connection(load)
    connection.data_received(webhook(1).replace(b"Host", b"Connection: close\r\nHost", 1))
    for _ in range(6):
        await asyncio.sleep(0)
        connection.data_received(webhook(2))
    assert await client.status() == 200
    await client.closed()
    assert [len(observation.body) for observation in load.intake.taken] == [1]


async def test_an_account_that_is_none_has_no_limits(load: Load) -> None:
    """Whole or in parts, what is sent to it is answered 404, however large."""
    client = await load.connect()
    large = webhook(MOST_BODY + 1).replace(b"/shop", b"/none")
    client.send(large)
    assert await client.status() == 404
    client.send(large[:-1])
    assert await client.status() == 404


async def test_a_body_that_is_awaited_is_not_idle(load: Load) -> None:
    """Though the connection has answered a request long ago: there is a time for bodies, too."""
    client = await load.connect()
    client.send(webhook(1) + webhook(2)[:-1])
    assert await client.status() == 200
    await load.until(lambda: load.by_aiohttp == 2)
    load.clock[0] += LONGEST_IDLE
    load.connections.look()
    client.send(b"x")
    assert await client.status() == 200


@pytest.mark.parametrize("sent", [webhook(), LIVEZ, FORGED])
async def test_an_idle_connection_is_closed_in_time(load: Load, sent: bytes) -> None:
    """Whoever read its last request, and not before."""
    client = await load.connect()
    client.send(sent)
    await client.status()
    await load.until(lambda: settled(load))
    load.clock[0] += LONGEST_IDLE - 1
    load.connections.look()
    client.send(sent)
    await client.status()
    load.clock[0] += LONGEST_IDLE - 1
    load.connections.look()
    assert len(load.connections) == 1
    load.clock[0] += 1
    load.connections.look()
    await client.closed()
    await load.until(lambda: len(load.connections) == 0)
