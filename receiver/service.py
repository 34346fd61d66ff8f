"""The composition root: everything a process is made of, put together in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from config.settings import Settings
from handlers.clock import Clock, utc_now
from handlers.provider import Provider
from receiver.accounts import Accounts
from receiver.alarms import Alarms
from receiver.http.public import Limits, PublicListener
from receiver.http.server import Server
from receiver.inbox import Inbox
from receiver.kafka.appender import Appender
from receiver.kafka.membership import Membership
from receiver.kafka.open_shard import ShardSpec
from receiver.kafka.options import clients_for
from receiver.metrics import Metrics
from receiver.polling.caller import Caller
from receiver.polling.poller import Poller
from receiver.polling.visits import Visits
from receiver.routing.route import Route
from receiver.routing.router import Router
from receiver.tasks import Tasks


class Role(StrEnum):
    """What a process does; all of it by default."""

    RECEIVE = "receive"
    ROUTE = "route"
    POLL = "poll"


ALL_ROLES = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that the listeners got; None where there is no such listener."""

    public: int | None
    admin: int


class Service:
    """One process of payevents, from :meth:`start` to :meth:`stop`."""

    def __init__(
        self,
        settings: Settings,
        providers: Mapping[str, Provider],
        *,
        roles: frozenset[Role] = ALL_ROLES,
        clock: Clock = utc_now,
        rng: Random | None = None,
    ) -> None:
        self.settings = settings
        self.roles = roles
        self.clients = clients_for(settings.kafka)
        self.alarms = Alarms(clock)
        self.metrics = Metrics(self.alarms)
        self.accounts = Accounts(providers)
        self.accounts.replace(settings.accounts)
        self.appender = Appender(self.clients)
        self.inbox = Inbox(self.appender, settings.topics.inbox)
        self.memberships: dict[Role, Membership] = {}
        self._clock = clock
        self._tasks = Tasks()
        self._public: Server | None = None
        self.draining = False
        self.caller = Caller(
            self.metrics,
            clock,
            max_response=settings.poller.max_response,
            concurrency=settings.poller.concurrency,
        )
        if Role.ROUTE in roles:
            self.memberships[Role.ROUTE] = self._router()
        if Role.POLL in roles:
            self.memberships[Role.POLL] = self._poller(rng or Random())  # noqa: S311 - jitter

    async def start(self) -> Ports:
        """Start listening and working; Kafka need not be there yet.

        Raises:
            OSError: an address cannot be listened on.
        """
        self._tasks.spawn("appender", self.appender.run())
        public = None
        if Role.RECEIVE in self.roles:
            self._public = self._public_server()
            public = await self._public.start()
        await self.caller.start()
        for role, membership in self.memberships.items():
            self._tasks.spawn(f"{role}-membership", membership.run())
        return Ports(public, 0)

    async def stop(self) -> None:
        """Finish what is under way and end: what was answered 200 is in Kafka."""
        if self._public is not None:
            await self._public.stop()
        await self._tasks.cancel()
        await self.caller.close()

    async def broken(self) -> str:
        """Wait until a part that should never end has ended; return its name."""
        return await self._tasks.any_ended()

    def _public_server(self) -> Server:
        http = self.settings.http
        limits = Limits(http.max_body, http.body_timeout.total_seconds())
        listener = PublicListener(self.accounts, self.inbox, self.metrics, self._clock, limits)
        keepalive = http.keepalive_timeout.total_seconds()
        return Server(listener.application(), http.host, http.port, keepalive=keepalive)

    def _router(self) -> Membership:
        settings = self.settings
        route = Route(self.accounts, settings.topics, settings.event.source_base)
        router = Router(
            route, settings.topics, self.metrics, self._clock, batch=settings.router.batch
        )
        topics = settings.topics
        return Membership(
            self.clients, self._spec(Role.ROUTE, topics.inbox, topics.ledger), router.work
        )

    def _poller(self, rng: Random) -> Membership:
        visits = Visits(self.inbox, self.caller, self.alarms, self._clock, rng)
        topics = self.settings.topics
        return Membership(
            self.clients,
            self._spec(Role.POLL, topics.watch_requests, topics.watchlist),
            Poller(self.accounts, visits).work,
        )

    def _spec(self, role: Role, input_topic: str, table_topic: str) -> ShardSpec:
        return ShardSpec(role.value, self.settings.kafka.application, input_topic, table_topic)
