"""A run of pollers: a provider whose resources change, faults, healing, and what must hold then."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

from handlers.jsontext import compact
from handlers.provider import Resource
from receiver.inbox import Inbox
from receiver.kafka.appender import Appender, NotDurable
from receiver.observability.alarms import Alarms
from receiver.polling.entry import WatchEntry
from receiver.polling.poller import Poller
from receiver.polling.visits import Visits
from receiver.polling.watchlist import is_note
from receiver.roles import Role
from receiver.shards.membership import Membership
from receiver.shards.open_shard import ShardSpec
from receiver.watches.requests import StartWatch, partition_key, to_record
from tests.simulation import loop
from tests.simulation.cluster import Cluster
from tests.simulation.faults import SeededFaults
from tests.simulation.nemesis import torment
from tests.simulation.verdict import all_handled, restored
from tests.simulation.world import TOPICS, Machine, World, told
from tests.unit.receiver.polling.scripted import ScriptedCaller, ScriptedProvider
from tests.unit.receiver.polling.world import accounts_of, settings

ACCOUNTS = ("a", "b")
THING = "thing"
POLL_INTERVAL = 5
SETTLED_WITHIN = 180.0


@dataclass(frozen=True, slots=True)
class PollingPlan:
    """What a run is made of. ``seconds`` is how long faults happen, ``rate`` their share."""

    seed: int
    rate: float = 0.03
    seconds: float = 60.0
    things: int = 4


@dataclass(slots=True)
class Site:
    """The provider of a run, and the things that somebody asked to have watched."""

    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    shown: dict[tuple[str, str], bytes] = field(default_factory=dict)
    requested: set[tuple[str, str]] = field(default_factory=set)

    def change(self, account: str, thing: str, version: int) -> None:
        """Have a thing look otherwise from now on."""
        content: dict[str, Any] = {"id": thing, "version": version}
        self.provider.show(f"/{account}/{THING}/{thing}", content)
        self.shown[account, thing] = compact(content)

    async def poll(self, machine: Machine) -> None:
        """Be a replica with the role ``poll``, whose provider needs no network."""
        alarms = Alarms(machine.now)
        appender = Appender(machine.clients, (TOPICS.inbox, TOPICS.watch_requests))
        appending = asyncio.create_task(appender.run(), name="appender")
        accounts = accounts_of(*(settings(a, poll_interval=f"{POLL_INTERVAL}s") for a in ACCOUNTS))
        caller = ScriptedCaller(self.provider, alarms)
        visits = Visits(
            Inbox(appender, TOPICS.inbox), caller, alarms, machine.now, Random(machine.rng.random())
        )
        poller = Poller(accounts, visits, monotonic=asyncio.get_running_loop().time)
        spec = ShardSpec(
            Role.POLL.value,
            "payevents",
            TOPICS.watch_requests,
            TOPICS.watchlist,
            machine.partitions,
        )
        try:
            await Membership(machine.clients, spec, poller.work, alarms).run()
        finally:
            appending.cancel()

    async def request(self, machine: Machine) -> None:
        """Be the operator: ask for a watch of each thing until Kafka has it."""
        appender = Appender(machine.clients, (TOPICS.watch_requests,))
        appending = asyncio.create_task(appender.run(), name="appender")
        try:
            for account, thing in list(self.shown):
                record = to_record(StartWatch(account, THING, thing))
                while (account, thing) not in self.requested:
                    await asyncio.sleep(machine.rng.uniform(0.1, 5.0))
                    try:
                        await appender.append(
                            TOPICS.watch_requests,
                            record.key,
                            record.value or b"",
                            partition_key=partition_key(account),
                        )
                    except NotDurable:
                        continue
                    self.requested.add((account, thing))
            await appending
        finally:
            appending.cancel()


def simulate_polling(plan: PollingPlan) -> World:
    """Make a run of its own, and return the world as it was at the end.

    Raises:
        AssertionError: something does not hold; its notes tell the seed and what happened.
    """
    return loop.run(_simulate(plan))


async def _simulate(plan: PollingPlan) -> World:
    world = World(plan.seed, SeededFaults(Random(f"faults {plan.seed}"), plan.rate))
    site = Site()
    try:
        with told(world):
            await _live(world, plan, site)
            assert_appended_before_committed(world.cluster)
    finally:
        await world.close()
    return world


async def _live(world: World, plan: PollingPlan, site: Site) -> None:
    for account in ACCOUNTS:
        for thing in range(plan.things):
            site.change(account, str(thing), 0)
    names = ["poller-0", "poller-1"]
    for name in names:
        world.start(name, site.poll)
    world.start("operator", site.request, mortal=False)
    changes = asyncio.create_task(_change(site, Random(f"changes {plan.seed}"), plan.seconds))
    await torment(world, Random(f"nemesis {plan.seed}"), names, plan.seconds)
    world.heal()
    await changes
    await world.until(
        lambda: (
            site.requested == set(site.shown)
            and all_handled(world.cluster, TOPICS.watch_requests, TOPICS.watchlist)
            and set(site.shown.values()) <= _appended(world.cluster).keys()
        ),
        SETTLED_WITHIN,
        "not all that the provider shows is in the inbox",
    )
    assert not world.ended(), f"ended by themselves: {world.ended()}"
    assert set(site.shown) <= _watched(world.cluster)


async def _change(site: Site, rng: Random, seconds: float) -> None:
    version = 0
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        await asyncio.sleep(rng.expovariate(1.0))
        version += 1
        site.change(*rng.choice(list(site.shown)), version)


def assert_appended_before_committed(cluster: Cluster) -> None:
    """Assert that whatever a watch says it has seen was in the inbox before."""
    appended = {_digest(body): at for body, at in _appended(cluster).items()}
    for _, entry in cluster.committed(TOPICS.watchlist):
        payload = entry.payload
        if payload is None or payload.value is None or (payload.key or b"").startswith(b"\x00"):
            continue
        if is_note((payload.key or b"").decode()):
            continue
        seen = WatchEntry.decode(payload.value).seen
        if seen:
            assert seen in appended, f"{payload.key!r} saw what is not in the inbox"
            assert appended[seen] <= entry.timestamp, f"{payload.key!r} was committed too early"


def _appended(cluster: Cluster) -> dict[bytes, int]:
    """Return what is in the inbox, with the time of its first arrival."""
    found: dict[bytes, int] = {}
    for _, entry in cluster.committed(TOPICS.inbox):
        if entry.payload is not None and entry.payload.value is not None:
            found.setdefault(entry.payload.value, entry.timestamp)
    return found


def _digest(body: bytes) -> bytes:
    return WatchEntry(0.0, 0.0).unseen([Resource(THING, body)])[1]


def _watched(cluster: Cluster) -> set[tuple[str, str]]:
    keys = [
        key.decode().split("/")
        for partition in cluster.partitions_of(TOPICS.watchlist)
        for key in restored(cluster, partition).entries
    ]
    return {(account, thing) for account, kind, thing in keys if kind == THING}
