"""The public listener under load: an intake that waits, and clients that speak in bytes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Literal, Self, cast
from unittest.mock import patch

from aiohttp import web

from config.listeners import HttpSettings
from handlers.observation import Observation
from handlers.smartpay import provider
from handlers.smartpay.settings import SmartPaySettings
from receiver.accounts.registry import Accounts
from receiver.http import protocol
from receiver.http.admission import Admission
from receiver.http.connections import Connections
from receiver.http.listening import public_server
from receiver.http.public import Limits, PublicListener
from receiver.http.server import SHUTDOWN
from receiver.http.webhooks import Webhooks
from receiver.intake import Ended, Intake
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from tests.unit.receiver.http.test_public import KEY, TOPIC, NotedFailures, signature, status

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WITHIN = 20.0
MOST_BODY = 8 * 1024
PENDING = 16 * MOST_BODY
HEAD_TIMEOUT = 10.0
LINGER = 0.1
"""Seconds for which the rest of what is refused is read: the end of a test may wait for it."""
LONGEST_IDLE = 30.0


@dataclass
class WaitingIntake:
    """Takes observations, but answers for none before it is let go."""

    taken: list[Observation] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: set[asyncio.Future[Literal[True]]] = field(default_factory=set)

    def take(self, _: str, observation: Observation, ended: Ended) -> None:
        """Accept it, once the intake goes on."""
        self.taken.append(observation)
        waiting = asyncio.ensure_future(self.go.wait())
        self.waiting.add(waiting)
        waiting.add_done_callback(self.waiting.discard)
        waiting.add_done_callback(lambda _: ended(True))


@dataclass
class Client:
    """One connection to the listener."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        """Send bytes, without waiting for anything."""
        self.writer.write(data)

    async def answer(self) -> bytes:
        """Return the head of the next answer, its body thrown away."""
        async with asyncio.timeout(WITHIN):
            head = await self.reader.readuntil(b"\r\n\r\n")
            for line in head.lower().splitlines():
                if line.startswith(b"content-length:"):
                    await self.reader.readexactly(int(line.split(b":")[1]))
        return head

    async def status(self) -> int:
        """Return the status of the next answer."""
        return status(await self.answer())

    async def closed(self) -> None:
        """Wait until the listener has closed the connection."""
        async with asyncio.timeout(WITHIN):
            with contextlib.suppress(ConnectionError):
                while await self.reader.read(4096):
                    pass


class CountingListener(PublicListener):
    """The listener, which counts what aiohttp hands to it."""

    handled = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        self.handled += 1
        return await super().handle(request)


@dataclass
class Load:
    """A listener with small limits, its clients, and a clock that the test moves."""

    port: int
    connections: Connections
    intake: WaitingIntake
    alarms: Alarms
    clock: list[float]
    failures: NotedFailures
    listener: "CountingListener"
    stop: Callable[[], Awaitable[None]]
    clients: list[Client] = field(default_factory=list)

    @property
    def admission(self) -> Admission:
        """Return the budget."""
        return self.connections.admission

    @property
    def by_aiohttp(self) -> int:
        """Return how many requests aiohttp has read."""
        return self.listener.handled

    @property
    def pending(self) -> int:
        """Return all bytes charged."""
        return self.admission.arriving + self.admission.kept

    @property
    def _seen(self) -> tuple[int, int]:
        # More bytes, or as many as before and others cut off for them.
        return self.pending, self.admission.refused.total()

    async def connect(self) -> Client:
        """Return a new client."""
        client = await Client.connect(self.port)
        self.clients.append(client)
        return client

    async def begin(self, data: bytes) -> Client:
        """Return a new client that has sent ``data``, once the listener has read it."""
        before = self._seen
        client = await self.connect()
        client.send(data)
        await self.until(lambda: self._seen != before)
        return client

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened."""
        deadline = time.monotonic() + WITHIN
        while not happened():
            assert time.monotonic() < deadline, "it never happened"
            await asyncio.sleep(0.001)


def head(length: int, *headers: str, path: str = "/webhooks/shop", method: str = "POST") -> bytes:
    """Return the head of a request that announces a body of ``length`` bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: pay", f"Content-Length: {length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def webhook(size: int = 100) -> bytes:
    """Return a signed webhook with a body of ``size`` bytes, head and all."""
    body = b"x" * size
    return head(size, TOPIC, signature(body)) + body


@contextlib.asynccontextmanager
async def listening(*, most: int = 1000, shutdown: float = SHUTDOWN) -> AsyncIterator[Load]:
    """Yield a listener that lets ``most`` connections in.

    When it stops, it waits ``shutdown`` seconds for what it is at.
    """
    shop = provider.bind(SmartPaySettings.model_validate({"name": "shop", "api_key": KEY}))
    accounts = SimpleNamespace(get=lambda name: shop if name == "shop" else None)
    alarms, intake, clock = Alarms(lambda: NOW), WaitingIntake(), [0.0]
    metrics, failures = Metrics(alarms), NotedFailures()
    undeliverable = failures.undeliverable(metrics, 60)
    webhooks = Webhooks(
        cast("Accounts", accounts), cast("Intake", intake), metrics, lambda: NOW, undeliverable
    )
    listener = CountingListener(webhooks, Limits(MOST_BODY, WITHIN))
    connections = Connections(
        Admission(PENDING, alarms, lambda: clock[0]),
        most=most,
        head_timeout=HEAD_TIMEOUT,
        longest_idle=LONGEST_IDLE,
        monotonic=lambda: clock[0],
    )
    settings = HttpSettings(host="127.0.0.1", port=0, max_connections=most)
    with patch.object(protocol, "_LINGER", LINGER):
        server = public_server(settings, listener, connections)
    server.runner._shutdown_timeout = shutdown
    port = await server.start()
    load = Load(port, connections, intake, alarms, clock, failures, listener, server.stop)
    try:
        yield load
    finally:
        intake.go.set()
        for client in load.clients:
            client.writer.close()
        await server.stop()
