"""One visit: what is handed on, and how the watch goes on."""

from datetime import timedelta

import msgspec
import pytest

from handlers.exchange import AccountFailed, CallFailed, Refused, WatchFailed
from handlers.observation import Origin
from handlers.provider import Ending, Watch
from receiver.inbox import MOST_BYTES
from receiver.kafka.appender import NotDurable
from receiver.polling.entry import ACTIVE, WatchEntry
from receiver.polling.outcome import Outcome

from .virtual import virtual
from .world import EPOCH, World, settings

WATCH = Watch("a", "thing", "1")
PATH = "/a/thing/1"
NOW = EPOCH.timestamp()
ENTRY = WatchEntry(created_at=NOW, next_poll_at=NOW)


async def visit(world: World, entry: WatchEntry = ENTRY) -> tuple[WatchEntry | None, Outcome]:
    """Visit the thing once; return the watch as it is then, and the outcome."""
    outcome = await world.visits.poll(world.account(), WATCH, entry)
    return outcome.entries[WATCH.key], outcome


async def watched_on(world: World, entry: WatchEntry = ENTRY) -> WatchEntry:
    """Visit the thing once; return the watch, which goes on."""
    after, _ = await visit(world, entry)
    assert after is not None
    return after


@virtual
async def test_only_what_changed_is_handed_on() -> None:
    """The first visit hands on everything, the next ones what is new or different."""
    world = World()
    world.provider.show(PATH, {"id": 1}, {"id": 2})
    entry = await watched_on(world)
    assert world.inbox.bodies() == ['{"id":1}', '{"id":2}']
    entry = await watched_on(world, entry)
    assert len(world.inbox.appended) == 2
    world.provider.show(PATH, {"id": 1, "paid": True}, {"id": 2}, {"id": 3})
    await watched_on(world, entry)
    assert world.inbox.bodies()[2:] == ['{"id":1,"paid":true}', '{"id":3}']


@virtual
async def test_an_observation_says_what_it_is() -> None:
    """It has the account, its collection, the time of asking, and its resource's key."""
    world = World()
    world.provider.show(PATH, {"id": 1}, seconds=3.0)
    await visit(world)
    ((key, observation),) = world.inbox.appended
    assert key == 'thing:{"id":1}'
    assert (observation.account, observation.topic) == ("a", "thing")
    assert (observation.origin, observation.received_at) == (Origin.POLL, EPOCH)


@virtual
async def test_nothing_counts_if_the_inbox_does_not_take_it() -> None:
    """A visit whose observations are not durable has no outcome at all."""
    world = World()
    world.provider.show(PATH, {"id": 1})
    world.inbox.durable = False
    with pytest.raises(NotDurable):
        await visit(world)
    world.inbox.durable = True
    await visit(world)
    assert world.inbox.bodies() == ['{"id":1}']


@virtual
async def test_the_next_visit_is_a_poll_interval_away() -> None:
    """The pause is the account's interval times the pace, with a tenth of jitter either way."""
    world = World(settings(poll_interval="60s"))
    pauses = [(await watched_on(world)).next_poll_at - NOW for _ in range(300)]
    assert 54.0 <= min(pauses) < 55.0
    assert 65.0 < max(pauses) <= 66.0
    world.provider.show(PATH, pace=10.0)
    paced = await watched_on(world)
    assert paced.pace == 10.0
    assert 540.0 <= paced.next_poll_at - NOW <= 660.0
    world.provider.show(PATH)
    assert (await watched_on(world, paced)).pace == 10.0


@pytest.mark.parametrize(
    ("status", "failure"), [(401, Refused), (503, AccountFailed), (500, WatchFailed)]
)
def test_a_failed_visit_backs_the_watch_off(status: int, failure: type[Exception]) -> None:
    """Each failure in a row allows a longer pause, says why, and forgets nothing that was seen."""

    @virtual
    async def scenario() -> None:
        world = World(settings(backoff_max="30s"))
        entry = msgspec.structs.replace(ENTRY, seen=b"s" * 16)
        world.provider.show(PATH, status=status)
        for failures in range(1, 9):
            entry, outcome = await visit(world, entry)  # type: ignore[assignment]
            assert isinstance(outcome.failure, failure)
            assert (entry.failures, entry.error, entry.seen) == (failures, str(status), b"s" * 16)
            assert 1.0 <= entry.next_poll_at - NOW <= min(30.0, 2.0**failures)
        world.provider.show(PATH)
        entry = await watched_on(world, entry)
        assert (entry.failures, entry.error) == (0, None)

    scenario()


@virtual
async def test_a_call_without_an_answer_is_a_failure() -> None:
    """No answer backs the watch off like any failure."""
    world = World()
    world.provider.hang_up(PATH)
    after, outcome = await visit(world)
    assert isinstance(outcome.failure, CallFailed)
    assert after is not None
    assert after.failures == 1


@virtual
async def test_a_defect_of_a_provider_is_a_failure_of_the_watch() -> None:
    """Whatever the knowledge of a provider raises, the shard goes on."""
    world = World()
    world.provider.show(PATH, pace=2.0)
    answer = world.provider.answers[PATH]
    assert answer is not None
    world.provider.answers[PATH] = type(answer)(200, answer.body.replace(b'"2.0"', b'"soon"'))
    after, outcome = await visit(world)
    assert "soon" in str(outcome.failure)
    assert after is not None
    assert after.failures == 1


@virtual
async def test_a_watch_that_is_done_is_over() -> None:
    """At its terminal state a watch hands on what it shows, and is gone."""
    world = World()
    world.provider.show(PATH, {"id": 1}, ending=Ending.DONE)
    after, outcome = await visit(world)
    assert (after, outcome.failure) == (None, None)
    assert world.inbox.bodies() == ['{"id":1}']


@pytest.mark.parametrize("ending", [Ending.GONE, Ending.STALLED])
def test_another_ending_is_kept_for_people_to_see(ending: str) -> None:
    """A watch that is gone or stalled stays in the list, and says so."""

    @virtual
    async def scenario() -> None:
        world = World()
        world.provider.show(PATH, ending=ending)
        after = await watched_on(world)
        assert (after.state, after.status, after.error) == (ending, "shown", None)
        assert after.state != ACTIVE

    scenario()


@virtual
async def test_a_resource_too_large_for_the_inbox_holds_up_nobody() -> None:
    """It sounds an alarm, and the others of the same answer are handed on."""
    world = World()
    world.provider.show(PATH, {"id": 1}, {"id": 2, "note": "x" * MOST_BYTES}, {"id": 3})
    assert (await watched_on(world)).failures == 0
    assert world.inbox.bodies() == ['{"id":1}', '{"id":3}']
    assert world.codes() == {("a", "resource-too-large")}


@virtual
async def test_a_status_is_kept_but_not_at_any_length() -> None:
    """A provider's word of a megabyte would make an entry that no Kafka record can hold."""
    world = World()
    world.provider.show(PATH, word="on hold")
    assert (await watched_on(world)).status == "on hold"
    world.provider.show(PATH, word="x" * 1_000_000)
    assert len((await watched_on(world)).encode()) < 1_000
    world.provider.show(PATH, word="x" * 1_000_000, ending=Ending.GONE)
    assert len((await watched_on(world)).encode()) < 1_000


@virtual
async def test_a_handler_is_told_the_age_of_its_watch() -> None:
    """The age is how long the thing has been watched."""
    world = World()
    await visit(world, WatchEntry(NOW - 3_600.0, NOW))
    assert world.provider.ages == [timedelta(hours=1)]
