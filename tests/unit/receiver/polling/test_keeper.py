"""Keeping what is known of an account: signs are folded in, kept, judged and shown."""

from datetime import timedelta
from random import Random

from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.sandbox import SmartPaySandbox
from receiver.observability.alarms import Alarms
from receiver.polling.guard import Guard
from receiver.polling.keeper import Keeper
from receiver.polling.visits import Visits
from receiver.polling.watchlist import Watchlist
from receiver.registration.registered import REGISTRATION
from receiver.registration.signs import Announced, Arrived, Failure, Order, Undelivered
from receiver.registration.worries import FAILURES

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
        self.watchlist = Watchlist(self.shard, self.alarms, NOW)
        caller = ScriptedCaller(ScriptedProvider(), self.alarms)
        visits = Visits(FakeInbox(), caller, self.alarms, lambda: EPOCH, Random(1))
        self.guard: Guard = visits.guard
        self.keeper = Keeper(self.watchlist, self.guard, self.alarms)
        account = SmartPaySandbox().account("shop", "http://127.0.0.1:1")
        self.keeper.serve(SmartPayHandler(account), NOW)

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
