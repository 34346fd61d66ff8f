"""A run of a simulated week."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from handlers.smartpay.sandbox.site import SmartPaySandbox
from tests.simulation import loop
from tests.simulation.faults import SeededFaults
from tests.simulation.pace import LEISURELY
from tests.simulation.programs import ACCOUNT
from tests.simulation.verdict import all_handled
from tests.simulation.week.configuration import Configuration
from tests.simulation.week.front import Front
from tests.simulation.week.guest import assert_kind
from tests.simulation.week.plan import HOUR, REPLICAS, WeekPlan, account, strictness
from tests.simulation.week.registration import assert_registered
from tests.simulation.week.replica import Replicas
from tests.simulation.week.shop import Shop
from tests.simulation.week.smartpay import SmartPay
from tests.simulation.week.timeliness import assert_found_in_time
from tests.simulation.week.verdict import assert_published, origins
from tests.simulation.week.weather import Weather
from tests.simulation.world import TOPICS, World, told


@dataclass(slots=True)
class Week:
    """All that takes part in one run. Use it inside :func:`loop.run`."""

    plan: WeekPlan
    world: World = field(init=False)
    front: Front = field(init=False)
    smartpay: SmartPay = field(init=False)
    shop: Shop = field(init=False)
    configuration: Configuration = field(init=False)
    weather: Weather = field(init=False)
    replicas: Replicas = field(init=False)

    def __post_init__(self) -> None:
        """Put it together; everything left to chance follows from the plan's seed."""
        seed = self.plan.seed
        faults = SeededFaults(Random(f"faults {seed}"), self.plan.rate)
        self.world = World(seed, faults, pace=LEISURELY)
        self.front = Front(Random(f"front {seed}"))
        self.smartpay = SmartPay(
            SmartPaySandbox(strictness(seed, self.plan.patience)),
            self.front.deliver,
            Random(f"smartpay {seed}"),
            self.world.trace,
        )
        self.shop = Shop(self.plan, self.smartpay)
        self.configuration = Configuration(account(self.plan))
        self.replicas = Replicas(self.configuration, self.front, self.smartpay)
        self.weather = Weather(
            self.plan,
            self.world,
            self.front,
            self.smartpay,
            self.configuration,
            Random(f"weather {seed}"),
        )

    def start(self) -> None:
        """Start the replicas."""
        for name in REPLICAS:
            self.world.start(name, self.replicas.run)

    def alarms(self) -> set[str]:
        """Return the codes of the alarms that any replica sounds."""
        return {alarm.code for each in self.replicas.alarms.values() for alarm in each.present}

    async def run(self) -> None:
        """Live through it, and judge.

        Raises:
            AssertionError: something does not hold; its notes tell the seed and what happened.
        """
        deliveries = asyncio.create_task(self.smartpay.run())
        try:
            with told(self.world):
                await self._live()
                self._judge()
        finally:
            deliveries.cancel()
            await self.world.close()

    def __str__(self) -> str:
        """Return what happened, in numbers."""
        published: Counter[str] = origins(self.world.cluster)
        calls = len(self.smartpay.calls.arrived)
        return (
            f"{published.total()} events ({_listed(published)}), {calls} calls,"
            f" {self.weather.troubles.total()} troubles ({_listed(self.weather.troubles)})"
        )

    async def _live(self) -> None:
        self.start()
        async with asyncio.TaskGroup() as week:
            week.create_task(self.weather.run())
            week.create_task(self.shop.run())
        self.shop.show_everything()
        await asyncio.sleep(self.plan.settling)
        cluster = self.world.cluster
        await self.world.until(
            lambda: (
                all_handled(cluster, TOPICS.inbox, TOPICS.ledger)
                and all_handled(cluster, TOPICS.watch_requests, TOPICS.watchlist)
            ),
            HOUR,
            "not all is handled",
        )
        assert not self.world.ended(), f"ended by themselves: {self.world.ended()}"

    def _judge(self) -> None:
        cluster, smartpay = self.world.cluster, self.smartpay
        settings, handler = self.configuration.account, self.configuration.accounts().get(ACCOUNT)
        assert handler is not None
        # An account that is disabled would explain all the rest.
        assert_kind(smartpay, self.configuration)
        assert_published(cluster, smartpay, self.shop.facts)
        assert_registered(cluster, smartpay, handler)
        assert_found_in_time(cluster, smartpay, settings, self.weather.hindrances)


def simulate_week(plan: WeekPlan) -> Week:
    """Make a run of its own, and return all of it as it was at the end.

    Raises:
        AssertionError: something does not hold; its notes tell the seed and what happened.
    """
    with LEISURELY.kept():
        return loop.run(_simulate(plan))


async def _simulate(plan: WeekPlan) -> Week:
    week = Week(plan)
    await week.run()
    return week


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.most_common())
