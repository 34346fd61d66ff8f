"""What both kinds of simulated consumers have in common."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError

from tests.simulation.network import Site

_T = TypeVar("_T")


class Reader:
    """What both kinds have in common."""

    def __init__(self, site: Site, *, request_timeout_ms: int = 40_000, **_: Any) -> None:
        self._site = site
        self._patience = request_timeout_ms / 1000
        self._closed = False
        self._client = SimpleNamespace(_conns={}, close=_nothing)

    async def start(self) -> None:
        """Reach the cluster.

        Raises:
            KafkaConnectionError: it cannot be reached.
        """
        await self._ask("bootstrap", lambda: None)

    async def _ask(
        self,
        operation: str,
        effect: "Callable[[], _T | asyncio.Future[_T]]",
        about: str = "",
        *,
        patience: float | None = None,
        refusal: type[KafkaError] = KafkaConnectionError,
    ) -> _T:
        site = self._site
        return await site.network.ask(
            site.process,
            operation,
            effect,
            patience=self._patience if patience is None else patience,
            about=about,
            refusal=refusal,
        )


async def _nothing() -> None:
    """Close nothing."""
