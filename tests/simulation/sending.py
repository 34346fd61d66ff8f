"""The parts of a simulated producer: batches, and the client that its requests pass."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar

from aiokafka.errors import (
    ConcurrentTransactions,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NotEnoughReplicasError,
    RequestTimedOutError,
)

from tests.simulation.log import Payload
from tests.simulation.network import Site

_T = TypeVar("_T")
_RETRIED = (
    ConcurrentTransactions,
    KafkaConnectionError,
    NotEnoughReplicasError,
    RequestTimedOutError,
)


@dataclass(slots=True, eq=False)
class Batch:
    """Records for one partition; ``future`` is done when they are written, or never will be.

    ``number`` tells the batches of one producer apart, the same in each run. It takes records until
    it is ``sent`` for the first time, or closed.
    """

    number: int
    payloads: list[Payload] = field(default_factory=list)
    sequence: int = 0
    sent: bool = False
    closed: bool = False
    future: "asyncio.Future[Any]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    _msg_futures: tuple[()] = ()
    _drain_waiter: None = None

    def __hash__(self) -> int:
        return self.number

    def append(
        self,
        *,
        key: bytes | None,
        value: bytes | None,
        timestamp: None,  # noqa: ARG002 - as aiokafka's
        headers: list[tuple[str, bytes]],
    ) -> object:
        """Add a record, None if it is too late for that; every batch has room."""
        if self.sent or self.closed:
            return None
        self.payloads.append(Payload(key, value, tuple(headers)))
        return self.payloads[-1]

    def close(self) -> None:
        """Take no more records."""
        self.closed = True


class ProducerClient:
    """What the real code uses of a producer's client."""

    def __init__(self, site: Site, patience: float, backoff: float) -> None:
        self._site = site
        self._patience = patience
        self._backoff = backoff
        self.cluster = SimpleNamespace(
            partitions_for_topic=lambda topic: set(range(site.cluster.topics.get(topic, 0))),
            add_listener=lambda _: None,
        )
        self._conns: dict[Any, Any] = {}
        self._get_conn: Any = None
        self.coordinator_lookup: Any = None
        self.send: Callable[..., Awaitable[Any]] = _send

    def add_topic(self, topic: str) -> None:
        """Do nothing: every topic is known."""

    def force_metadata_update(self) -> "asyncio.Future[bool]":
        """Do nothing, at once."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        done.set_result(True)
        return done

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    async def insist(
        self,
        operation: str,
        effect: Callable[[], _T],
        about: str = "",
        *,
        refusal: type[KafkaError] = KafkaConnectionError,
        limit: float | None = None,
        request: object = None,
    ) -> _T:
        """Ask until there is an answer, for ``limit`` seconds or for ever.

        It passes ``client.send`` with its ``request``, as all that aiokafka's sender asks for.
        """
        site = self._site

        def ask() -> Awaitable[_T]:
            return site.network.ask(
                site.process,
                operation,
                effect,
                patience=self._patience,
                about=about,
                refusal=refusal,
            )

        loop = asyncio.get_running_loop()
        give_up_at = None if limit is None else loop.time() + limit
        while True:
            try:
                answer: _T = await self.send(0, request, ask=ask)
            except _RETRIED as error:
                if give_up_at is not None and loop.time() + self._backoff > give_up_at:
                    raise KafkaTimeoutError from error
                await asyncio.sleep(self._backoff)
            else:
                return answer


async def _send(_: int, __: object, *, ask: Callable[[], Awaitable[_T]]) -> _T:
    return await ask()


def settle(future: "asyncio.Future[Any]", outcome: object) -> None:
    """Give a future its result or exception, unless it has one."""
    if future.done():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
        future.exception()  # heard, also if nobody waits any more
    else:
        future.set_result(outcome)
