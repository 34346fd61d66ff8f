"""The real admin listener, before accounts, alarms, shards and letters that a test makes up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web
from msgspec.structs import replace

from config.account import AccountSettings
from config.topics import Topics
from handlers.clock import utc_now
from handlers.smartpay import provider as smartpay
from handlers.smartpay.topics import TOPICS
from handlers.voucherry import provider as voucherry
from handlers.voucherry.settings import VoucherrySettings
from receiver.accounts.registry import Accounts
from receiver.care.known import Asked, Care
from receiver.dead_letters.finding import Listing, OfReason
from receiver.http.admin import AdminListener
from receiver.http.dead_letters import DeadLettersApi
from receiver.http.exchange import answer
from receiver.http.explain import ExplainApi
from receiver.http.server import Server
from receiver.http.watches import WatchesApi
from receiver.inbox import Inbox
from receiver.kafka.appender import Appender
from receiver.kafka.clients import Clients
from receiver.observability.alarms import Alarms
from receiver.observability.health import Health
from receiver.observability.metrics import Metrics
from receiver.observability.report import Part, Report, State
from receiver.observability.status import Status
from receiver.registration.registered import Listed, Registered, TopicRegistration
from receiver.registration.signs import Failure
from receiver.registration.vitals import TopicVitals, Vitals
from receiver.roles import Role
from receiver.shards.membership import Membership
from receiver.shards.shard import ShardState
from receiver.spool.spool import Spool
from tests.unit.receiver.registration.shop import handler

TOKEN = "the-admin-token-ä"
PAID = "invoice/paid"
DAY = 24 * 3600.0
HOOK = "https://pay.example.com/webhooks/shop"
WELL = Asked(25, 60, 3600.0, answered_at=utc_now().timestamp() - 9)


@dataclass
class Source:
    """Tells of the accounts what a test wants."""

    care: dict[str, Care] = field(default_factory=dict)
    polling: dict[str, Asked] = field(default_factory=dict)

    def accounts(self) -> Mapping[str, Care]:
        """Return their care."""
        return self.care

    def asked(self) -> Mapping[str, Asked]:
        """Return how their providers are asked."""
        return self.polling


@dataclass
class Letters:
    """Answers ``/v1/dead-letters`` with the listing that a test wants."""

    listing: Listing = field(default_factory=lambda: Listing([], 0))

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the route."""
        router.add_get("/v1/dead-letters", self._list)

    async def _list(self, _: web.Request) -> web.Response:
        return answer(self.listing.as_json())


class Stage:
    """What the page is shown; the attributes are there to be changed."""

    def __init__(self, folder: Path, token: str | None = TOKEN) -> None:
        self.token = token
        self.accounts = Accounts({"smartpay": smartpay, "voucherry": voucherry})
        self.alarms = Alarms(utc_now)
        self.source = Source()
        self.letters = Letters()
        self.report = Report(True, {"receive": Part(State.OK), "kafka": Part(State.OK)})
        self.spool = SimpleNamespace(
            available=True, problem="", full="", slow="", count=0, bytes=0, max_bytes=1 << 30
        )
        self.shards: list[Any] = []
        self.status: Status
        self._folder = folder
        self._server: Server | None = None

    async def start(self) -> str:
        """Serve; return the URL of the console."""
        self._server = Server(self._listener().application(), "127.0.0.1", 0)
        return f"http://127.0.0.1:{await self._server.start()}/"

    async def stop(self) -> None:
        """Serve no more."""
        if self._server is not None:
            await self._server.stop()

    def have(self, *accounts: AccountSettings) -> None:
        """Have these accounts, and no others."""
        self.accounts.replace({account.name: account for account in accounts})

    def shard(self, role: Role, partition: int, lag: int | None = 0) -> None:
        """Have a shard; without a lag it is not restored yet."""
        state = ShardState.RESTORING if lag is None else ShardState.RUNNING
        opened = None if lag is None else SimpleNamespace(lag=lambda: lag)
        shard = SimpleNamespace(partition=partition, state=state, open=opened, problem="")
        self.shards.append((role, shard))

    def _listener(self) -> AdminListener:
        topics, clients = Topics.named("", ()), Clients({"bootstrap_servers": "127.0.0.1:1"})
        appender = cast("Appender", None)
        health = cast("Health", SimpleNamespace(report=lambda: self.report))
        self.status = Status(
            self.accounts,
            self.alarms,
            cast("Inbox", SimpleNamespace(available=True, problem="")),
            {role: self._membership(role) for role in (Role.ROUTE, Role.POLL)},
            health,
            tuple,
            self.source,
            cast("Spool", self.spool),
        )
        return AdminListener(
            self.token,
            health,
            self.status,
            Metrics(self.alarms),
            WatchesApi(self.accounts, clients, appender, topics),
            cast("DeadLettersApi", self.letters),
            ExplainApi(self.accounts, ["smartpay"], clients, topics, self._folder),
        )

    def _membership(self, role: Role) -> Membership:
        stage = self

        class Made:
            @property
            def shards(self) -> list[Any]:
                return [shard for of, shard in stage.shards if of is role]

        return cast("Membership", Made())


def shop(name: str = "shop") -> AccountSettings:
    """Return a SmartPay account."""
    return handler(name=name, api_key=f"key of {name}").account


def cherries(name: str = "cherries") -> AccountSettings:
    """Return a Voucherry account."""
    return VoucherrySettings.model_validate({"name": name, "auth_token": "never-to-be-shown"})


def proven() -> Registered:
    """Return what is known where all topics are proven since yesterday."""
    now = utc_now().timestamp()
    return Registered(
        url=HOOK,
        listed=tuple(Listed(f"w{index}", topic, HOOK) for index, topic in enumerate(TOPICS)),
        listed_at=now - 60,
        topics={
            topic: TopicRegistration(f"w{index}", enabled_at=now - DAY, proven_at=now - DAY)
            for index, topic in enumerate(TOPICS)
        },
        ours=tuple(f"w{index}" for index in range(len(TOPICS))),
    )


def with_problem(problem: str) -> Registered:
    """Return the same, but that the last step for paid invoices failed."""
    known = proven()
    one = replace(known.of(PAID), problem=problem)
    return replace(known, topics={**known.topics, PAID: one})


def refused(*whys: tuple[int | None, str]) -> Vitals:
    """Return what is known where webhooks of paid invoices were refused, for these reasons."""
    now = utc_now().timestamp()
    failures = tuple(
        Failure(PAID, status, why, now - 60 + index, f"request-{index}", f"{index:064x}")
        for index, (status, why) in enumerate(whys)
    )
    return Vitals(topics={PAID: TopicVitals(alive_at=now - DAY / 2, failures=failures)})


def of_reason(reason: str, letters: int) -> OfReason:
    """Return so many letters of a reason."""
    return OfReason(reason, letters, utc_now())
