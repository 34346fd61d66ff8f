"""What replicas run: the service's own parts, put together as the service does it."""

from dataclasses import dataclass, field
from functools import cache

from config.account import AccountSettings
from handlers.observation import Observation
from handlers.provider import Provider
from handlers.smartpay import provider as smartpay
from receiver.accounts.registry import Accounts
from receiver.inbox import Inbox
from receiver.kafka.appender import Appender
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.roles import Role
from receiver.routing.route import Route
from receiver.routing.router import Router
from receiver.shards.membership import Membership
from receiver.shards.open_shard import ShardSpec
from tests.simulation.world import TOPICS, Machine

ACCOUNT = "shop"
BATCH = 5
"""Records in one transaction at most: few, so that there are many transactions."""


def router_spec(partitions: int) -> ShardSpec:
    """Return what the service's routers have in common."""
    return ShardSpec(Role.ROUTE.value, "payevents", TOPICS.inbox, TOPICS.ledger, partitions)


@cache
def smartpay_accounts() -> Accounts:
    """Return the one SmartPay account ``shop``; nothing of it changes."""
    accounts = Accounts({smartpay.name: smartpay})
    accounts.replace({ACCOUNT: _settings(smartpay)})
    return accounts


async def route(machine: Machine) -> None:
    """Be a replica with the role ``route``."""
    alarms = Alarms(machine.now)
    router = Router(
        Route(smartpay_accounts(), TOPICS),
        TOPICS,
        Metrics(alarms),
        alarms,
        machine.now,
        batch=BATCH,
    )
    spec = router_spec(machine.partitions)
    await Membership(machine.clients, spec, router.work, alarms).run()


@dataclass(slots=True)
class Receiver:
    """A replica with the role ``receive``, but for its HTTP; ``inbox`` is there while it runs."""

    inbox: Inbox | None = field(default=None)

    async def run(self, machine: Machine) -> None:
        """Be the replica."""
        appender = Appender(machine.clients, (TOPICS.inbox, TOPICS.watch_requests))
        self.inbox = Inbox(appender, TOPICS.inbox)
        await appender.run()


def inbox_key(observation: Observation) -> str:
    """Return the key under which ``observation`` goes to the inbox."""
    handler = smartpay_accounts().get(ACCOUNT)
    assert handler is not None
    return handler.inbox_key(observation.topic, observation.body)


def _settings(provider: Provider) -> AccountSettings:
    return provider.settings.model_validate(
        {
            "name": ACCOUNT,
            "provider": provider.name,
            "api_key": "a-key-of-the-simulation",
            "base_url": "http://127.0.0.1:9",
        }
    )
