"""A suspicion has everything read again, whether or not anything can be done about the webhook."""

import pytest

from receiver.registration.signs import Announced
from receiver.registration.taking import taken

from .stage import DOWN, Stage

PAID = "invoice/paid"
DELETE = "POST delete_webhook"


async def suspecting(**changed: object) -> Stage:
    """Return a stage that was proven, where long after a payment is found that nobody announced."""
    proven = Stage()
    await proven.settle()
    stage = Stage(**changed)  # type: ignore[arg-type]
    stage.sandbox, stage.registered, stage.now = proven.sandbox, proven.registered, proven.now
    stage.wait(hours=2)
    await stage.settle()
    stage.miss(PAID)
    await stage.settle()
    assert stage.sweeps == 0
    stage.wait(minutes=6)
    return stage


async def pass_hours(stage: Stage, hours: int) -> None:
    """Let the guard look as often as it does."""
    for _ in range(6 * hours):
        await stage.settle()
        stage.wait(minutes=10)


@pytest.mark.parametrize(
    "changed",
    [{"managed": False}, {"unreachable": "GET /livez: refused"}, {"public_url": None}],
    ids=["not managed", "our URL unreachable", "no URL"],
)
async def test_what_cannot_be_created_anew_is_read_all_the_same(
    changed: dict[str, object],
) -> None:
    """Once for one suspicion, at once, and without any change at the provider."""
    stage = await suspecting(**changed)
    await stage.settle()
    assert stage.sweeps == 1
    await pass_hours(stage, 12)
    assert (stage.sweeps, DELETE in stage.asked) == (1, False)


async def test_what_stays_deleted_is_read_without_waiting_for_its_creation() -> None:
    """SmartPay may refuse to create for long what had to be deleted for it."""
    stage = await suspecting(status=DOWN)
    await pass_hours(stage, 3)
    assert PAID not in stage.webhooks()
    assert stage.sweeps == 1
    stage.status = 200
    await pass_hours(stage, 2)
    assert PAID in stage.webhooks()
    assert stage.sweeps == 2, "what came meanwhile has to be found, too"


async def test_what_is_created_anew_at_once_is_read_once() -> None:
    """After it works again, so that nothing is missed in between."""
    stage = await suspecting()
    await pass_hours(stage, 3)
    assert (stage.asked.count(DELETE), stage.sweeps) == (1, 1)


async def test_nothing_is_read_again_while_creating_anew_waits_for_calls() -> None:
    """Reading everything would use up the calls that are waited for."""
    stage = await suspecting()
    for _ in range(stage.account.budget.calls):
        await stage.account.budget.take()
    await stage.settle()
    assert (stage.asked.count(DELETE), stage.sweeps) == (0, 0)


async def test_another_suspicion_waits_for_an_hour() -> None:
    """Everything was read a moment ago, and costs a call for each window."""
    stage = await suspecting(managed=False)
    await stage.settle()
    stage.miss("order/cancelled")
    stage.wait(minutes=6)
    await stage.settle()
    assert stage.sweeps == 1
    stage.wait(minutes=55)
    await stage.settle()
    assert stage.sweeps == 2


async def test_changes_that_are_never_announced_are_no_reason_for_ever() -> None:
    """A suspicion each hour, and a sign of life after it: they are read ever less often."""
    stage = await suspecting(managed=False)
    for hour in range(7 * 24):
        await stage.settle()
        stage.wait(minutes=50)
        stage.vitals = taken(stage.vitals, Announced("shop", PAID, stage.now.timestamp()))
        await stage.settle()
        stage.wait(minutes=1)
        stage.miss(PAID)
        stage.wait(minutes=9)
        assert stage.sweeps <= hour + 2
    assert 7 <= stage.sweeps <= 13
