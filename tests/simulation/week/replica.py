"""What each replica runs: receiving, routing and polling, put together as the service does it."""

import asyncio
from dataclasses import dataclass, field
from random import Random

from handlers.clock import Clock
from handlers.exchange import Request, Response
from receiver.http.undeliverable import Undeliverable
from receiver.inbox import Inbox
from receiver.kafka.appender import Appender
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.polling.caller import Caller, Line
from receiver.polling.poller import Poller
from receiver.polling.visits import Visits
from receiver.registration.undelivered import Failures
from receiver.roles import Role
from receiver.routing.route import Route
from receiver.routing.router import Router
from receiver.shards.membership import Membership
from receiver.shards.open_shard import OpenShard, ShardSpec
from tests.simulation.programs import router_spec
from tests.simulation.week.configuration import Configuration
from tests.simulation.week.front import PATIENCE, Front, Receiver
from tests.simulation.week.plan import PUBLIC_URL
from tests.simulation.week.smartpay import SmartPay
from tests.simulation.world import TOPICS, Machine


class SimulatedCaller(Caller):
    """Asks SmartPay's stand-in instead of the network; all limits are the real ones."""

    def __init__(self, smartpay: SmartPay, metrics: Metrics, clock: Clock) -> None:
        super().__init__(metrics, clock, max_response=1 << 20, concurrency=4)
        self._smartpay = smartpay
        self._clock = clock

    async def _exchange(self, line: Line, request: Request) -> Response:
        async with asyncio.timeout(line.account.call_timeout.total_seconds()):
            answer = await self._smartpay.exchange(request)
        return Response(answer.status, answer.body, answer.headers, self._clock())


@dataclass(frozen=True, slots=True)
class Replicas:
    """What the programs of all replicas share; ``alarms`` are there by process name."""

    configuration: Configuration
    front: Front
    smartpay: SmartPay
    alarms: dict[str, Alarms] = field(default_factory=dict)

    async def run(self, machine: Machine) -> None:
        """Be a replica with all roles."""
        alarms = self.alarms[machine.process.name] = Alarms(machine.now)
        metrics = Metrics(alarms)
        accounts = self.configuration.accounts()
        appender = Appender(machine.clients, (TOPICS.inbox, TOPICS.watch_requests))
        inbox = Inbox(appender, TOPICS.inbox)
        # Their own producer, as in the service: see receiver/service.py.
        signs = Appender(machine.clients, (TOPICS.watch_requests,))
        failures = Failures(signs, TOPICS.watch_requests)
        self.front.receivers[machine.process.name] = Receiver(
            machine, accounts, inbox, Undeliverable(failures, metrics, machine.now, PATIENCE)
        )
        router = Router(Route(accounts, TOPICS), TOPICS, metrics, alarms, machine.now)
        caller = SimulatedCaller(self.smartpay, metrics, machine.now)
        await caller.start()
        visits = Visits(
            inbox,
            caller,
            alarms,
            machine.now,
            Random(machine.rng.random()),
            public_url=PUBLIC_URL,
            reach=self.front.reach,
        )
        poller = Poller(accounts, visits, monotonic=asyncio.get_running_loop().time)
        routing = Membership(machine.clients, router_spec(machine.partitions), router.work, alarms)

        async def poll(shard: OpenShard) -> None:
            self.smartpay.calls.takeovers.append(machine.now())
            await poller.work(shard)

        polling = Membership(machine.clients, poller_spec(machine.partitions), poll, alarms)
        await asyncio.gather(
            appender.run(), signs.run(), failures.run(), routing.run(), polling.run()
        )


def poller_spec(partitions: int) -> ShardSpec:
    """Return what the service's pollers have in common."""
    return ShardSpec(
        Role.POLL.value, "payevents", TOPICS.watch_requests, TOPICS.watchlist, partitions
    )
