"""Pollers under random faults: what a provider shows is in the inbox before a watch counts it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest

from handlers.observation import Origin
from handlers.provider import Handler, Resource
from receiver.polling.handover import Handover
from tests.simulation.polling import PollingPlan, simulate_polling


@pytest.mark.parametrize("seed", range(15))
def test_no_change_is_missed(seed: int) -> None:
    """Each watch asked for goes on, and each thing as it is at last reaches the inbox."""
    simulate_polling(PollingPlan(seed))


def test_a_watch_that_counts_too_early_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a visit does not wait for the inbox, some seed shows a change that is lost."""
    real, left = Handover.hand_on, set[asyncio.Task[None]]()

    async def hand_on_later(
        self: Handover,
        handler: Handler,
        resources: Sequence[Resource],
        *rest: Origin | datetime | None,
    ) -> None:
        task = asyncio.create_task(real(self, handler, resources, *rest))  # type: ignore[arg-type] # as given
        left.add(task)
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    monkeypatch.setattr(Handover, "hand_on", hand_on_later)
    with pytest.raises(AssertionError):
        simulate_all(20)


def simulate_all(seeds: int) -> None:
    """Make so many runs, up to the first that fails."""
    for seed in range(seeds):
        simulate_polling(PollingPlan(seed))
