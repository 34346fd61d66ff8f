"""The simulation sees: each rule of the protocol, once broken, is found out."""

import pytest

from tests.simulation.routing import Plan, simulate
from tests.simulation.sabotage import SABOTAGES, Sabotage

MOST_SEEDS = 300
"""The subtlest sabotage shows in one seed of fifteen: to miss it in 300 is one chance in a billion.

Any change to the machine shuffles which seeds these are, so the limit must be far from the mean.
"""


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.__name__)
def test_sabotage_is_found_out(sabotage: Sabotage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some seed among the first shows that the rule is broken."""
    sabotage(monkeypatch)
    for seed in range(MOST_SEEDS):
        try:
            simulate(Plan(seed, rate=0.05, invoices=20))
        except AssertionError:
            return
    pytest.fail(f"{MOST_SEEDS} seeds, and nobody noticed")
