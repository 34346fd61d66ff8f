"""The composition root: what a process is made of, put together in one place.

Here is what takes webhooks in; ``machinery.py`` has the rest.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from config.settings import Settings
from handlers.clock import Clock, utc_now
from handlers.provider import Provider
from receiver.accounts.registry import Accounts
from receiver.http.connections import Connections
from receiver.http.listening import Handed, public_connections, public_server
from receiver.http.metrics import LoadCollector
from receiver.http.public import Limits, PublicListener
from receiver.http.server import Server
from receiver.http.undeliverable import Undeliverable
from receiver.http.webhooks import Webhooks
from receiver.inbox import Inbox
from receiver.intake import Intake
from receiver.kafka.appender import Appender
from receiver.kafka.clients import Clients
from receiver.kafka.options import clients_for
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.registration.undelivered import FLUSH, Failures
from receiver.roles import ALL_ROLES, Role
from receiver.spool.drain import Drain
from receiver.spool.metrics import SpoolCollector
from receiver.spool.spool import Spool
from receiver.tasks import Tasks

if TYPE_CHECKING:
    from receiver.machinery import Machinery
    from receiver.shards.membership import Membership

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
        self.providers = providers
        self.roles = roles
        self.clock = clock
        self.rng = rng or Random()  # noqa: S311 - for jitter
        self.clients = clients or clients_for(settings.kafka)
        self.handed = handed
        self.alarms = Alarms(clock)
        self.metrics = Metrics(self.alarms)
        self.accounts = Accounts(providers)
        self.accounts.replace(settings.accounts)
        topics = (settings.topics.inbox, settings.topics.watch_requests)
        self.appender = Appender(self.clients, topics, alarms=self.alarms)
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
        self.draining = False
        self._tasks = Tasks()
        self._public: Server | None = None
        self._machinery: Machinery | None = None

    @property
    def memberships(self) -> "Mapping[Role, Membership]":
        """Return what the process works on, by role; nothing before it has started."""
        return {} if self._machinery is None else self._machinery.memberships

    async def start(self) -> Ports:
        """Start listening and working; Kafka need not be there yet.

        Raises:
            OSError: an address cannot be listened on.
        """
        self._tasks.spawn("appender", self.appender.run())
        # Webhooks come first: the rest keeps a core busy for a while, its imports to begin with.
        public = await self._start_receiving()
        self._machinery = (await asyncio.to_thread(_machinery))(self)
        return Ports(public, await self._machinery.start(self._tasks))

    async def _start_receiving(self) -> int | None:
        if self.spool is None or self.connections is None:
            return None
        await self.spool.open()
        drain = Drain(self.spool, self.appender, self.settings.topics.inbox, self.rng)
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
        if self._machinery is not None:
            await self._machinery.close()

    async def broken(self) -> str:
        """Wait until a part that should never end has ended; return its name."""
        return await self._tasks.any_ended()

    def _public_server(self, connections: Connections, intake: Intake) -> Server:
        http = self.settings.http
        limits = Limits(http.max_body, http.body_timeout.total_seconds())
        undeliverable = Undeliverable(
            self._failures, self.metrics, self.clock, http.answer_within.total_seconds()
        )
        webhooks = Webhooks(self.accounts, intake, self.metrics, self.clock, undeliverable)
        return public_server(http, PublicListener(webhooks, limits), connections, self.handed)


def _machinery() -> "type[Machinery]":
    """Import what webhooks can do without; in a thread, so that they are answered meanwhile."""
    from receiver.machinery import Machinery

    return Machinery
