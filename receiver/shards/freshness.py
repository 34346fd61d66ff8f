"""Freshness: whether the group has lately counted this process among its members.

What was assigned is a hint that ages. While the coordinator is silent, or while this process was
frozen, the group may have given everything to others; a shard that started then would fence its
heir, who would fence it in turn.
"""

import asyncio
import math

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import NoError, RebalanceInProgressError, for_code
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, SyncGroupRequest

_COUNTED_IN = (NoError, RebalanceInProgressError)
"""Answers to a member. In a rebalance nothing of its own is given away before it could join."""


class Freshness:
    """Knows when the group last counted us in, and for how long that holds.

    ``session`` is the group's session timeout in seconds: for as long the group keeps a member of
    whom it hears nothing. Times are the running loop's, and of a request that was answered it is
    the time of *asking* that counts: a process that was frozen finds answers waiting for it.
    """

    def __init__(self, session: float) -> None:
        self.answered = -math.inf
        """When the coordinator was last asked anything that it answered, well or not."""
        self._session = session
        self._confirmed = -math.inf
        self._again = asyncio.Event()

    @property
    def fresh(self) -> bool:
        """Tell whether the group cannot have put us out yet."""
        return asyncio.get_running_loop().time() - self._confirmed < self._session

    async def wait(self) -> None:
        """Return as soon as it is fresh."""
        while not self.fresh:
            self._again.clear()
            await self._again.wait()

    def confirm(self, asked: float) -> None:
        """Take note that the group counted us in when it was asked at this time."""
        self.answered = self._confirmed = asked
        self._again.set()

    def deny(self, asked: float) -> None:
        """Take note that the group did not."""
        self.answered, self._confirmed = asked, -math.inf

    def heed(self, consumer: AIOKafkaConsumer) -> None:
        """Listen to what the group's coordinator answers ``consumer`` from now on.

        This replaces the client's ``send``, through which aiokafka's coordinator makes all its
        requests: the pinned version and tests/unit/receiver/shards/test_freshness.py hold that.
        """
        client = consumer._client  # noqa: SLF001 - aiokafka tells nobody of its heartbeats
        send = client.send

        async def heard(node_id: object, request: object, **options: object) -> object:
            asked = asyncio.get_running_loop().time()
            response = await send(node_id, request, **options)
            if isinstance(request, JoinGroupRequest):
                self.answered = asked
            elif isinstance(request, HeartbeatRequest | SyncGroupRequest):
                counted_in = for_code(response.error_code) in _COUNTED_IN
                (self.confirm if counted_in else self.deny)(asked)
            return response

        client.send = heard
