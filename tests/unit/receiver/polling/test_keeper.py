"""Keeping what is known of an account: signs are folded in, kept, judged and shown."""

import asyncio
from datetime import timedelta
from random import Random

import msgspec
import pytest

from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.sandbox import SmartPaySandbox
from receiver.observability.alarms import Alarms
from receiver.polling.dispatch import Dispatch
from receiver.polling.guard import Guard
from receiver.polling.keeper import Keeper
from receiver.polling.visits import Visits
from receiver.polling.watchlist import Watchlist
from receiver.registration.registered import (
    REGISTRATION,
    Call,
    Registered,
    TopicRegistration,
)
from receiver.registration.signs import (
    Announced,
    Arrived,
    Failure,
    Missed,
    Order,
    Unannounced,
    Undelivered,
)
from receiver.registration.suspicion import SHORTEST_DELAY
from receiver.registration.worries import FAILURES, SILENT

from .fakes import FakeInbox, FakeShard
from .scripted import ScriptedCaller, ScriptedProvider
from .world import EPOCH

NOW = EPOCH.timestamp()
PAID = "invoice/paid"
GUARD = f"shop/{REGISTRATION}/"


class Kept:
    """A keeper of the account "shop", over a shard that is empty or another's."""

    def __init__(self, shard: FakeShard | None = None) -> None:
        self.shard = shard or FakeShard()
        self.alarms = Alarms(lambda: EPOCH)
        self.watchlist = Watchlist(self.shard, self.alarms)
        caller = ScriptedCaller(ScriptedProvider(), self.alarms)
        self.visits = Visits(FakeInbox(), caller, self.alarms, lambda: EPOCH, Random(1))
        self.guard: Guard = self.visits.guard
        self.keeper = Keeper(self.watchlist, self.guard, self.alarms)
        account = SmartPaySandbox().account("shop", "http://127.0.0.1:1")
        self.handler = SmartPayHandler(account)
        self.keeper.is_awake = True
        self.keeper.serve(self.handler, NOW)

    def remember(self, registered: Registered) -> None:
        """Have the guard remember that."""
        entry = self.watchlist.get(GUARD)
        assert entry is not None
        self.watchlist.put(GUARD, msgspec.structs.replace(entry, memory=registered.encode()))

    def codes(self) -> set[str]:
        """Return the codes of the alarms that are sounded."""
        return {alarm.code for alarm in self.alarms.present}

    def due_at(self) -> float:
        """Return when the guard looks next."""
        entry = self.watchlist.get(GUARD)
        assert entry is not None
        return entry.next_poll_at


def refused(count: int) -> Undelivered:
    """Return the sign of so many refusals."""
    failures = tuple(
        Failure(PAID, 503, "not durable", NOW + n, f"request-{n}") for n in range(count)
    )
    return Undelivered("shop", failures)


async def test_signs_outlive_the_shard() -> None:
    """What was told is in the watchlist, and whoever owns the account next knows it."""
    kept = Kept()
    kept.keeper.take(Arrived("shop", "webhook/created", NOW), NOW)
    kept.keeper.take(refused(3), NOW)
    await kept.watchlist.commit(2)
    vitals = Kept(kept.shard).keeper.vitals("shop")
    assert vitals.arrivals == (NOW,)
    assert len(vitals.topics[PAID].failures) == 3


async def test_alarms_come_with_signs_and_go_with_them() -> None:
    """No visit is needed for that: calls may be what is not possible."""
    kept = Kept()
    kept.keeper.take(refused(6), NOW)
    kept.keeper.judge(NOW)
    assert kept.codes() == {FAILURES}
    kept.keeper.take(Announced("shop", PAID, NOW + 60), NOW + 60)
    kept.keeper.judge(NOW)
    assert kept.codes() == set()


async def test_what_the_guard_is_about_to_mend_is_told_before() -> None:
    """A topic that fell silent is created anew at once: the next judgement would be too late."""
    kept = Kept()
    kept.remember(Registered(topics={PAID: TopicRegistration("1", enabled_at=NOW)}))
    missed = Missed("fact", PAID, "invoice/1", NOW + 1, NOW + 2)
    kept.keeper.take(Unannounced("shop", (missed,)), NOW + 2)
    kept.keeper.judge(NOW + 2)
    suspect_at = NOW + 2 + SHORTEST_DELAY
    kept.keeper.judge(suspect_at - 1)
    assert SILENT not in kept.codes()
    kept.keeper.seen("shop")
    kept.keeper.judge(suspect_at)
    assert SILENT in kept.codes()


async def test_a_sign_that_comes_while_the_guard_looks_has_it_look_again() -> None:
    """What the visit goes by is older than the sign, and says to rest."""
    kept = Kept()
    assert kept.watchlist.take_due(NOW) == GUARD
    visited = kept.watchlist.get(GUARD)
    assert visited is not None
    kept.keeper.take(Arrived("shop", "webhook/created", NOW + 1), NOW + 1)
    kept.watchlist.finish(GUARD, visited, msgspec.structs.replace(visited, next_poll_at=NOW + 70))
    assert kept.watchlist.schedule.next_at() is not None
    assert kept.due_at() <= NOW + 1


async def test_a_visit_sees_what_is_being_committed_when_it_runs() -> None:
    """An arrival that is taken in the same round proves the call that it answers."""
    kept = Kept(FakeShard(commit_seconds=0.01))
    call = Call("create", NOW - 2, NOW - 1)
    kept.remember(Registered(topics={PAID: TopicRegistration("1", enabled_at=NOW, call=call)}))
    ended = asyncio.Event()
    dispatch = Dispatch(kept.watchlist, kept.visits, kept.keeper, ended.set)
    dispatch.serve(kept.handler)
    kept.keeper.take(Arrived("shop", "webhook/created", NOW), NOW)
    dispatch.start_due(NOW)
    await kept.watchlist.commit(1)
    await ended.wait()
    dispatch.take_outcomes(NOW)
    after = kept.watchlist.get(GUARD)
    assert after is not None
    assert Registered.decode(after.memory).of(PAID).proven_at == NOW


@pytest.mark.parametrize("ahead", [-90.0, 0.0, 90.0])
async def test_a_takeover_is_one_by_any_clock(ahead: float) -> None:
    """The last owner's may have been ahead: nobody can say for how long nobody had the account."""
    kept = Kept()
    kept.remember(Registered(looked_at=NOW + ahead))
    assert kept.keeper.seen("shop").gap == max(0.0, -ahead)
    assert kept.keeper.seen("shop").gap is None, "it looked before"


async def test_an_account_that_comes_back_was_nobodys_meanwhile() -> None:
    """Nobody had looked after it before it went."""
    kept = Kept()
    kept.remember(Registered(looked_at=NOW - 60))
    kept.keeper.drop("shop")
    kept.keeper.serve(kept.handler, NOW + 3600)
    assert kept.keeper.seen("shop").gap == 3660


async def test_an_account_that_goes_takes_its_alarms_along() -> None:
    """Another shard, or nobody, has it then."""
    kept = Kept()
    kept.keeper.take(refused(6), NOW)
    kept.keeper.judge(NOW)
    kept.keeper.end()
    assert kept.codes() == set()
    assert kept.keeper.care() == {}


async def test_the_guard_looks_at_once_at_what_concerns_it() -> None:
    """An arrival and an order wake it; signs of life are many, and concern nobody."""
    later = NOW + timedelta(minutes=10).total_seconds()
    for sign, woken in (
        (Arrived("shop", "webhook/created", NOW), True),
        (Order("shop", "1", "list", NOW), True),
        (Announced("shop", PAID, NOW), False),
    ):
        kept = Kept()
        entry = kept.watchlist.get(GUARD)
        assert entry is not None
        kept.watchlist.put(GUARD, type(entry)(entry.created_at, later))
        kept.keeper.take(sign, NOW + 1)
        assert (kept.due_at() == NOW + 1) == woken


async def test_a_provider_that_calls_nobody_is_not_looked_after() -> None:
    """There is no watch for it, and nothing to show."""
    kept = Kept()
    assert set(kept.keeper.care()) == {"shop"}
    from handlers.provider import BaseHandler

    class Silent(BaseHandler):
        pass

    account = SmartPaySandbox().account("shop", "http://127.0.0.1:1")
    kept.keeper.serve(Silent(account), NOW)  # type: ignore[arg-type]
    assert kept.keeper.care() == {}


async def test_nothing_is_judged_before_the_signs_are_known() -> None:
    """What was told while nobody had the account may change everything."""
    kept = Kept()
    kept.keeper.is_awake = False
    kept.keeper.take(refused(6), NOW)
    kept.keeper.judge(NOW)
    assert kept.codes() == set()


async def test_only_a_person_cuts_a_pause_of_the_guard_short() -> None:
    """Anyone can send an old webhook again, as often as he likes."""
    for sign, woken in (
        (Arrived("shop", "webhook/created", NOW), False),
        (Order("shop", "1", "list", NOW), True),
    ):
        kept = Kept()
        entry = kept.watchlist.get(GUARD)
        assert entry is not None
        resting = msgspec.structs.replace(entry, failures=2, next_poll_at=NOW + 3600)
        kept.watchlist.put(GUARD, resting)
        kept.keeper.take(sign, NOW + 1)
        assert (kept.due_at() == NOW + 1) == woken


async def test_records_that_cannot_be_read_begin_anew() -> None:
    """They lock nobody out, and spoil no status."""
    shard = FakeShard({b"shop/account/standing": b"\x93abc", b"shop/account/vitals": b"\x93abc"})
    kept = Kept(shard)
    entry = kept.watchlist.get(GUARD)
    assert entry is not None
    kept.watchlist.put(GUARD, msgspec.structs.replace(entry, memory=b"\x93abc"))
    assert set(kept.keeper.care()) == {"shop"}
    assert kept.keeper.seen("shop").registered == Registered()
