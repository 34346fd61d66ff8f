"""The admin listener on a test client, with stand-ins for whatever needs Kafka."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from config.topics import Topics
from handlers.voucherry import provider
from handlers.voucherry.settings import VoucherrySettings
from receiver.accounts.registry import Accounts
from receiver.http.admin import AdminListener
from receiver.http.dead_letters import DeadLettersApi
from receiver.http.explain import ExplainApi
from receiver.http.watches import WatchesApi
from receiver.inbox import Inbox
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.clients import Clients
from receiver.observability.alarms import Alarms
from receiver.observability.health import Health
from receiver.observability.metrics import Metrics
from receiver.observability.report import Part, Report, State
from receiver.observability.status import Status

TOKEN = "the-admin-token-ä"
ACCOUNT_SECRET = "never-to-be-shown"
START = datetime(2026, 1, 1, tzinfo=UTC)

Client: TypeAlias = "TestClient[Any, Any]"
Connect: TypeAlias = Callable[..., Awaitable[Client]]


@dataclass
class FakeAppender:
    """Keeps what is appended, or refuses it."""

    appended: list[tuple[str, bytes, bytes, bytes | None]] = field(default_factory=list)
    away: bool = False

    async def append(
        self, topic: str, key: bytes, value: bytes, *, partition_key: bytes | None = None
    ) -> tuple[int, int]:
        """Append as the real one does."""
        if self.away:
            raise NotDurable("Kafka is away")
        self.appended.append((topic, key, value, partition_key))
        return 0, len(self.appended)


@dataclass
class FakeHealth:
    """Tells the report that a test wants."""

    told: Report = field(default_factory=lambda: Report(True, {"receive": Part(State.OK)}))

    def report(self) -> Report:
        """Return it."""
        return self.told


@pytest.fixture
def appender() -> FakeAppender:
    """Return the appender behind the API."""
    return FakeAppender()


@pytest.fixture
def health() -> FakeHealth:
    """Return the health behind the API."""
    return FakeHealth()


@pytest.fixture
def alarms() -> Alarms:
    """Return the alarms behind the API."""
    return Alarms(lambda: START)


@pytest.fixture
def connect(
    appender: FakeAppender,
    health: FakeHealth,
    alarms: Alarms,
    tmp_path: Path,
    aiohttp_client: Callable[[TestServer], Awaitable[Client]],
) -> Connect:
    """Return what connects a client to the listener, with a token or without."""
    accounts = Accounts({"voucherry": provider})
    token = SecretStr(ACCOUNT_SECRET)
    accounts.replace({"cherries": VoucherrySettings(name="cherries", auth_token=token)})
    topics = Topics.named("", ())
    # Nobody listens there: what reads from Kafka fails at once.
    clients = Clients({"bootstrap_servers": "127.0.0.1:1"})
    inbox = cast("Inbox", SimpleNamespace(available=True, problem=""))
    real_health, real_appender = cast("Health", health), cast("Appender", appender)

    async def connected(admin_token: str | None = None) -> Client:
        listener = AdminListener(
            admin_token,
            real_health,
            Status(accounts, alarms, inbox, {}, real_health, lambda: ["cherries"]),
            Metrics(alarms),
            WatchesApi(accounts, clients, real_appender, topics),
            DeadLettersApi(clients, real_appender, topics),
            ExplainApi(accounts, ["voucherry"], clients, topics, tmp_path),
        )
        return await aiohttp_client(TestServer(listener.application()))

    return connected
