"""What a person is told of an account's webhooks, and what to do about it."""

from dataclasses import replace
from datetime import timedelta

import msgspec

from handlers.smartpay.topics import TOPICS
from receiver.registration import worries as codes
from receiver.registration.proof import WINDOW
from receiver.registration.signs import Failure
from receiver.registration.vitals import TopicVitals
from receiver.registration.worries import Worry, worries

from .stage import DOWN, ELSEWHERE, Stage

PAID = "invoice/paid"


def told(stage: Stage) -> dict[str, Worry]:
    """Return the worries of the stage's account, by code."""
    found = list(worries(stage.situation(), stage.handler.account))
    by_code = {worry.code: worry for worry in found}
    assert len(by_code) == len(found)
    assert by_code.keys() <= set(codes.CODES)
    return by_code


async def test_all_is_well_after_all_is_proven() -> None:
    """A fresh account has no worry once it is registered."""
    stage = Stage()
    await stage.settle()
    assert told(stage) == {}


async def test_a_topic_that_could_not_be_registered_is_told_with_the_providers_words() -> None:
    """What is not registered is named, with why."""
    stage = Stage(status=DOWN)
    await stage.settle()
    worry = told(stage)[codes.UNREGISTERED]
    assert PAID in worry.why
    assert "200 OK" in worry.why


async def test_without_a_public_url_nothing_can_be_registered() -> None:
    """An account that comes from the folder may need what was never set."""
    stage = Stage(public_url=None)
    await stage.settle()
    assert "http.public_url" in told(stage)[codes.UNREGISTERED].why


async def test_a_topic_of_another_is_told_with_its_url() -> None:
    """Who has it, and which command takes it over."""
    stage = Stage()
    stage.sandbox.subscribe(ELSEWHERE)
    await stage.settle()
    worry = told(stage)[codes.TAKEN]
    assert ELSEWHERE in worry.why
    assert "--take-over" in worry.remedy
    assert codes.UNREGISTERED not in told(stage)


async def test_an_url_that_cannot_be_reached_is_told() -> None:
    """The worry ends with the next step that is made."""
    stage = Stage(unreachable="GET /livez: refused")
    await stage.settle()
    assert "refused" in told(stage)[codes.UNREACHABLE].why
    stage.unreachable = None
    stage.wait(hours=1)
    await stage.settle()
    assert told(stage) == {}


async def test_a_registration_that_nothing_proves_is_told() -> None:
    """The provider was answered 200 by somebody who is not us."""
    stage = Stage(heard=False)
    await stage.settle()
    stage.wait(seconds=2 * WINDOW)
    await stage.look()
    assert TOPICS[0] in told(stage)[codes.UNPROVEN_CODE].why


async def test_silence_is_told_with_what_was_missed() -> None:
    """Which topic, since when, and what nobody announced; what to do depends on who manages it."""
    for managed, remedy in ((True, "nothing"), (False, "--recreate")):
        stage = Stage(managed=managed)
        await stage.settle()
        stage.wait(minutes=30)
        stage.miss(PAID, since=60)
        await stage.settle()
        assert codes.SILENT not in told(stage)
        stage.wait(minutes=6)
        worry = told(stage)[codes.SILENT]
        assert PAID in worry.why
        assert "invoice/1" in worry.why
        assert remedy in worry.remedy


async def test_failures_are_told_early_and_explained() -> None:
    """From the fifth of twenty on, with the reasons; they are no evidence of anything else."""
    stage = Stage()
    await stage.settle()

    def fail(count: int) -> None:
        at = stage.now.timestamp()
        known = TopicVitals(
            failures=tuple(Failure(PAID, 503, "not durable", at + n, f"r{n}") for n in range(count))
        )
        stage.vitals = msgspec.structs.replace(stage.vitals, topics={PAID: known})

    fail(4)
    assert told(stage) == {}
    fail(5)
    why = told(stage)[codes.FAILURES].why
    assert "at least 5 of 20" in why
    assert "not durable" in why
    fail(20)
    stage.wait(minutes=1)
    assert told(stage).keys() == {codes.FAILURES}


async def test_an_old_key_in_use_is_told_before_it_ends() -> None:
    """Not when the new one signs, and only in the last days of the old one."""
    stage = Stage()
    await stage.settle()
    ends = (stage.now + timedelta(days=30)).date()
    previous = {"key": "the old one", "until": ends}
    settings = stage.settings(previous_api_keys=[previous])
    names = {name: key for key, name in settings.signing_key_names().items()}
    old = next(key for name, key in names.items() if name.startswith("previous"))

    def codes_when(signed_with: str, days: int) -> set[str]:
        at = stage.now.timestamp()
        stage.vitals = msgspec.structs.replace(stage.vitals, keys={"older": 1.0, signed_with: at})
        situation = stage.situation()
        situation = replace(situation, now=at + days * 86_400.0)
        return {worry.code for worry in worries(situation, settings)} - {codes.UNREGISTERED}

    assert codes_when(old, 20) == set()
    assert codes_when(old, 27) == {codes.OLD_KEY}
    assert codes_when(names["api_key"], 27) == set()


async def test_silence_is_told_until_a_webhook_tells_something() -> None:
    """Created anew it is not suspect any more, and yet nobody should overlook what happened."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=30)
    stage.miss(PAID, since=60)
    stage.wait(minutes=6)
    await stage.settle()
    assert stage.proven() == set(TOPICS)
    assert "created anew" in told(stage)[codes.SILENT].why
    stage.wait(minutes=1)
    stage.live(PAID)
    assert told(stage) == {}


async def test_what_an_operator_has_created_anew_is_not_called_silent() -> None:
    """Nothing spoke for it."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=1)
    stage.order("ensure", recreate=True)
    await stage.settle()
    assert len(stage.made("delete_webhook")) == len(TOPICS)
    assert told(stage) == {}


async def test_a_test_that_does_not_arrive_is_told_until_one_does() -> None:
    """What arrived long ago proves nothing of where the URL leads now."""
    stage = Stage()
    await stage.settle()
    stage.wait(minutes=5)
    stage.heard = False
    stage.order("test", topics=(PAID,))
    await stage.settle()
    stage.wait(seconds=2 * WINDOW)
    await stage.settle()
    assert [done.problem is None for done in stage.registered.done] == [False]
    stage.wait(minutes=1)
    await stage.settle()
    assert PAID in told(stage)[codes.UNPROVEN_CODE].why
    stage.heard = True
    stage.wait(minutes=15)
    await stage.settle()
    assert told(stage) == {}
