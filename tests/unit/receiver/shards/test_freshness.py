"""Freshness of a membership, through aiokafka's own way of asking its group."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.errors import (
    IllegalGenerationError,
    KafkaError,
    NoError,
    RebalanceInProgressError,
    RequestTimedOutError,
    UnknownMemberIdError,
)

from receiver.shards.freshness import Freshness
from tests.unit.receiver.polling.virtual import virtual

SESSION = 10.0
Question: TypeAlias = Callable[[Any], Awaitable[object]]


class Client:
    """A client whose requests are answered with ``outcome``, after ``seconds``."""

    def __init__(self) -> None:
        self.outcome: type[KafkaError] = NoError
        self.seconds = 0.0
        self.silent = False

    async def send(self, node_id: int, request: object, *, group: object) -> object:
        """Answer, or fail if there is to be none."""
        del node_id, request, group
        await asyncio.sleep(self.seconds)
        if self.silent:
            raise RequestTimedOutError
        return SimpleNamespace(error_code=self.outcome.errno, member_assignment=b"")


def coordinator(client: Client) -> Any:
    """Return what aiokafka's coordinator needs of itself to ask."""
    made = SimpleNamespace(
        _client=client,
        coordinator_id=0,
        coordinator_dead=lambda: None,
        request_rejoin=lambda: None,
        reset_generation=lambda: None,
        group_id="group",
        generation=1,
        member_id="member",
        _group_instance_id=None,
    )
    made._send_req = partial(GroupCoordinator._send_req, made)
    return made


async def heartbeat(asking: Any) -> None:
    """Send a heartbeat."""
    await GroupCoordinator._do_heartbeat(asking)


async def sync(asking: Any) -> None:
    """Ask for the assignment."""
    rebalance = SimpleNamespace(_coordinator=asking, group_id="group", coordinator_id=0)
    rebalance._send_sync_group_request = partial(
        CoordinatorGroupRebalance._send_sync_group_request, rebalance
    )
    await CoordinatorGroupRebalance._on_join_follower(rebalance)


class Membership:
    """A freshness that heeds a client."""

    def __init__(self) -> None:
        self.client = Client()
        self.freshness = Freshness(SESSION)
        self.freshness.heed(cast("AIOKafkaConsumer", SimpleNamespace(_client=self.client)))
        self.asking = coordinator(self.client)


@pytest.mark.parametrize("ask", [heartbeat, sync])
def test_an_answer_holds_for_a_session(ask: Question) -> None:
    """From an answered heartbeat or an assignment on, until the group may have put us out."""

    @virtual
    async def check() -> None:
        member = Membership()
        assert not member.freshness.fresh
        await ask(member.asking)
        assert member.freshness.fresh
        await asyncio.sleep(SESSION - 1.0)
        assert member.freshness.fresh
        await asyncio.sleep(1.0)
        assert not member.freshness.fresh

    check()


@virtual
async def test_a_heartbeat_in_a_rebalance_counts() -> None:
    """The group that rebalances still waits for us."""
    member = Membership()
    member.client.outcome = RebalanceInProgressError
    await heartbeat(member.asking)
    assert member.freshness.fresh


@pytest.mark.parametrize("refusal", [UnknownMemberIdError, IllegalGenerationError])
def test_a_denial_ends_it_at_once(refusal: type[KafkaError]) -> None:
    """A group that does not know us has given to others what was ours."""

    @virtual
    async def check() -> None:
        member = Membership()
        await heartbeat(member.asking)
        member.client.outcome = refusal
        await heartbeat(member.asking)
        assert not member.freshness.fresh

    check()


@virtual
async def test_silence_confirms_nothing() -> None:
    """A heartbeat without an answer leaves it as it was."""
    member = Membership()
    member.client.silent = True
    await heartbeat(member.asking)
    assert not member.freshness.fresh


@virtual
async def test_it_counts_when_was_asked_and_not_when_was_heard() -> None:
    """An answer that a frozen process finds when it thaws is as old as its question."""
    member = Membership()
    member.client.seconds = SESSION
    await heartbeat(member.asking)
    assert not member.freshness.fresh


@virtual
async def test_who_waits_is_told() -> None:
    """Whoever waits goes on with the first answer that is young enough."""
    member = Membership()
    waiting = asyncio.create_task(member.freshness.wait())
    member.client.seconds = SESSION
    await heartbeat(member.asking)
    await asyncio.sleep(0.1)
    assert not waiting.done()
    member.client.seconds = 0.0
    await heartbeat(member.asking)
    async with asyncio.timeout(0.1):
        await waiting
