"""Reading topics: what is said of those that are missing."""

from typing import Any, cast

import pytest

from receiver.kafka.clients import Clients
from receiver.kafka.reading import NoSuchTopic, partitions_of


class Empty:
    """A cluster without topics, and its admin client."""

    def admin(self) -> "Empty":
        """Return the admin client."""
        return self

    async def start(self) -> None:
        """Begin."""

    async def close(self) -> None:
        """End."""

    async def describe_topics(self) -> list[dict[str, Any]]:
        """Return no topic."""
        return []


@pytest.mark.parametrize(
    ("topics", "told"),
    [(["a"], "there is no topic a: run "), (["b", "a"], "there are no topics a, b: run ")],
)
async def test_what_is_missing_is_told_in_a_right_sentence(topics: list[str], told: str) -> None:
    """One topic or several, and the command that makes them."""
    with pytest.raises(NoSuchTopic, match=f"^{told}'payevents topics create'$"):
        await partitions_of(cast("Clients", Empty()), topics)
