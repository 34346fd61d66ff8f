"""Polling Subscriply's sandbox over HTTP: what is caused there comes into the inbox, once."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from handlers.exchange import Request, Response
from handlers.subscriply import provider
from handlers.subscriply.sandbox.server import SubscriplySandbox

from .live import Live, polled

MINUTES = timedelta(seconds=70)
"""Longer than the default poll_interval with its jitter."""

SIGN_IN = "POST /authentication/sign_in"


class Site(SubscriplySandbox):
    """A Subscriply site whose list of subscriptions can be out of order."""

    out_of_order = False

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer one request."""
        if self.out_of_order and request.path == "/subscriptions":
            return Response.json(500, {"error": "out of order"})
        return super().handle(request, now)


@pytest.fixture
async def members() -> AsyncIterator[Live]:
    """Poll the account "members"."""
    async with polled(provider, "members", Site()) as live:
        await live.until(lambda: "members/subscriptions/all" in live.watches())
        await live.pass_time(timedelta())
        yield live


async def test_a_new_subscription_and_its_charge_are_found(members: Live) -> None:
    """Nobody registers a subscription: the next look at the list finds it."""
    await members.host.control("add-subscription")
    await members.host.control("charge", amount="1250")
    assert members.facts() == []
    await members.pass_time(MINUTES)
    assert members.facts() == [("charge", "succeeded")]
    assert members.fact_ids() == members.host.sandbox.caused("members")


async def test_refunds_declines_and_unknown_states_are_found(members: Live) -> None:
    """Whatever the index shows is handed on once, a state without a word of ours too."""
    await members.host.control("add-subscription")
    await members.pass_time(MINUTES)
    for control in ("charge", "decline", "refund"):
        await members.host.control(control)
        await members.pass_time(MINUTES)
    await members.host.control("set-state", state="disputed")
    await members.pass_time(MINUTES)
    await members.pass_time(MINUTES)
    assert members.facts() == [
        ("charge", "succeeded"),
        ("charge", "declined"),
        ("refund", "succeeded"),
        ("refund", "updated"),
    ]
    assert members.fact_ids() == members.host.sandbox.caused("members")


async def test_a_void_long_after_is_found(members: Live) -> None:
    """A charge that becomes void after most of a year is seen, on a canceled subscription too."""
    await members.host.control("add-subscription")
    await members.host.control("charge")
    await members.pass_time(MINUTES)
    await members.host.control("cancel-subscription")
    await members.pass_time(timedelta(days=300))
    await members.host.control("void")
    await members.pass_time(11 * MINUTES)
    assert members.facts() == [("charge", "succeeded"), ("charge", "voided")]
    assert members.fact_ids() == members.host.sandbox.caused("members")


async def test_a_dead_subscription_does_not_stop_the_rest(members: Live) -> None:
    """The charges of the others arrive; the dead one says why, and comes back when it is mended."""
    shown = [await members.host.control("add-subscription") for _ in range(3)]
    dead, *alive = [str(each["id"]) for each in shown if isinstance(each, dict)]
    await members.host.control("break-subscription", subscription=dead)
    for subscription in (dead, *alive):
        await members.host.control("charge", subscription=subscription)
    for _ in range(5):
        await members.pass_time(MINUTES)
    assert members.facts() == [("charge", "succeeded")] * 2
    assert members.codes() == set()
    broken = members.watches()[f"members/transactions/{dead}"]
    assert broken.error is not None
    assert "500" in broken.error
    await members.host.control("break-subscription", subscription=dead, broken="no")
    await members.pass_time(timedelta(minutes=6))
    assert members.facts() == [("charge", "succeeded")] * 3
    assert members.fact_ids() == members.host.sandbox.caused("members")


async def test_an_expired_token_signs_in_again(members: Live) -> None:
    """One sign-in serves all calls; when its token ends each visit under way makes one at most."""
    await members.host.control("add-subscription")
    for _ in range(3):
        await members.pass_time(MINUTES)
    assert members.asked(SIGN_IN) == 1
    await members.host.control("expire-tokens")
    await members.host.control("charge")
    await members.pass_time(MINUTES)
    renewed = members.asked(SIGN_IN)
    assert 2 <= renewed <= 1 + len(members.watches())
    assert members.facts() == [("charge", "succeeded")]
    await members.pass_time(MINUTES)
    assert members.asked(SIGN_IN) == renewed
    assert members.codes() == set()


async def test_a_failing_list_opens_the_breaker_until_it_is_mended(members: Live) -> None:
    """That the list fails means that the account does: an alarm, and then all goes on."""
    site = members.host.sandbox
    assert isinstance(site, Site)
    await members.host.control("add-subscription")
    await members.pass_time(MINUTES)
    site.out_of_order = True
    for failures in range(1, 6):
        await members.turn(timedelta(minutes=6))
        await members.until(partial(_has_failed, members, failures))
        asked = members.host.requests.total()
        await members.turn(timedelta(seconds=0.9))
        assert members.host.requests.total() == asked
    assert members.codes() == {"provider-away"}
    site.out_of_order = False
    await members.host.control("charge")
    await members.pass_time(timedelta(minutes=6))
    assert members.facts() == [("charge", "succeeded")]
    assert members.codes() == set()


def _has_failed(members: Live, times: int) -> bool:
    return members.watches()["members/subscriptions/all"].failures == times


async def test_wrong_credentials_are_not_tried_again_and_again(members: Live) -> None:
    """A refusal stops every call of the account for backoff_max, and mending it starts them."""
    await members.host.control("add-subscription")
    await members.pass_time(MINUTES)
    settings = members.host.sandbox.account("members", members.host.base_url)
    members.configure(settings.model_copy(update={"email": "nobody@sandbox.example"}))
    await members.turn(MINUTES)
    await members.until(lambda: "credentials-refused" in members.codes())
    tried = members.asked(SIGN_IN)
    for _ in range(3):
        await members.turn(MINUTES)
    assert members.asked(SIGN_IN) == tried
    members.configure(settings)
    await members.host.control("charge")
    await members.pass_time(MINUTES)
    assert members.facts() == [("charge", "succeeded")]
    assert members.codes() == set()
