"""The stage: the sandboxes and the real service between them and a broker, and the story told."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

import orjson
from aiohttp import ClientSession

from config.kafka import KafkaSettings
from config.listeners import AdminSettings, HttpSettings
from config.machine import SpoolSettings
from config.settings import Settings
from handlers.jsontext import Json, compact
from handlers.provider import Provider
from handlers.sandbox import Step
from receiver.demo.audience import Audience
from receiver.kafka.clients import Clients
from receiver.kafka.options import clients_for
from receiver.kafka.topics import create_topics, wanted_topics
from receiver.sandbox.host import SandboxHost
from receiver.service import Ports, Role, Service
from receiver.shards.shard import ShardState

PARTITIONS = 2
POLL_EVERY = timedelta(seconds=1)
_READY_WITHIN = 60.0
_PAUSE = 0.1


class StageFailed(Exception):
    """The demo cannot be put up; ``str()`` says why."""


class Stage:
    """Everything the demo runs, from ``async with`` to its end; ``prefix`` is the topics'."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        bootstrap_servers: str,
        folder: Path,
        *,
        prefix: str = "",
        make_clients: type[Clients] = Clients,
    ) -> None:
        self.hosts = {
            f"{name}-demo": SandboxHost(provider.sandbox()) for name, provider in providers.items()
        }
        self._providers = providers
        self._kafka = KafkaSettings(
            bootstrap_servers=bootstrap_servers,
            topic_prefix=prefix,
            partitions=PARTITIONS,
            replication_factor=1,
            session_timeout=timedelta(seconds=6),
        )
        self._folder = folder
        self._make_clients = make_clients
        self._open = AsyncExitStack()
        self.service: Service
        self.audience: Audience
        self.ports: Ports
        self._client: ClientSession
        self._listening: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        """Put everything up and wait until it works.

        Raises:
            StageFailed: a part does not start.
            TopicsFailed: the cluster refuses the topics.
            KafkaError: it cannot be reached.
        """
        async with AsyncExitStack() as opened:
            self._client = await opened.enter_async_context(ClientSession(trust_env=False))
            for host in self.hosts.values():
                await opened.enter_async_context(host)
            settings = self._settings()
            made = clients_for(settings.kafka)
            clients = self._make_clients(made.options, made.timeouts)
            self.service = Service(settings, self._providers, clients=clients)
            await create_topics(self.service.clients, wanted_topics(settings))
            self.ports = await self.service.start()
            opened.push_async_callback(self.service.stop)
            await self._await_work()
            self._listen(settings)
            opened.push_async_callback(self._stop_listening)
            for name, host in self.hosts.items():
                host.sandbox.subscribe(f"{self.webhooks}/{name}")
            self._open = opened.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take everything down."""
        await self._open.aclose()

    @property
    def webhooks(self) -> str:
        """Return the URL that webhooks are sent below."""
        return f"http://127.0.0.1:{self.ports.public}/webhooks"

    @property
    def admin(self) -> str:
        """Return the URL of the admin listener."""
        return f"http://127.0.0.1:{self.ports.admin}"

    async def tell_stories(self) -> None:
        """Let every sandbox tell its story; return when the last one has."""
        stories = (self._tell(name, host) for name, host in self.hosts.items())
        await asyncio.gather(*stories)

    def caused(self) -> Mapping[str, frozenset[UUID]]:
        """Return the ids of all facts that the sandboxes have told of so far, by account."""
        return {name: host.sandbox.caused(name) for name, host in self.hosts.items()}

    def check(self) -> None:
        """Raise what ended the audience, if anything did."""
        if self._listening.done():
            self._listening.result()

    def _settings(self) -> Settings:
        accounts = {
            name: host.sandbox.account(name, host.base_url).model_copy(
                update={"poll_interval": POLL_EVERY}
            )
            for name, host in self.hosts.items()
        }
        return Settings(
            http=HttpSettings(host="127.0.0.1", port=0, drain_delay=timedelta()),
            admin=AdminSettings(port=0),
            kafka=self._kafka,
            spool=SpoolSettings(directory=self._folder),
            accounts=accounts,
        )

    async def _await_work(self) -> None:
        try:
            async with asyncio.timeout(_READY_WITHIN):
                while not (self.service.inbox.available and self._shards_run()):  # noqa: ASYNC110
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise StageFailed("the service did not begin to work: see its log") from None

    def _shards_run(self) -> bool:
        shards = [
            shard
            for role in (Role.ROUTE, Role.POLL)
            for shard in self.service.memberships[role].shards
        ]
        running = [shard for shard in shards if shard.state is ShardState.RUNNING]
        return len(running) == 2 * PARTITIONS

    def _listen(self, settings: Settings) -> None:
        topics = settings.topics
        self.audience = Audience(self.service.clients, topics.events, topics.dead_letters)
        self._listening = asyncio.create_task(self.audience.run(), name="audience")

    async def _stop_listening(self) -> None:
        self._listening.cancel()
        await asyncio.wait([self._listening])

    async def _tell(self, account: str, host: SandboxHost) -> None:
        begun = asyncio.get_running_loop().time()
        for step in host.sandbox.story:
            elapsed = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(max(0.0, step.at - elapsed))
            await self._take(account, host, step)

    async def _take(self, account: str, host: SandboxHost, step: Step) -> None:
        shown = await host.control(step.control, **step.arguments)
        if step.watch:
            await self._register(account, shown)

    async def _register(self, account: str, resource: Json) -> None:
        body = compact({"account": account, "resource": resource})
        async with self._client.post(f"{self.admin}/v1/watches", data=body) as answer:
            if answer.status != 202:
                told = orjson.loads(await answer.read())
                raise StageFailed(f"a resource was not registered: {told}")
