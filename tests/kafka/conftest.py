"""Kafka clusters for the tests of this folder, all of which bear the marker `kafka`."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.cluster import Cluster

FOLDER = Path(__file__).parent
LIMIT = 300
"""Seconds for a test that sets itself no other limit: machines differ by a factor of three."""

CLUSTERS = ("kafka_cluster", "kafka_three")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder; the hook is called with those of others too."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.kafka)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LIMIT))
            if "kafka_three" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.three)


@pytest.fixture(scope="session")
def kafka_cluster() -> Iterator[Cluster]:
    """One node, shared by the whole run."""
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def kafka_three() -> Iterator[Cluster]:
    """Three nodes, shared by a module: idle ones would slow the tests that do not need them."""
    with Cluster(nodes=3) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _whole_clusters(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give the next test whole clusters, whatever this one killed or paused."""
    used = [request.getfixturevalue(name) for name in CLUSTERS if name in request.fixturenames]
    yield
    for cluster in used:
        cluster.heal()


@pytest.fixture
def topic_prefix() -> str:
    """Return a prefix for topics that no other test uses."""
    return f"t-{uuid.uuid4()}."
