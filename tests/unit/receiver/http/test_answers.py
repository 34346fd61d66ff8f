"""The 200 that is written in one piece is one that any client reads as it would aiohttp's own."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from receiver.http import answers
from tests.unit.receiver.http.load import Client, Load, listening, webhook


@pytest.fixture
async def load() -> AsyncIterator[Load]:
    """Return a listener whose intake takes everything at once."""
    async with listening() as load:
        load.intake.go.set()
        yield load


async def test_it_says_what_it_must(load: Load) -> None:
    """Type, length and date are there once each, and an id of 32 hexadecimal digits."""
    client = await load.connect()
    client.send(webhook())
    status, *lines = (await client.answer()).decode().strip().split("\r\n")
    assert status == "HTTP/1.1 200 OK"
    names = [line.split(": ")[0] for line in lines]
    assert sorted(names) == ["Content-Length", "Content-Type", "Date", "X-Request-Id"]
    said = dict(line.split(": ", 1) for line in lines)
    assert said["Content-Type"] == "text/plain; charset=utf-8"
    assert re.fullmatch(r"[0-9a-f]{32}", said["X-Request-Id"])
    age = datetime.now(UTC) - parsedate_to_datetime(said["Date"])
    assert timedelta(seconds=-1) < age < timedelta(minutes=1)


async def test_answers_follow_each_other_on_one_connection(load: Load) -> None:
    """Webhooks sent without waiting are each answered whole, each with an id of its own."""
    client = await load.connect()
    client.send(webhook() * 5)
    heads = [await client.answer() for _ in range(5)]
    assert all(head.startswith(b"HTTP/1.1 200 ") for head in heads)
    assert len({_id(head) for head in heads}) == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((b" HTTP/1.1", b" HTTP/1.0"), b"HTTP/1.0 200 OK\r\n"),
        ((b"Host", b"Connection: close\r\nHost"), b"\r\nConnection: close\r\n"),
    ],
)
async def test_a_sender_that_wants_it_closed_is_told_so(
    load: Load, change: tuple[bytes, bytes], said: bytes
) -> None:
    """HTTP/1.0, or whoever asks for it, gets an answer that ends the connection."""
    client = await load.connect()
    client.send(webhook().replace(*change, 1))
    head = await client.answer()
    assert said in head
    assert _id(head)
    await client.closed()


def test_the_date_goes_on() -> None:
    """What the answers of a second share is made anew for the next one."""
    assert "Date: Thu, 01 Jan 1970 00:00:01 GMT\r\n" in answers._head(1)
    assert "Date: Thu, 01 Jan 1970 00:00:02 GMT\r\n" in answers._head(2)


def _id(head: bytes) -> bytes:
    [found] = re.findall(rb"\r\nX-Request-Id: ([0-9a-f]{32})\r\n", head)
    return bytes(found)


async def test_nobody_left_to_read_it_is_no_defect(load: Load) -> None:
    """A sender that is gone by then ends its connection, and nothing else."""
    load.intake.go.clear()
    client: Client = await load.begin(webhook())
    await load.until(lambda: len(load.intake.taken) == 1)
    client.writer.close()
    await load.until(lambda: len(load.connections) == 0)
    load.intake.go.set()
    await load.until(lambda: [f.status for f in load.failures.noted] == [None])
