"""What a process does beside taking webhooks: routing, polling, and answering its operator.

Its modules are as many as all others together. :class:`~receiver.service.Service` imports this one
only when webhooks are being received.
"""

from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING

from config.settings import Settings
from handlers.provider import Provider
from receiver.accounts.directory import AccountsDirectory
from receiver.care.known import NOBODY, CareSource
from receiver.http.admin import AdminListener
from receiver.http.dead_letters import DeadLettersApi
from receiver.http.explain import ExplainApi
from receiver.http.server import Server, admin_server
from receiver.http.watches import WatchesApi
from receiver.kafka.inspection import Inspection
from receiver.kafka.topics import wanted_topics
from receiver.observability.health import Health
from receiver.observability.registration_metrics import RegistrationCollector
from receiver.observability.shard_metrics import ShardCollector
from receiver.observability.status import Status
from receiver.pairs import pairs
from receiver.polling.caller import Caller
from receiver.polling.metrics import BudgetCollector
from receiver.polling.poller import Poller
from receiver.polling.visits import Visits
from receiver.registration.reach import why_unreachable
from receiver.roles import Role
from receiver.routing.expiry import Retention
from receiver.routing.route import Route
from receiver.routing.router import Router
from receiver.shards.membership import Membership
from receiver.tasks import Tasks

if TYPE_CHECKING:
    from receiver.service import Service


class Machinery:
    """The inner part of ``service``, whose roles say what of it is made."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._settings: Settings = service.settings
        self._inspection = Inspection(
            service.clients, wanted_topics(service.settings), service.alarms, monotonic=monotonic
        )
        self.memberships: dict[Role, Membership] = {}
        self._directory = self._accounts_directory(service.providers)
        self._caller = Caller(
            service.metrics,
            service.clock,
            max_response=self._settings.poller.max_response,
            concurrency=self._settings.poller.concurrency,
        )
        self._care: CareSource = NOBODY
        if Role.ROUTE in service.roles:
            self.memberships[Role.ROUTE] = self._router()
        if Role.POLL in service.roles:
            self.memberships[Role.POLL] = self._poller()
        service.metrics.registry.register(ShardCollector(self.memberships))
        self._admin = self._admin_server()

    async def start(self, tasks: Tasks) -> int:
        """Start the admin listener, and all that works, among ``tasks``; return the former's port.

        Raises:
            OSError: the address cannot be listened on.
        """
        port = await self._admin.start()
        tasks.spawn("inspection", self._inspection.run())
        if self._directory is not None:
            interval = self._settings.accounts_dir_interval.total_seconds()
            tasks.spawn("accounts-directory", self._directory.run(interval))
        await self._caller.start()
        for role, membership in self.memberships.items():
            tasks.spawn(f"{role}-membership", membership.run())
        return port

    async def close(self) -> None:
        """Close what is open, once the tasks have ended; the admin listener last."""
        await self._caller.close()
        await self._admin.stop()

    def _admin_server(self) -> Server:
        service, admin, topics = self._service, self._settings.admin, self._settings.topics
        health = Health(
            service.roles,
            topics,
            service.inbox,
            service.spool,
            self.memberships,
            self._inspection,
            lambda: service.draining,
            overload=lambda: service.connections.admission.problem if service.connections else "",
        )
        status = Status(
            service.accounts,
            service.alarms,
            service.inbox,
            self.memberships,
            health,
            self._from_directory,
            self._care,
            service.spool,
        )
        spool = self._settings.spool.directory
        listener = AdminListener(
            None if admin.token is None else admin.token.get_secret_value(),
            health,
            status,
            service.metrics,
            WatchesApi(service.accounts, service.clients, service.appender, topics),
            DeadLettersApi(service.clients, service.appender, topics),
            ExplainApi(
                service.accounts, frozenset(service.providers), service.clients, topics, spool
            ),
        )
        given = None if service.handed is None else service.handed.admin
        return admin_server(listener.application(), admin, given)

    def _accounts_directory(self, providers: Mapping[str, Provider]) -> AccountsDirectory | None:
        settings, service = self._settings, self._service
        if settings.accounts_dir is None:
            return None
        names = settings.directory_accounts
        return AccountsDirectory(
            settings.accounts_dir,
            {name: provider.settings for name, provider in providers.items()},
            {name: a for name, a in settings.accounts.items() if name not in names},
            service.accounts,
            service.alarms,
            present={name: settings.accounts[name] for name in names},
        )

    def _from_directory(self) -> frozenset[str]:
        return frozenset() if self._directory is None else self._directory.names

    def _router(self) -> Membership:
        settings, service = self._settings, self._service
        route = Route(service.accounts, settings.topics, settings.event.source_base)
        router = Router(
            route,
            settings.topics,
            service.metrics,
            service.alarms,
            service.clock,
            batch=settings.router.batch,
            retention=Retention(settings.ledger.retention, settings.kafka.dead_letter_retention),
        )
        spec = pairs(settings)[Role.ROUTE].spec
        return Membership(service.clients, spec, router.work, service.alarms)

    def _poller(self) -> Membership:
        http, service = self._settings.http, self._service
        visits = Visits(
            service.inbox,
            self._caller,
            service.alarms,
            service.clock,
            service.rng,
            public_url=http.public_url,
            reach=why_unreachable if http.probe_public_url else None,
        )
        service.metrics.registry.register(BudgetCollector(visits.owned))
        poller = Poller(service.accounts, visits, batch=self._settings.poller.batch)
        self._care = poller
        service.metrics.registry.register(
            RegistrationCollector(service.accounts, poller, lambda: service.clock().timestamp())
        )
        spec = pairs(self._settings)[Role.POLL].spec
        return Membership(service.clients, spec, poller.work, service.alarms)
