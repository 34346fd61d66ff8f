"""The guard keeps an account's topics registered to our URL, and believes only what it explains."""

import pytest

from handlers.smartpay.sandbox import Strictness
from handlers.smartpay.topics import TOPICS
from receiver.registration.proof import UNPROVEN, WINDOW

from .stage import DEAF, DOWN, ELSEWHERE, HOOK, Stage

CHANGES = ("create_webhook", "modify_webhook", "delete_webhook")
EVERYTHING = set(TOPICS)


@pytest.mark.parametrize("version", ["1-2", "2-0"])
async def test_from_nothing_to_all_topics_registered_and_proven(version: str) -> None:
    """A new account ends with every topic leading to us, each proven by its own arrival."""
    stage = Stage(version)
    await stage.settle()
    assert stage.webhooks() == dict.fromkeys(TOPICS, HOOK)
    assert stage.proven() == EVERYTHING


async def test_what_is_right_costs_one_listing_a_check() -> None:
    """Nothing is changed that is right: a check is one call."""
    stage = Stage()
    await stage.settle()
    stage.asked.clear()
    for _ in range(6):
        stage.wait(minutes=10)
        await stage.settle()
    assert stage.asked == ["POST get_webhooks"] * 6


async def test_a_registration_that_vanished_is_made_again() -> None:
    """A topic that is no longer listed is created at the next check."""
    stage = Stage()
    await stage.settle()
    stage.sandbox.controls["lose-webhook"].run({"topic": "invoice/paid"}, stage.now)
    stage.wait(minutes=10)
    await stage.settle()
    assert stage.webhooks() == dict.fromkeys(TOPICS, HOOK)
    assert stage.proven() == EVERYTHING


async def test_nothing_is_changed_for_an_account_that_is_not_managed() -> None:
    """Without manage_webhooks no call is made at all."""
    stage = Stage(managed=False)
    await stage.settle()
    assert stage.asked == []


async def test_no_arrival_no_proof() -> None:
    """A subscription whose notification arrived elsewhere is not proven, whatever SmartPay says."""
    stage = Stage(heard=False)
    await stage.settle()
    assert list(stage.webhooks()) == [TOPICS[0]]
    assert stage.proven() == set()
    stage.wait(seconds=2 * WINDOW)
    await stage.look()
    assert stage.registered.of(TOPICS[0]).problem == UNPROVEN


async def test_an_arrival_that_no_call_explains_proves_nothing() -> None:
    """An old webhook/created sent again, before or after the window of our call, is no proof."""
    stage = Stage(heard=False)
    stage.arrive()
    stage.wait(minutes=5)
    await stage.settle()
    stage.wait(seconds=WINDOW + 30)
    stage.arrive()
    await stage.look()
    assert not stage.proven()


async def test_one_arrival_does_not_prove_two_topics() -> None:
    """While one call waits for its arrival no other is made that it could be taken for."""
    stage = Stage(heard=False)
    await stage.settle()
    assert len(stage.registered.topics) == 1
    stage.heard = True
    stage.arrive()
    await stage.look()
    assert len(stage.proven()) == 1


async def test_what_has_proven_one_topic_proves_no_other() -> None:
    """The window of a call reaches back a little, to arrivals that another call explains."""
    stage = Stage()
    while not stage.vitals.arrivals:
        await stage.look()
    stage.heard = False
    for _ in range(3):
        await stage.look()
    assert set(stage.webhooks()) == set(TOPICS[:2])
    assert stage.proven() == {TOPICS[0]}


async def test_a_topic_that_another_has_is_not_touched() -> None:
    """What leads elsewhere and is not ours stays, unless an operator says otherwise."""
    stage = Stage()
    stage.sandbox.subscribe(ELSEWHERE)
    await stage.settle()
    assert stage.webhooks() == dict.fromkeys(TOPICS, ELSEWHERE)
    order = stage.order("ensure", take_over=True)
    await stage.settle()
    assert stage.webhooks() == dict.fromkeys(TOPICS, HOOK)
    assert stage.proven() == EVERYTHING
    (done,) = stage.registered.done
    assert (done.order, done.problem, len(done.steps)) == (order.id, None, len(TOPICS))


async def test_an_order_that_meets_what_another_has_says_so() -> None:
    """Without --take-over the outcome names what is in the way."""
    stage = Stage()
    stage.sandbox.subscribe(ELSEWHERE)
    stage.order("ensure")
    await stage.settle()
    (done,) = stage.registered.done
    assert "--take-over" in (done.problem or "")


async def test_what_was_ours_moves_with_the_public_url() -> None:
    """When public_url changes, what we registered is modified, not left behind."""
    stage = Stage()
    await stage.settle()
    moved = Stage(public_url="https://new.example.com")
    moved.sandbox, moved.registered, moved.now = stage.sandbox, stage.registered, stage.now
    moved.wait(minutes=10)
    await moved.settle()
    assert set(moved.webhooks().values()) == {"https://new.example.com/webhooks/shop"}
    assert len(moved.webhooks()) == len(TOPICS)
    for topic in TOPICS:
        before, after = (each.registered.of(topic).enabled_at for each in (stage, moved))
        assert after is not None
        assert before is not None
        assert after > before, "what happened before it led here blames nobody"


async def test_nothing_is_registered_while_our_url_cannot_be_reached() -> None:
    """A URL that does not answer here is not given to the provider: each refusal would count."""
    stage = Stage(unreachable="GET /livez: refused")
    await stage.settle()
    assert stage.webhooks() == {}
    assert stage.made(*CHANGES) == []
    stage.unreachable = None
    stage.wait(hours=1)
    await stage.settle()
    assert stage.proven() == EVERYTHING


@pytest.mark.parametrize("status", [DOWN, DEAF, 202])
async def test_a_refused_step_is_tried_again_but_ever_less_often(status: int | None) -> None:
    """A step that SmartPay rejects is made again after pauses that grow up to an hour."""
    stage = Stage(status=status)
    tries = []
    for _ in range(12 * 60):
        look = await stage.settle()
        tries.append(len(stage.made("create_webhook")))
        stage.now = max(stage.now, stage.now.fromtimestamp(look.next_at, stage.now.tzinfo))
        if stage.now.timestamp() > 1767268800 + 12 * 3600:
            break
    assert stage.webhooks() == {}
    assert len(TOPICS) * 12 <= tries[-1] <= len(TOPICS) * 16
    stage.status = 200
    stage.wait(hours=1)
    await stage.settle()
    assert stage.proven() == EVERYTHING


async def test_an_answer_that_was_lost_is_not_made_twice() -> None:
    """A creation whose answer never came is looked for in the listing, not repeated."""
    stage = Stage()
    await stage.look()
    stage.answers_lost = True
    look = await stage.look()
    assert look.failure is not None
    stage.answers_lost = False
    await stage.settle()
    creations = stage.made("create_webhook")
    assert len(creations) == len(TOPICS)
    assert stage.proven() == EVERYTHING


async def test_a_silent_topic_is_created_anew_and_everything_read_again() -> None:
    """A payment that no webhook announced has its topic re-created, which enables it."""
    stage = Stage()
    await stage.settle()
    stage.cause("disable-webhook", topic="invoice/paid")
    stage.wait(minutes=20)
    stage.miss("invoice/paid", since=600)
    assert not (await stage.settle()).sweeps
    stage.wait(minutes=6)
    stage.asked.clear()
    looks = [await stage.look() for _ in range(8)]
    assert [call.split(" ")[1] for call in stage.made(*CHANGES)] == [
        "delete_webhook",
        "create_webhook",
    ]
    assert any(look.sweeps for look in looks)
    shown = {one["topic"]: one["is_enabled"] for one in stage.cause("webhooks")}
    assert shown == dict.fromkeys(TOPICS, True)
    assert stage.proven() == EVERYTHING


async def test_what_happened_before_a_webhook_was_enabled_blames_nobody() -> None:
    """The history found at a first start does not make a fresh registration suspect."""
    stage = Stage()
    await stage.settle()
    stage.miss("invoice/paid", since=3600)
    stage.miss("order/created", since=None)
    stage.wait(days=1)
    stage.asked.clear()
    await stage.settle()
    assert stage.made(*CHANGES) == []


async def test_a_webhook_that_told_something_since_is_not_blamed() -> None:
    """One that works and has lost a notification is not disabled."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=30)
    stage.miss("invoice/paid")
    stage.wait(minutes=1)
    stage.live("invoice/paid")
    stage.wait(hours=1)
    stage.asked.clear()
    await stage.settle()
    assert stage.made(*CHANGES) == []


async def test_creating_anew_in_vain_is_done_ever_less_often() -> None:
    """A topic that SmartPay never announces costs few calls: re-creations back off to a day."""
    stage = Stage()
    await stage.settle()
    stage.asked.clear()
    for _ in range(7 * 24 * 2):
        stage.wait(minutes=30)
        stage.miss("order/cancelled", ago=600, since=60)
        await stage.settle()
    creations = len(stage.made("create_webhook"))
    assert 8 <= creations <= 14


async def test_a_test_of_a_registration_proves_it_again() -> None:
    """An operator's test makes SmartPay call each topic's URL, and tells that it arrived."""
    for version, endpoint in (("1-2", "modify_webhook"), ("2-0", "actions/test")):
        stage = Stage(version)
        await stage.settle()
        stage.wait(minutes=1)
        stage.asked.clear()
        enabled_at = stage.registered.of("invoice/paid").enabled_at
        stage.order("test", topics=("invoice/paid",))
        for _ in range(8):
            await stage.look()
            stage.deliver()
        assert stage.registered.of("invoice/paid").enabled_at == enabled_at
        assert sum(endpoint in call for call in stage.asked) == 1
        (done,) = stage.registered.done
        assert (done.problem, len(done.steps)) == (None, 1)


async def test_a_gap_has_everything_read_again_once() -> None:
    """Nobody had the account for a while: webhooks may have been lost."""
    stage = Stage()
    await stage.settle()
    stage.wait(hours=3)
    stage.gap = 2 * 3600.0
    assert (await stage.look()).sweeps
    assert not (await stage.look()).sweeps


async def test_a_guard_that_had_to_wait_is_no_gap() -> None:
    """Reading everything again is what it may have waited for: that must not begin anew."""
    stage = Stage()
    await stage.settle()
    for _ in range(5):
        stage.wait(hours=1)
        await stage.settle()
    assert stage.sweeps == 0


async def test_a_throttled_step_is_not_a_failed_one() -> None:
    """Calls that SmartPay throttles rest the account; the step is not blamed."""
    stage = Stage(strictness=Strictness(calls=3))
    failures = [(await stage.look()).failure for _ in range(6)]
    assert any(failures)
    assert not any(one.problem for one in stage.registered.topics.values())


async def test_failures_that_are_over_have_everything_read_again_once() -> None:
    """What was durable nowhere may be lost: it is read once no more is refused for a while."""
    stage = Stage()
    await stage.settle()
    stage.wait(hours=7)
    stage.fail("invoice/paid")
    swept = []
    for _ in range(24):
        await stage.settle()
        swept.append(stage.sweeps)
        stage.wait(minutes=4)
    assert (swept[0], swept[1], swept[-1]) == (0, 0, 1)
