"""The composition root: everything a process is made of, put together in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from time import monotonic

from config.settings import Settings
from handlers.clock import Clock, utc_now
from handlers.provider import Provider
from receiver.accounts.directory import AccountsDirectory
from receiver.accounts.registry import Accounts
from receiver.care.known import NOBODY, CareSource
from receiver.http.admin import AdminListener
from receiver.http.connections import Connections
from receiver.http.dead_letters import DeadLettersApi
from receiver.http.explain import ExplainApi
from receiver.http.listening import Handed, public_connections, public_server
from receiver.http.metrics import LoadCollector
from receiver.http.public import Limits, PublicListener
from receiver.http.server import Server
from receiver.http.undeliverable import Undeliverable
from receiver.http.watches import WatchesApi
from receiver.inbox import Inbox
from receiver.intake import Intake
from receiver.kafka.appender import Appender
from receiver.kafka.clients import Clients
from receiver.kafka.inspection import Inspection
from receiver.kafka.options import clients_for
from receiver.kafka.topics import wanted_topics
from receiver.observability.alarms import Alarms
from receiver.observability.health import Health
from receiver.observability.metrics import Metrics
from receiver.observability.registration_metrics import RegistrationCollector
from receiver.observability.shard_metrics import ShardCollector
from receiver.observability.status import Status
from receiver.pairs import pairs
from receiver.polling.caller import Caller
from receiver.polling.metrics import BudgetCollector
from receiver.polling.poller import Poller
from receiver.polling.visits import Visits
from receiver.registration.reach import why_unreachable
from receiver.registration.undelivered import FLUSH, Failures
from receiver.roles import ALL_ROLES, Role
from receiver.routing.expiry import Retention
from receiver.routing.route import Route
from receiver.routing.router import Router
from receiver.shards.membership import Membership
from receiver.spool.drain import Drain
from receiver.spool.metrics import SpoolCollector
from receiver.spool.spool import Spool
from receiver.tasks import Tasks

__all__ = ["ALL_ROLES", "Ports", "Role", "Service"]


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that the listeners got; None without that listener, 0 on a unix socket."""

    public: int | None
    admin: int


class Service:
    """One process of payevents, from :meth:`start` to :meth:`stop`.

    ``handed`` is what it listens on where it is one of several workers.
    """

    def __init__(
        self,
        settings: Settings,
        providers: Mapping[str, Provider],
        *,
        roles: frozenset[Role] = ALL_ROLES,
        clock: Clock = utc_now,
        rng: Random | None = None,
        clients: Clients | None = None,
        handed: Handed | None = None,
    ) -> None:
        self.settings = settings
        self.roles = roles
        self.clients = clients or clients_for(settings.kafka)
        self.alarms = Alarms(clock)
        self.metrics = Metrics(self.alarms)
        self._providers = frozenset(providers)
        self.accounts = Accounts(providers)
        self.accounts.replace(settings.accounts)
        self.appender = Appender(
            self.clients, (settings.topics.inbox, settings.topics.watch_requests)
        )
        self.inbox = Inbox(self.appender, settings.topics.inbox)
        # Their own producer: a sign that Kafka does not take must not send a webhook to the spool.
        self._signs = Appender(self.clients, (settings.topics.watch_requests,), what="signs")
        self._failures = Failures(self._signs, settings.topics.watch_requests)
        self.spool: Spool | None = None
        self.connections: Connections | None = None
        if Role.RECEIVE in roles:
            limit = settings.spool.max_bytes
            self.spool = Spool(settings.spool.directory, limit, self.alarms)
            self.metrics.registry.register(SpoolCollector(self.spool, limit))
            self.connections = public_connections(settings.http, self.alarms)
            self.metrics.registry.register(LoadCollector(self.connections))
        self.inspection = Inspection(
            self.clients, wanted_topics(settings), self.alarms, monotonic=monotonic
        )
        self.memberships: dict[Role, Membership] = {}
        self._clock = clock
        self._rng = rng or Random()  # noqa: S311 - for jitter
        self._tasks = Tasks()
        self._handed = handed
        self._public: Server | None = None
        self.draining = False
        self._directory = self._accounts_directory(providers)
        self.caller = Caller(
            self.metrics,
            clock,
            max_response=settings.poller.max_response,
            concurrency=settings.poller.concurrency,
        )
        self._care: CareSource = NOBODY
        if Role.ROUTE in roles:
            self.memberships[Role.ROUTE] = self._router()
        if Role.POLL in roles:
            self.memberships[Role.POLL] = self._poller()
        self.metrics.registry.register(ShardCollector(self.memberships))
        self._admin = self._admin_server()

    async def start(self) -> Ports:
        """Start listening and working; Kafka need not be there yet.

        Raises:
            OSError: an address cannot be listened on.
        """
        self._tasks.spawn("appender", self.appender.run())
        # Webhooks come first: the shards' start keeps a core busy for a while.
        public = await self._start_receiving()
        admin = await self._admin.start()
        self._tasks.spawn("inspection", self.inspection.run())
        if self._directory is not None:
            interval = self.settings.accounts_dir_interval.total_seconds()
            self._tasks.spawn("accounts-directory", self._directory.run(interval))
        await self.caller.start()
        for role, membership in self.memberships.items():
            self._tasks.spawn(f"{role}-membership", membership.run())
        return Ports(public, admin)

    async def _start_receiving(self) -> int | None:
        if self.spool is None or self.connections is None:
            return None
        await self.spool.open()
        drain = Drain(self.spool, self.appender, self.settings.topics.inbox, self._rng)
        self._tasks.spawn("spool-drain", drain.run())
        self._tasks.spawn("signs", self._signs.run())
        self._tasks.spawn("failures", self._failures.run())
        self._public = self._public_server(self.connections, Intake(self.inbox, self.spool))
        self._tasks.spawn("connections", self.connections.run())
        return await self._public.start()

    async def stop(self) -> None:
        """Finish what is under way and end: what was answered 200 is in Kafka or in the spool.

        The admin listener closes last, so that whoever asks is told to the end.
        """
        if self._public is not None:
            await self._public.stop()
            await self._failures.flush(FLUSH)
        await self._tasks.cancel()
        if self.spool is not None:
            await self.spool.close()
        await self.caller.close()
        await self._admin.stop()

    async def broken(self) -> str:
        """Wait until a part that should never end has ended; return its name."""
        return await self._tasks.any_ended()

    def _public_server(self, connections: Connections, intake: Intake) -> Server:
        http = self.settings.http
        limits = Limits(http.max_body, http.body_timeout.total_seconds())
        undeliverable = Undeliverable(
            self._failures, self.metrics, self._clock, http.answer_within.total_seconds()
        )
        listener = PublicListener(
            self.accounts, intake, self.metrics, self._clock, limits, undeliverable
        )
        return public_server(http, listener, connections, self._handed)

    def _admin_server(self) -> Server:
        admin, topics = self.settings.admin, self.settings.topics
        health = Health(
            self.roles,
            topics,
            self.inbox,
            self.spool,
            self.memberships,
            self.inspection,
            lambda: self.draining,
            overload=lambda: self.connections.admission.problem if self.connections else "",
        )
        status = Status(
            self.accounts,
            self.alarms,
            self.inbox,
            self.memberships,
            health,
            self._from_directory,
            self._care,
        )
        listener = AdminListener(
            None if admin.token is None else admin.token.get_secret_value(),
            health,
            status,
            self.metrics,
            WatchesApi(self.accounts, self.clients, self.appender, topics),
            DeadLettersApi(self.clients, self.appender, topics),
            ExplainApi(
                self.accounts, self._providers, self.clients, topics, self.settings.spool.directory
            ),
        )
        given = None if self._handed is None else self._handed.admin
        return Server(listener.application(), admin.host, admin.port, given=given)

    def _accounts_directory(self, providers: Mapping[str, Provider]) -> AccountsDirectory | None:
        settings = self.settings
        if settings.accounts_dir is None:
            return None
        names = settings.directory_accounts
        return AccountsDirectory(
            settings.accounts_dir,
            {name: provider.settings for name, provider in providers.items()},
            {name: a for name, a in settings.accounts.items() if name not in names},
            self.accounts,
            self.alarms,
            present={name: settings.accounts[name] for name in names},
        )

    def _from_directory(self) -> frozenset[str]:
        return frozenset() if self._directory is None else self._directory.names

    def _router(self) -> Membership:
        settings = self.settings
        route = Route(self.accounts, settings.topics, settings.event.source_base)
        router = Router(
            route,
            settings.topics,
            self.metrics,
            self.alarms,
            self._clock,
            batch=settings.router.batch,
            retention=Retention(settings.ledger.retention, settings.kafka.dead_letter_retention),
        )
        spec = pairs(settings)[Role.ROUTE].spec
        return Membership(self.clients, spec, router.work, self.alarms)

    def _poller(self) -> Membership:
        http = self.settings.http
        visits = Visits(
            self.inbox,
            self.caller,
            self.alarms,
            self._clock,
            self._rng,
            public_url=http.public_url,
            reach=why_unreachable if http.probe_public_url else None,
        )
        self.metrics.registry.register(BudgetCollector(visits.owned))
        poller = Poller(self.accounts, visits, batch=self.settings.poller.batch)
        self._care = poller
        self.metrics.registry.register(
            RegistrationCollector(self.accounts, poller, lambda: self._clock().timestamp())
        )
        spec = pairs(self.settings)[Role.POLL].spec
        return Membership(self.clients, spec, poller.work, self.alarms)
