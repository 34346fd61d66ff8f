"""What the tests of the router begin with."""

import pytest

from tests.unit.receiver.routing.stage import World, new_world


@pytest.fixture
def world() -> World:
    """Return a world with the one account "shop"."""
    return new_world()
