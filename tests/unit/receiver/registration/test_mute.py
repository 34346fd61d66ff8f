"""A webhook that calls nobody is created anew where modifying it does not help."""

from typing import Any

import pytest

from handlers.exchange import Request, Response
from handlers.smartpay.topics import TOPICS
from receiver.registration.worries import UNPROVEN_CODE, worries

from .stage import Stage

CANCELLED, PAID = "order/cancelled", "invoice/paid"


class Mute(Stage):
    """At SmartPay modifying some topics enables nothing, and calls nobody."""

    mute: tuple[str, ...] = ()
    status_of_mute = 200

    def answer(self, request: Request) -> Response:
        """Be the sandbox, but for what is mute."""
        ids = [one["webhook_id"] for one in self.cause("webhooks") if one["topic"] in self.mute]
        said = f"{request.path}?{(request.body or b'').decode()}&"
        is_change = request.method == "PATCH" or request.path.endswith("modify_webhook")
        if is_change and any(f"{id_}?" in said or f"={id_}&" in said for id_ in ids):
            self.wait(seconds=1)
            self.asked.append("MUTE")
            if self.status_of_mute == 200:
                return Response.json(200, {"result": {}})
            return Response.json(self.status_of_mute, {"errors": {"7": "it is disabled"}})
        return super().answer(request)

    def silence(self, *topics: str) -> None:
        """Have topics disabled, until they are created anew."""
        for topic in topics:
            self.cause("disable-webhook", topic=topic)
        self.mute = topics


async def silenced(version: str, *topics: str) -> Mute:
    """Return a stage on which topics were proven, then disabled, then tested in vain."""
    stage = Mute(version)
    await stage.settle()
    stage.wait(hours=1)
    stage.silence(*topics)
    stage.order("test", topics=topics)
    stage.asked.clear()
    return stage


async def pass_hours(stage: Stage, hours: float, *, lively: tuple[str, ...] = ()) -> None:
    """Let time pass, in which some topics tell something new every ten minutes."""
    ends = stage.now.timestamp() + hours * 3600
    while stage.now.timestamp() < ends:
        look = await stage.settle()
        for topic in lively:
            stage.live(topic)
        rest = look.next_at - stage.now.timestamp()
        stage.wait(seconds=min(600.0, max(1.0, rest)))


def enabled(stage: Stage) -> set[str]:
    """Return the topics that are enabled at the sandbox."""
    return {one["topic"] for one in stage.cause("webhooks") if one["is_enabled"]}


def deletions(stage: Stage) -> int:
    """Return how often a webhook was deleted."""
    return sum("delete" in call.lower() for call in stage.asked)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("version", ["1-2", "2-0"])
async def test_one_that_is_mute_is_created_anew_once_others_tell_something(
    version: str, status: int
) -> None:
    """They show that our URL is reached, whether SmartPay accepts to modify this one or not."""
    stage = await silenced(version, CANCELLED)
    stage.status_of_mute = status
    await pass_hours(stage, 3, lively=(PAID,))
    assert enabled(stage) == stage.proven() == set(TOPICS)
    assert deletions(stage) == 1
    assert stage.sweeps == 1


@pytest.mark.parametrize("version", ["1-2", "2-0"])
async def test_where_all_are_mute_each_is_created_anew_after_a_day(version: str) -> None:
    """An outage disables all of them at once, and SmartPay says that our URL answers."""
    stage = await silenced(version, *TOPICS)
    await pass_hours(stage, 12)
    assert deletions(stage) == 0
    await pass_hours(stage, 24)
    assert enabled(stage) == stage.proven() == set(TOPICS)
    assert deletions(stage) == len(TOPICS)


async def test_a_quiet_one_that_a_probe_finds_is_created_anew() -> None:
    """Nobody ordered anything, and nothing was missed."""
    stage = Mute("2-0")
    await stage.settle()
    stage.silence(CANCELLED)
    others = tuple(topic for topic in TOPICS if topic != CANCELLED)
    await pass_hours(stage, 30, lively=others)
    assert enabled(stage) == stage.proven() == set(TOPICS)
    assert deletions(stage) == 1


async def test_what_is_missed_of_a_mute_one_does_not_keep_it_mute() -> None:
    """It is suspect, and neither a test nor a change of it arrives."""
    stage = Mute("2-0")
    await stage.settle()
    stage.wait(hours=2)
    stage.silence(CANCELLED)
    stage.miss(CANCELLED, ago=400)
    await pass_hours(stage, 4, lively=(PAID,))
    assert enabled(stage) == set(TOPICS)
    assert deletions(stage) == 1


async def test_a_mute_one_is_told_with_what_to_do_by_hand() -> None:
    """Until it is created anew, which it is not while SmartPay refuses whatever it is asked."""
    stage = await silenced("2-0", *TOPICS)
    stage.status_of_mute = 400
    await pass_hours(stage, 60)
    assert deletions(stage) == 0
    told = {worry.code: worry.remedy for worry in worries(stage.situation(), _account(stage))}
    assert "payevents webhooks ensure --account shop --recreate" in told[UNPROVEN_CODE]


async def test_creating_anew_in_vain_is_done_ever_less_often() -> None:
    """Nothing that SmartPay sends because of us arrives, and it costs few calls."""
    stage = Mute("2-0")
    await stage.settle()
    stage.heard = False
    stage.order("test", topics=(CANCELLED,))
    await pass_hours(stage, 10 * 24, lively=(PAID,))
    assert 4 <= deletions(stage) <= 16


async def test_one_that_tells_something_is_not_created_anew() -> None:
    """Only what our own calls cause does not arrive."""
    stage = Mute("2-0")
    await stage.settle()
    stage.heard = False
    stage.order("test", topics=(CANCELLED,))
    await pass_hours(stage, 3 * 24, lively=TOPICS)
    assert deletions(stage) == 0


def _account(stage: Stage) -> Any:
    return stage.handler.account
