"""What strangers, other clocks and accidents cannot make the guard do."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from handlers.smartpay.topics import TOPICS
from receiver.registration.signs import Announced, Failure, Missed, Unannounced, Undelivered
from receiver.registration.taking import taken
from receiver.registration.worries import UNREGISTERED, worries

from .stage import DOWN, UP, Stage, names

PAID = "invoice/paid"
DELETE, CREATE = "POST delete_webhook", "POST create_webhook"


def refuse(stage: Stage, status: int, request: str) -> None:
    """Have a receiver tell that it refused a webhook."""
    failure = Failure(PAID, status, "refused", stage.now.timestamp(), request)
    stage.vitals = taken(stage.vitals, Undelivered("shop", (failure,)))


def miss(stage: Stage, fact: str) -> None:
    """Have a reconciliation find what happened a minute ago and was not announced."""
    now = stage.now.timestamp()
    missed = Missed(fact, PAID, "invoice/1", now - 60, now)
    stage.vitals = taken(stage.vitals, Unannounced("shop", (missed,)))


@pytest.mark.parametrize("status", [400, 401, 413, 415, 503])
async def test_refusals_have_no_working_webhook_deleted(status: int) -> None:
    """Anyone can cause them without a key, as often as they like."""
    stage = Stage()
    await stage.settle()
    stage.asked.clear()
    for round_ in range(4):
        for number in range(20):
            refuse(stage, status, f"{round_}-{number}")
            stage.wait(seconds=0.1)
        await stage.settle()
        stage.wait(minutes=15)
        stage.vitals = taken(stage.vitals, Announced("shop", PAID, stage.now.timestamp()))
    assert DELETE not in stage.asked


async def test_refused_signatures_have_nothing_read_again() -> None:
    """A forged request an hour must not use up the budget of calls."""
    stage = Stage()
    await stage.settle()
    for hour in range(24):
        refuse(stage, 401, str(hour))
        for _ in range(6):
            stage.wait(minutes=10, seconds=5)
            await stage.settle()
    assert stage.sweeps == 0


async def test_changes_that_are_never_announced_cost_little() -> None:
    """A living webhook that one kind of change never comes by is created anew ever less often."""
    stage = Stage()
    await stage.settle()
    stage.asked.clear()
    for hour in range(7 * 24):
        stage.wait(minutes=50)
        await stage.settle()
        miss(stage, str(hour))
        stage.wait(minutes=6)
        await stage.settle()
        stage.wait(minutes=4)
        stage.vitals = taken(stage.vitals, Announced("shop", PAID, stage.now.timestamp()))
    assert 2 <= stage.asked.count(DELETE) <= 12


async def test_a_busy_shop_notices_too() -> None:
    """So much is missed that the first of it is forgotten before it is old enough to be suspect."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=10)
    late = Announced("shop", PAID, stage.now.timestamp(), delay=900.0)
    stage.vitals = taken(stage.vitals, late)
    stage.asked.clear()
    for quarter in range(4):
        stage.wait(minutes=15)
        for number in range(60):
            miss(stage, f"{quarter}-{number}")
        await stage.settle()
    assert DELETE in stage.asked


@pytest.mark.parametrize("ahead", [-60.0, 60.0])
async def test_an_order_is_carried_out_once_by_any_clock(ahead: float) -> None:
    """It may have been taken by an owner whose clock was another."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=5)
    stage.asked.clear()
    asked_at = stage.now.timestamp() + ahead
    stage.order("ensure", asked_at=asked_at, recreate=True, topics=(PAID,))
    await stage.settle()
    assert stage.asked == ["POST get_webhooks", DELETE, CREATE]
    assert [done.problem for done in stage.registered.done] == [None]


async def test_what_was_deleted_to_be_created_anew_is_not_forgotten() -> None:
    """Nor where nobody manages the account, or after the order is over: it was there before."""
    managed = Stage()
    await managed.settle()
    stage = Stage(managed=False)
    stage.sandbox, stage.registered, stage.now = managed.sandbox, managed.registered, managed.now
    stage.wait(minutes=1)
    stage.order("ensure", recreate=True, topics=(PAID,))
    while DELETE not in stage.asked:
        await stage.look()
    stage.status = DOWN
    await stage.settle()
    assert names(worries(stage.situation(), stage.handler.account)) == {UNREGISTERED}
    (done,) = stage.registered.done
    assert PAID in (done.problem or "")
    stage.status = UP
    stage.wait(hours=1)
    await stage.settle()
    assert set(stage.webhooks()) == set(TOPICS)


async def test_our_url_that_fails_once_costs_half_a_minute() -> None:
    """To look whether we can be reached is free: after a deletion every minute counts."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=20)
    stage.miss(PAID, ago=400)
    while PAID in stage.webhooks():
        await stage.look()
    stage.unreachable = "GET /livez: TimeoutError"
    await stage.look()
    stage.unreachable = None
    began = stage.now
    while PAID not in stage.webhooks():
        look = await stage.look()
        stage.wait(seconds=max(0.0, look.next_at - stage.now.timestamp()))
    assert (stage.now - began).total_seconds() < 60


async def test_a_deletion_whose_answer_was_lost_is_gone_on_with() -> None:
    """It may have been done: the topic is created at once, and everything read again."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=20)
    stage.miss(PAID, ago=400)
    while DELETE not in stage.asked:
        stage.answers_lost = stage.registered.of(PAID).is_renewed
        await stage.look()
    stage.answers_lost = False
    await stage.settle()
    assert set(stage.webhooks()) == set(TOPICS)
    assert stage.sweeps == 1


async def test_nothing_is_deleted_that_there_are_no_calls_to_create_again() -> None:
    """The budget may be used up: deleting waits until there is room for what must follow."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=20)
    stage.miss(PAID, ago=400)
    for _ in range(stage.account.budget.calls):
        await stage.account.budget.take()
    stage.asked.clear()
    await stage.settle()
    assert DELETE not in stage.asked


async def test_a_webhook_that_lives_again_is_not_created_anew() -> None:
    """What was about to be deleted, and could not be yet, has told something meanwhile."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=20)
    stage.miss(PAID, ago=400)
    stage.unreachable = "GET /livez: refused"
    await stage.settle()
    assert stage.registered.of(PAID).is_renewed
    stage.unreachable = None
    stage.vitals = taken(stage.vitals, Announced("shop", PAID, stage.now.timestamp()))
    stage.wait(minutes=1)
    stage.asked.clear()
    await stage.settle()
    assert DELETE not in stage.asked
    assert stage.sweeps == 0
    one = stage.registered.of(PAID)
    assert (one.problem, one.is_renewed, stage.registered.unreachable) == (None, False, None)


async def test_troubles_that_are_over_are_forgotten() -> None:
    """A step that failed and that somebody else has made is no trouble any more."""
    stage = Stage(status=DOWN)
    await stage.settle()
    assert names(worries(stage.situation(), stage.handler.account)) == {UNREGISTERED}
    stage.sandbox.subscribe(stage.guard.url("shop") or "")
    stage.status = UP
    stage.wait(hours=1)
    await stage.settle()
    assert not any(one.problem or one.failures for one in stage.registered.topics.values())
    assert names(worries(stage.situation(), stage.handler.account)) == set()


async def test_what_is_about_to_be_registered_is_no_worry() -> None:
    """A new account, and a webhook that vanished, are mended in a moment; what stays so is told."""
    stage = Stage()
    await stage.look()
    assert stage.registered.listed_at is not None
    assert names(worries(stage.situation(), stage.handler.account)) == set()
    stage.wait(minutes=25)
    assert names(worries(stage.situation(), stage.handler.account)) == {UNREGISTERED}


async def test_an_url_that_stays_unreachable_is_tried_ever_less_often() -> None:
    """One try tells it for all topics, and every ten minutes is often enough in the end."""
    stage = Stage(unreachable="GET /livez: refused")
    ends = stage.now + timedelta(days=1)
    while stage.now < ends:
        look = await stage.settle()
        stage.wait(seconds=max(1.0, look.next_at - stage.now.timestamp()))
    assert 100 <= stage.reaches <= 160


async def test_a_topic_that_was_created_anew_for_years_still_has_its_turn() -> None:
    """The pause ends at a day, however often it was doubled."""
    stage = Stage()
    await stage.settle()
    often = replace(stage.registered.of(PAID), renewals=5_000)
    stage.registered = stage.registered.with_topic(PAID, often)
    again_at = stage.situation().renewed_again_at(PAID)
    assert again_at == (often.enabled_at or 0.0) + 24 * 3600.0
