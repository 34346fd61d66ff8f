"""A quiet topic is probed now and then, sparingly, and a probe alone deletes nothing."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from handlers.exchange import CallFailed, Request, Response
from handlers.smartpay.topics import TOPICS
from receiver.registration.aftermath import blaming
from receiver.registration.condition import State, conditions
from receiver.registration.proof import LONGEST_WINDOW
from receiver.registration.suspicion import SHORTEST_DELAY
from receiver.registration.vitals import MOST_ARRIVALS
from receiver.registration.worries import SILENT, UNPROVEN_CODE, UNREACHABLE, worries

from .stage import DEAF, DOWN, UP, Stage, names

CANCELLED = "order/cancelled"
DAY = 24
CHANGES = ("PATCH", "DELETE", "POST")


async def proven(version: str = "2-0", **changed: Any) -> Stage:
    """Return a stage on which all topics are proven, and nothing has been asked since."""
    stage = Stage(version, **changed)
    await stage.settle()
    stage.asked.clear()
    return stage


async def probed() -> Stage:
    """Return a stage on which a topic was disabled, and a test of it is waited for."""
    stage = await proven()
    stage.cause("disable-webhook", topic=CANCELLED)
    stage.wait(hours=DAY)
    for topic in set(TOPICS) - {CANCELLED}:
        stage.live(topic)
    stage.wait(hours=2)
    await stage.settle()
    assert stage.registered.of(CANCELLED).call is not None
    return stage


async def pass_hours(
    stage: Stage,
    hours: float,
    *,
    quiet: tuple[str, ...] = TOPICS,
    deliver: Callable[[], None] | None = None,
) -> None:
    """Let time pass: all but the quiet topics tell something new each hour."""
    ends = stage.now.timestamp() + hours * 3600
    lively = [topic for topic in TOPICS if topic not in quiet]
    lived_at = 0.0
    while stage.now.timestamp() < ends:
        if stage.now.timestamp() - lived_at >= 3600:
            lived_at = stage.now.timestamp()
            for topic in lively:
                stage.live(topic)
        look = await stage.look()
        (deliver or stage.deliver)()
        if stage.vitals.arrivals and any(one.call for one in stage.registered.topics.values()):
            look = await stage.look()
        rest = max(1.0, look.next_at - stage.now.timestamp())
        # Only the listing is due when nothing else is, and once in a while will do.
        stage.wait(seconds=rest if rest < 500.0 else 1800.0)


def probes_of(stage: Stage) -> list[str]:
    """Return the tests that were asked for, by their webhooks."""
    return [call for call in stage.asked if call.endswith("actions/test")]


def changes_of(stage: Stage) -> list[str]:
    """Return the methods of what was changed or tested, in order."""
    return [call.split(" ")[0] for call in stage.asked if not call.startswith("GET")]


def is_enabled(stage: Stage, topic: str) -> bool:
    """Tell whether a topic is enabled at the sandbox."""
    return any(one["topic"] == topic and one["is_enabled"] for one in stage.cause("webhooks"))


def told(stage: Stage) -> set[str]:
    """Return the codes of the alarms."""
    return names(worries(stage.situation(), stage.handler.account))


async def test_a_quiet_topic_is_probed_after_a_day_and_then_ever_less_often() -> None:
    """One with nothing to tell costs five calls in 16 days, each of which proves it afresh."""
    stage = await proven()
    await pass_hours(stage, DAY - 1, quiet=(CANCELLED,))
    assert probes_of(stage) == []
    await pass_hours(stage, 2, quiet=(CANCELLED,))
    assert len(probes_of(stage)) == 1
    one = stage.registered.of(CANCELLED)
    assert one.proven_at is not None
    assert one.proven_at == one.heard_at
    assert one.proven_at > (one.enabled_at or 0.0) + (DAY - 1) * 3600
    await pass_hours(stage, 15 * DAY, quiet=(CANCELLED,))
    assert len(probes_of(stage)) == 5
    assert set(changes_of(stage)) == {"PUT"}
    assert told(stage) == set()


async def test_a_quiet_account_is_probed_one_topic_an_hour() -> None:
    """A test that is sent twice is not taken for that of another topic."""
    stage = await proven()
    await pass_hours(stage, DAY + 0.9)
    assert len(probes_of(stage)) == 1
    await pass_hours(stage, 6)
    assert len(set(probes_of(stage))) == len(probes_of(stage)) == len(TOPICS)
    heard = sorted(one.heard_at or 0.0 for one in stage.registered.topics.values())
    assert all(later - before >= 3600 for before, later in pairwise(heard))


@pytest.mark.parametrize(
    ("version", "managed"), [("1-2", True), ("2-0", False)], ids=["1-2", "not managed"]
)
async def test_who_cannot_or_must_not_probe_does_not(version: str, *, managed: bool) -> None:
    """There is no such call, or no call is wanted at all."""
    stage = await proven(version, managed=managed)
    await pass_hours(stage, 3 * DAY)
    assert changes_of(stage) == ["POST"] * len(stage.made("get_webhooks"))


async def test_a_quiet_topic_that_is_disabled_is_found_and_enabled() -> None:
    """Its probe does not arrive, and something else does: alarm, creation anew, reconciliation."""
    stage = await proven()
    stage.cause("disable-webhook", topic=CANCELLED)
    await pass_hours(stage, DAY + 1, quiet=(CANCELLED,))
    assert changes_of(stage) == ["PUT", "PATCH", "DELETE", "POST"]
    assert is_enabled(stage, CANCELLED)
    assert stage.sweeps == 1
    assert told(stage) == {SILENT}
    await pass_hours(stage, DAY + 1, quiet=(CANCELLED,))
    assert told(stage) == set(), "the next probe has arrived"
    assert changes_of(stage) == ["PUT", "PATCH", "DELETE", "POST", "PUT"]


async def test_the_alarm_says_what_speaks_for_it() -> None:
    """There is nothing that was missed, which it could name."""
    stage = await probed()
    for _ in range(8):
        look = await stage.look()
        if stage.situation().is_suspect(CANCELLED):
            break
        stage.wait(seconds=max(0.0, look.next_at - stage.now.timestamp()))
    [worry] = worries(stage.situation(), stage.handler.account)
    assert worry.code == SILENT
    assert f"{CANCELLED}: a test notification had not arrived by" in worry.why
    [one] = [one for one in conditions(stage.situation()) if one.topic == CANCELLED]
    assert one.state is State.SUSPECTED


async def test_a_probe_that_is_lost_on_its_way_deletes_nothing() -> None:
    """Nothing else arrives either: the webhook may be enabled, and has its queue."""
    stage = await proven()
    stage.heard = False
    await pass_hours(stage, DAY + 3)
    assert changes_of(stage)[:2] == ["PUT", "PATCH"]
    assert "DELETE" not in changes_of(stage)
    assert told(stage) == {UNPROVEN_CODE}
    assert len(probes_of(stage)) == 1, "nor is any other topic probed"
    stage.heard = True
    await pass_hours(stage, 2)
    assert told(stage) == set()
    assert "DELETE" not in changes_of(stage)


@pytest.mark.parametrize("status", [DOWN, DEAF])
async def test_a_way_that_is_closed_from_outside_deletes_nothing(status: int | None) -> None:
    """SmartPay cannot call us, and would refuse to create what was deleted; it is told."""
    stage = await proven()
    stage.status = status
    await pass_hours(stage, DAY + 3)
    assert "DELETE" not in changes_of(stage)
    assert told(stage) == {UNPROVEN_CODE}
    stage.status = UP
    await pass_hours(stage, 2)
    assert told(stage) == set()


async def test_nothing_is_probed_while_our_url_cannot_be_reached() -> None:
    """The probe could only be lost; what is proven stays so meanwhile."""
    stage = await proven()
    stage.unreachable = "GET /livez: refused"
    await pass_hours(stage, DAY + 3)
    assert changes_of(stage) == []
    assert told(stage) == {UNREACHABLE}
    assert stage.proven() == set(TOPICS)
    assert stage.reaches < 30
    stage.unreachable = None
    await pass_hours(stage, 1)
    assert len(probes_of(stage)) == 1
    assert told(stage) == set()


async def test_a_probe_waits_for_room_in_the_budget() -> None:
    """There must be calls for what follows if it does not arrive."""
    stage = await proven()
    for _ in range(stage.account.budget.calls - 3):
        await stage.account.budget.take()
    stage.wait(days=2)
    await stage.settle()
    assert changes_of(stage) == []


@pytest.mark.parametrize("gap", [0.0, 30.0], ids=["a clock was ahead", "half a minute"])
async def test_nothing_is_probed_just_after_a_replica_has_changed(gap: float) -> None:
    """Receivers and routers may be about to change, too."""
    stage = await proven()
    stage.wait(hours=DAY + 2)
    stage.gap = gap
    await stage.settle()
    stage.wait(minutes=4)
    await stage.settle()
    assert changes_of(stage) == []
    stage.wait(minutes=2)
    await stage.look()
    assert changes_of(stage) == ["PUT"]


async def test_a_probe_that_a_change_of_replicas_came_upon_says_nothing() -> None:
    """It is made again once that is over."""
    stage = await proven()
    stage.wait(hours=DAY + 2)
    await stage.settle()
    assert changes_of(stage) == ["PUT"]
    stage.wait(minutes=1)
    stage.gap = 30.0
    await stage.settle()
    stage.wait(minutes=6)
    await stage.settle()
    assert changes_of(stage) == ["PUT", "PUT"]
    stage.deliver()
    await stage.look()
    assert stage.proven() == set(TOPICS)


async def test_a_probe_may_take_as_long_as_webhooks_do() -> None:
    """It is sent like any other, and nothing is held against the topic until it should be here."""
    stage = await proven()
    stage.wait(hours=DAY + 2)
    await stage.settle()
    assert stage.proven() == set(TOPICS)
    states = {one.state for one in conditions(stage.situation())}
    assert states == {State.PROVEN}
    stage.wait(seconds=SHORTEST_DELAY - 20)
    await stage.settle()
    stage.deliver()
    await stage.settle()
    assert changes_of(stage) == ["PUT"]
    heard = [one.heard_at for one in stage.registered.topics.values() if one.heard_at]
    assert heard == [stage.vitals.arrivals[-1]]


async def test_where_webhooks_are_slow_nothing_is_probed() -> None:
    """Longer than ten minutes no probe is waited for, and its silence would tell nothing."""
    for delay, tests in ((299.0, ["PUT"]), (301.0, [])):
        stage = await proven()
        stage.vitals = type(stage.vitals)(delays=(delay,))
        stage.wait(hours=DAY + 2)
        await stage.settle()
        assert changes_of(stage) == tests


def answer_late(stage: Stage) -> None:
    """Have a receiver been too busy for something that SmartPay sent, and sends again."""
    stage.fail("invoice/paid")


def replay(stage: Stage) -> None:
    """Have somebody send an old signed body again and again once the probe is over."""
    after = stage.now.timestamp() + LONGEST_WINDOW
    arrivals = tuple(after + number for number in range(MOST_ARRIVALS))
    stage.vitals = replace(stage.vitals, arrivals=arrivals)


@pytest.mark.parametrize("disturb", [answer_late, replay])
async def test_a_probe_that_may_have_come_says_nothing(disturb: Callable[[Stage], None]) -> None:
    """What we did not take, or forgot, is no reason to delete what is queued at SmartPay."""
    stage = await probed()
    disturb(stage)
    stage.wait(seconds=LONGEST_WINDOW + 2 * MOST_ARRIVALS)
    await stage.settle()
    assert changes_of(stage) == ["PUT"]
    assert stage.proven() == set(TOPICS)


async def test_an_arrival_that_is_told_late_spares_the_webhook() -> None:
    """Between a receiver and the guard there is a spool, the inbox and a router."""
    stage = await probed()
    arrived_at = stage.now.timestamp()
    stage.wait(seconds=SHORTEST_DELAY + 10)
    await stage.settle()
    assert changes_of(stage) == ["PUT", "PATCH"]
    arrivals = (arrived_at, *stage.vitals.arrivals)
    stage.vitals = replace(stage.vitals, arrivals=arrivals)
    await pass_hours(stage, 1, quiet=(CANCELLED,))
    assert changes_of(stage) == ["PUT", "PATCH"]
    assert told(stage) == set()


async def test_a_clock_that_was_ahead_keeps_no_suspect_from_being_mended() -> None:
    """What it has written down of the future counts for nothing."""
    stage = await proven()
    stage.cause("disable-webhook", topic=CANCELLED)
    stage.wait(hours=2)
    ahead = stage.now.timestamp() + 30 * 3600
    late = stage.registered.of("invoice/paid")
    stage.registered = replace(
        stage.registered.with_topic("invoice/paid", replace(late, heard_at=ahead)),
        taken_over_at=ahead,
    )
    stage.miss(CANCELLED, ago=400)
    await pass_hours(stage, 1)
    assert changes_of(stage) == ["PUT", "PATCH", "DELETE", "POST"]


async def test_a_test_that_will_have_been_heard_hides_nothing() -> None:
    """By a clock that was ahead: the topic is suspect, noted as such, and told with its facts."""
    stage = await proven()
    stage.wait(hours=2)
    one = replace(stage.registered.of(CANCELLED), heard_at=stage.now.timestamp() + 30 * 3600)
    stage.registered = stage.registered.with_topic(CANCELLED, one)
    stage.miss(CANCELLED, ago=400)
    [worry] = worries(stage.situation(), stage.handler.account)
    assert worry.code == SILENT
    assert "1 changes since" in worry.why
    assert blaming(stage.situation()).of(CANCELLED).blamed_since is not None


async def test_a_suspect_that_a_test_of_arrives_is_spared_once() -> None:
    """It works, and SmartPay throws away what is queued for one that is deleted."""
    stage = await proven()
    stage.wait(hours=2)
    stage.miss(CANCELLED, ago=400)
    assert stage.situation().is_suspect(CANCELLED)
    await pass_hours(stage, 0.2)
    assert changes_of(stage) == ["PUT"]
    assert told(stage) == set()
    assert stage.proven() == set(TOPICS)
    stage.wait(hours=2 * DAY)
    stage.miss(CANCELLED, ago=400)
    await pass_hours(stage, 0.2)
    assert "DELETE" in changes_of(stage), "a test may arrive although nothing else does"


async def test_a_suspect_that_told_something_since_is_spared_again() -> None:
    """One notification was lost a second time; its tests are an hour apart at least."""
    stage = await proven()
    tested_at = []
    for hours in (2.0, 2.0 * DAY, 1.0, 0.0):
        stage.asked.clear()
        stage.wait(hours=hours)
        stage.live(CANCELLED)
        stage.wait(minutes=20)
        stage.miss(CANCELLED, ago=400)
        await pass_hours(stage, 1, quiet=(CANCELLED,))
        assert changes_of(stage) == ["PUT"], hours
        tested_at.append(stage.registered.of(CANCELLED).heard_at or 0.0)
    assert all(later - before >= 3600 for before, later in pairwise(tested_at))


async def test_a_suspect_that_was_probed_a_while_ago_is_tested_all_the_same() -> None:
    """It was quiet, and its probe says nothing of what was lost since."""
    stage = await proven()
    await pass_hours(stage, DAY + 1, quiet=(CANCELLED,))
    assert len(probes_of(stage)) == 1
    stage.wait(hours=2)
    stage.asked.clear()
    stage.live(CANCELLED)
    stage.wait(minutes=10)
    stage.miss(CANCELLED, ago=400)
    await pass_hours(stage, 1, quiet=(CANCELLED,))
    assert changes_of(stage) == ["PUT"]
    assert told(stage) == set()


async def test_a_test_that_said_nothing_keeps_no_suspect_from_being_mended() -> None:
    """Whoever can spoil one could spoil all of them."""
    stage = await proven()
    stage.wait(hours=2)
    stage.cause("disable-webhook", topic=CANCELLED)
    stage.miss(CANCELLED, ago=400)
    await stage.settle()
    assert changes_of(stage) == ["PUT"]
    answer_late(stage)
    await pass_hours(stage, 1)
    assert changes_of(stage) == ["PUT", "DELETE", "POST"]
    assert is_enabled(stage, CANCELLED)


async def test_a_suspect_that_is_disabled_is_created_anew_after_its_test() -> None:
    """A few minutes later than without one."""
    stage = await proven()
    stage.wait(hours=2)
    stage.cause("disable-webhook", topic=CANCELLED)
    stage.miss(CANCELLED, ago=400)
    await pass_hours(stage, 0.2)
    assert changes_of(stage) == ["PUT", "PATCH", "DELETE", "POST"]
    assert is_enabled(stage, CANCELLED)
    assert stage.sweeps == 1


@pytest.mark.parametrize("is_disabled", [True, False])
async def test_nothing_is_read_again_while_a_suspect_waits_for_its_test(
    *, is_disabled: bool
) -> None:
    """Reading everything would use up the calls for what follows, and may not be needed."""
    stage = await proven()
    stage.wait(hours=2)
    if is_disabled:
        stage.cause("disable-webhook", topic=CANCELLED)
    stage.miss(CANCELLED, ago=400)
    now = stage.now.timestamp()
    other = replace(stage.registered.of("invoice/paid"), probed_at=now, heard_at=now)
    stage.registered = stage.registered.with_topic("invoice/paid", other)
    await stage.settle()
    assert (changes_of(stage), stage.sweeps) == ([], 0)
    await pass_hours(stage, 0.4)
    assert ("DELETE" in changes_of(stage)) is is_disabled
    assert stage.sweeps == is_disabled


async def test_a_suspect_is_not_deleted_while_nothing_arrives() -> None:
    """What was missed may be queued at SmartPay, which cannot reach us."""
    stage = await proven()
    stage.wait(hours=2)
    stage.miss(CANCELLED, ago=400)
    stage.status = DEAF
    await pass_hours(stage, 6)
    assert "DELETE" not in changes_of(stage)
    assert stage.sweeps == 1, "and all that was missed is read"
    assert told(stage) == {SILENT, UNPROVEN_CODE}


async def test_a_webhook_that_lives_while_it_is_doubted_is_not_created_anew() -> None:
    """It has told something, which is better than any test."""
    stage = await proven()
    stage.wait(hours=DAY + 2)
    await stage.settle()
    stage.wait(minutes=6)
    stage.heard = False
    await stage.look()
    doubted = [topic for topic, one in stage.registered.topics.items() if one.is_doubted]
    assert len(doubted) == 1
    stage.wait(seconds=1)
    stage.live(doubted[0])
    stage.arrive()
    await stage.settle()
    assert "DELETE" not in changes_of(stage)


async def test_where_tests_never_arrive_each_topic_is_created_anew_once_at_most() -> None:
    """Whatever the provider's tests are like, they do not have webhooks deleted for ever."""
    stage = await proven()
    await pass_hours(stage, 20 * DAY, deliver=lambda: None)
    assert changes_of(stage).count("DELETE") == len(TOPICS)
    assert len(stage.asked) - len(stage.made("webhooks")) < 200


async def test_an_old_body_that_passed_for_a_test_counts_for_two_weeks() -> None:
    """Where none arrives it has a webhook that works created anew for so long, and not for ever."""
    stage = await proven()
    stage.wait(hours=DAY + 2)
    await stage.settle()
    assert changes_of(stage) == ["PUT"]
    stage.arrive()
    await pass_hours(stage, 14 * DAY, quiet=(CANCELLED,), deliver=lambda: None)
    assert "DELETE" in changes_of(stage)
    stage.asked.clear()
    await pass_hours(stage, 21 * DAY, quiet=(CANCELLED,), deliver=lambda: None)
    assert changes_of(stage).count("DELETE") <= 1


@pytest.mark.parametrize("status", [400, 404, 500, None])
async def test_tests_that_are_refused_are_not_asked_for_again_and_again(status: int | None) -> None:
    """Once a day at most, and nothing else suffers: a webhook is proven, and stays so."""
    stage = await proven()
    answer = stage.answer
    refused = []

    def refuse(request: Request) -> Response:
        if not request.path.endswith("actions/test"):
            return answer(request)
        refused.append(request.path)
        stage.wait(seconds=1)
        if status is None:
            raise CallFailed("no answer")
        return Response.json(status, {"errors": {"1009": "Not now"}})

    stage.answer = refuse  # type: ignore[method-assign]
    await pass_hours(stage, 8 * DAY, quiet=(CANCELLED,))
    assert 1 <= len(refused) <= 8
    assert changes_of(stage) == []
    assert stage.proven() == set(TOPICS)
    stage.miss(CANCELLED, ago=400)
    await pass_hours(stage, 26, quiet=(CANCELLED,))
    assert "DELETE" in changes_of(stage), "what is suspect is created anew without a test"


async def test_an_ordered_test_that_does_not_arrive_is_followed_up() -> None:
    """Whoever ordered it is told within a minute; what it means is found out after that."""
    stage = await proven()
    stage.wait(hours=1)
    stage.cause("disable-webhook", topic=CANCELLED)
    stage.order("test", topics=(CANCELLED,))
    await stage.settle()
    stage.wait(seconds=70)
    await stage.settle()
    (done,) = stage.registered.done
    assert CANCELLED in (done.problem or "")
    await pass_hours(stage, 1)
    assert is_enabled(stage, CANCELLED)
    assert changes_of(stage) == ["PUT", "PUT", "PATCH", "DELETE", "POST"]
