"""Look-ups: what a claim's observations hear, and when."""

import msgspec
import pytest

from handlers.exchange import AccountFailed
from handlers.observation import CONFIRMED, Observation, Origin
from receiver.kafka.appender import NotDurable
from receiver.polling.entry import WatchEntry
from receiver.watches.requests import LookUp

from .virtual import virtual
from .world import EPOCH, World, look_up, original, settings

NOW = EPOCH.timestamp()
LISTING = "/a/listing"
DAY = 86_400.0


def entry_of(request: LookUp, created_at: float = NOW) -> WatchEntry:
    """Return the entry of a look-up that nobody has made yet."""
    return WatchEntry(created_at, created_at, claim=request.claim, originals=(request.original,))


def verdicts(world: World) -> list[Observation]:
    """Return the observations that came back with a verdict."""
    return [o for _, o in world.inbox.appended if o.verdict is not None]


@virtual
async def test_one_listing_answers_all_claims() -> None:
    """What the listing shows is handed on; each claim that it bears out is over."""
    world = World()
    one, two = look_up("1"), look_up("2")
    world.provider.show(LISTING, "1", "2", "3")
    entries = {one.watch.key: entry_of(one), two.watch.key: entry_of(two)}
    outcome = await world.visits.look_up(world.account(), entries)
    assert outcome.entries == dict.fromkeys(entries)
    assert world.inbox.bodies() == ['"1"', '"2"', '"3"']
    assert {o.origin for _, o in world.inbox.appended} == {Origin.LOOKUP}
    assert len(world.provider.calls) == 1


@virtual
async def test_a_claim_is_refuted_only_the_second_time() -> None:
    """A listing may lag: the claim is asked again a poll interval later before the verdict."""
    world = World(settings(poll_interval="90s"))
    request = look_up("1", body='{"signed":true}')
    key = request.watch.key
    entries = {key: entry_of(request)}
    outcome = await world.visits.look_up(world.account(), entries)
    once = outcome.entries[key]
    assert once is not None
    assert (once.next_poll_at, once.originals) == (NOW + 90.0, (request.original,))
    assert verdicts(world) == []
    outcome = await world.visits.look_up(world.account(), {key: once})
    assert outcome.entries == {key: None}
    (refuted,) = verdicts(world)
    assert refuted.verdict == "the listing does not show it"
    assert (refuted.body, refuted.origin) == (b'{"signed":true}', Origin.WEBHOOK)
    assert world.inbox.appended[-1][0] == request.original.key


@virtual
async def test_a_claim_refuted_once_may_still_be_confirmed() -> None:
    """What the listing shows the second time is believed."""
    world = World()
    request = look_up("1")
    key = request.watch.key
    outcome = await world.visits.look_up(world.account(), {key: entry_of(request)})
    once = outcome.entries[key]
    assert once is not None
    world.provider.show(LISTING, "1")
    outcome = await world.visits.look_up(world.account(), {key: once})
    assert outcome.entries == {key: None}
    assert verdicts(world) == []


@virtual
async def test_a_confirmed_claim_sends_back_only_what_is_being_redriven() -> None:
    """A dead letter that is tried again needs the verdict to be cleared; the others are done."""
    world = World()
    request = look_up("1")
    redriven = original('{"redriven":true}', letter="letter-1")
    entry = msgspec.structs.replace(
        entry_of(request), originals=(original("{}"), redriven, original('{"n":3}'))
    )
    world.provider.show(LISTING, "1")
    await world.visits.look_up(world.account(), {request.watch.key: entry})
    (sent,) = verdicts(world)
    assert (sent.verdict, sent.letter_id) == (CONFIRMED, "letter-1")
    assert sent.body == b'{"redriven":true}'


@virtual
async def test_a_refuted_claim_sends_back_every_observation() -> None:
    """Each observation that made the claim hears the verdict."""
    world = World()
    request = look_up("1")
    entry = msgspec.structs.replace(
        entry_of(request),
        status="refuted once",
        originals=(original("{}"), original('{"n":2}', letter="letter-1")),
    )
    await world.visits.look_up(world.account(), {request.watch.key: entry})
    assert [o.body for o in verdicts(world)] == [b"{}", b'{"n":2}']


@virtual
async def test_a_failed_look_up_backs_off_and_keeps_its_observations() -> None:
    """A provider that cannot be asked refutes nothing."""
    world = World()
    world.provider.show(LISTING, status=503)
    request = look_up("1")
    key = request.watch.key
    outcome = await world.visits.look_up(world.account(), {key: entry_of(request)})
    after = outcome.entries[key]
    assert isinstance(outcome.failure, AccountFailed)
    assert after is not None
    assert (after.failures, after.originals) == (1, (request.original,))
    assert 1.0 <= after.next_poll_at - NOW <= 2.0
    assert world.inbox.appended == []


@virtual
async def test_a_claim_that_could_never_be_asked_about_gets_its_verdict_in_the_end() -> None:
    """After watch_max_age of failures the observations come back, and say why."""
    world = World(settings(watch_max_age="30d"))
    world.provider.hang_up(LISTING)
    old, young = look_up("old"), look_up("young")
    entries = {
        old.watch.key: entry_of(old, NOW - 31 * DAY),
        young.watch.key: entry_of(young, NOW - 29 * DAY),
    }
    outcome = await world.visits.look_up(world.account(), entries)
    assert outcome.entries[old.watch.key] is None
    assert outcome.entries[young.watch.key] is not None
    (given,) = verdicts(world)
    assert given.verdict == "the provider could not be asked: no answer"


@virtual
async def test_nothing_counts_if_the_inbox_does_not_take_it() -> None:
    """Neither what was found nor a verdict is lost: the look-up is made again."""
    world = World()
    request = look_up("1")
    entry = msgspec.structs.replace(entry_of(request), status="refuted once")
    world.inbox.durable = False
    with pytest.raises(NotDurable):
        await world.visits.look_up(world.account(), {request.watch.key: entry})
    world.provider.show(LISTING, "1")
    with pytest.raises(NotDurable):
        await world.visits.look_up(world.account(), {request.watch.key: entry})
