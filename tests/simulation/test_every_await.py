"""Whatever befalls whichever request to Kafka, once: everything is published exactly once."""

import pytest

from tests.simulation.every_await import FATES, requests, runs
from tests.simulation.faults import Kind
from tests.simulation.routing import simulate


def test_the_small_run_has_whole_transactions() -> None:
    """It shows what it should: enough requests for starts, restores and several transactions."""
    assert len(requests()) > 30


@pytest.mark.parametrize("kind", list(FATES))
def test_at_every_await(kind: Kind) -> None:
    """A crash, fence, time-out, freeze or delay at any one request loses and repeats nothing."""
    for each in runs(kind):
        simulate(each)
