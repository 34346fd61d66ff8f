"""What is told of the budgets of calls."""

import asyncio

from prometheus_client import CollectorRegistry

from receiver.kafka.clients import partition_for
from receiver.polling.metrics import BudgetCollector
from receiver.watches.requests import partition_key

from .fakes import FakeShard
from .virtual import virtual
from .world import World, settings


@virtual
async def test_the_owner_of_an_account_alone_tells_of_its_budget() -> None:
    """For as long as it owns it, and of no account of another partition."""
    names = [f"n{number}" for number in range(8)]
    world = World(*(settings(name, calls=4) for name in names))
    registry = CollectorRegistry()
    registry.register(BudgetCollector(world.visits.owned))

    def told(metric: str) -> dict[str, float]:
        return {
            sample.labels["account"]: sample.value
            for family in registry.collect()
            for sample in family.samples
            if sample.name == metric
        }

    async with world.polling(FakeShard(partition=1, partitions=2)):
        await asyncio.sleep(10.0)
        ours = {name for name in names if partition_for(partition_key(name), 2) == 1}
        assert 0 < len(ours) < 8
        assert told("payevents_provider_budget_used") == dict.fromkeys(ours, 0.25)
        assert told("payevents_provider_budget_calls") == dict.fromkeys(ours, 4.0)
    assert told("payevents_provider_budget_used") == {}
