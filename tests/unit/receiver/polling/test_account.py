"""What the watches of one account share: when it rests, and what a person is told."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from config.account import AccountSettings
from handlers.exchange import (
    AccountFailed,
    CallFailed,
    ProviderFailure,
    Refused,
    RefusedForGood,
    WatchFailed,
)
from handlers.provider import Session
from handlers.smartpay.handler import bind
from handlers.smartpay.settings import SmartPaySettings
from receiver.polling.account import AccountPolling
from receiver.polling.standing import Standing

from .virtual import virtual
from .world import EPOCH, World, settings

REFUSED = ("a", "credentials-refused")
AWAY = ("a", "provider-away")
WARNS = ("a", "provider-warns")
EXHAUSTED = ("a", "calls-exhausted")


@virtual
async def test_a_refusal_rests_the_account_for_the_longest_time() -> None:
    """Credentials that are refused stop all calls for backoff_max, and the token is dropped."""
    world = World(settings(backoff_max="4m"))
    account, now = world.account(), 1_000.0
    account.session.token = "t"
    account.failed(Refused("401"), now)
    assert account.session.token is None
    assert account.breaker.open_until == now + 240.0
    assert not account.may_start(now + 239.9)
    assert account.may_start(now + 240.0)
    (alarm,) = world.alarms.present
    assert (alarm.account, alarm.code, alarm.why) == (*REFUSED, "401")


@virtual
async def test_a_failed_account_rests() -> None:
    """A failure of the account as a whole opens the breaker at once, with an alarm."""
    world = World()
    account = world.account()
    account.failed(AccountFailed("503"), 1_000.0)
    assert not account.may_start(1_000.0)
    assert world.codes() == {AWAY}
    told = account.asked()
    assert (told.failures, told.rests_until) == (1, account.breaker.open_until)


@virtual
async def test_what_stopped_the_calls_is_told() -> None:
    """In the provider's own words."""
    account = World().account()
    account.failed(RefusedForGood("Invalid key"), 1_000.0)
    assert account.asked().stopped == "Invalid key"


@virtual
async def test_three_calls_without_an_answer_in_a_row_rest_the_account() -> None:
    """One or two may be a slow resource; an answer in between starts the count again."""
    world = World()
    account, now = world.account(), 1_000.0
    unanswered: ProviderFailure = CallFailed("no answer")
    for failure in (unanswered, unanswered, WatchFailed("500"), unanswered, unanswered):
        account.failed(failure, now)
    assert account.may_start(now)
    account.succeeded(now)
    for _ in range(2):
        account.failed(unanswered, now)
    assert account.may_start(now)
    assert world.codes() == set()
    account.failed(unanswered, now)
    assert not account.may_start(now)
    assert world.codes() == {AWAY}


@virtual
async def test_a_failed_watch_concerns_nobody_else() -> None:
    """However often single watches fail, the account goes on."""
    world = World()
    account = world.account()
    for _ in range(50):
        account.failed(WatchFailed("500"), 1_000.0)
    assert account.may_start(1_000.0)
    assert world.codes() == set()


@virtual
async def test_after_a_pause_one_visit_tries() -> None:
    """Until something succeeds there is one visit at a time; then as many as are allowed."""
    world = World(settings(concurrency=3))
    account = world.account()
    account.failed(AccountFailed("503"), 1_000.0)
    now = account.breaker.open_until
    assert account.may_start(now)
    account.under_way = 1
    assert not account.may_start(now)
    account.succeeded(now)
    account.under_way = 2
    assert account.may_start(now)
    account.under_way = 3
    assert not account.may_start(now)


@virtual
async def test_alarms_are_over_with_the_next_success_that_counts() -> None:
    """A visit that began before the failure does not end the alarm; a later one does."""
    world = World()
    account = world.account()
    account.failed(Refused("401"), 1_000.0)
    account.succeeded(1_001.0)
    assert world.codes() == {REFUSED}
    account.succeeded(account.breaker.open_until)
    assert world.codes() == set()


@virtual
async def test_a_refusal_for_good_stops_all_calls() -> None:
    """However long one waits; what was under way does not make it good again."""
    world = World()
    account = world.account()
    account.session.token = "t"
    account.failed(RefusedForGood("1001: Invalid key"), 1_000.0)
    assert account.session.token is None
    assert not account.may_start(10.0**9)
    assert account.may_start_at(10.0**9) is None
    account.succeeded(10.0**9)
    assert account.stop is not None
    assert world.codes() == {REFUSED}


@virtual
async def test_an_operator_has_one_visit_try() -> None:
    """If it is refused again all stops again; if it works all goes on."""
    world = World()
    account, now = world.account(), 1_000.0
    account.failed(RefusedForGood("1001: Invalid key"), now)
    for failure in (RefusedForGood("1001: Invalid key"), CallFailed("no answer")):
        account.try_again(now)
        assert account.may_start(now)
        account.under_way = 1
        assert not account.may_start(now)
        account.under_way = 0
        account.failed(failure, now)
        assert not account.may_start(10.0**9)
    account.try_again(now)
    account.succeeded(now)
    assert account.may_start(now)
    assert account.stop is None
    assert world.codes() == set()


@virtual
async def test_an_operator_ends_a_pause() -> None:
    """Whoever has mended something need not wait for hours."""
    account = World(settings(backoff_max="6h")).account()
    account.failed(Refused("401"), 1_000.0)
    account.try_again(2_000.0)
    assert account.may_start(2_000.0)


@virtual
async def test_credentials_are_fingerprinted_only_after_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes long: it is not done for calls that go well, and once for all that do not."""
    made: list[str] = []

    def counted(settings: AccountSettings) -> str:
        made.append(settings.name)
        return "print"

    monkeypatch.setattr("receiver.polling.account.fingerprint", counted)
    world = World()
    account = world.account()
    account.succeeded(1_000.0)
    AccountPolling(
        account.handler, world.now, world.alarms, world.rng, standing=account.standing(1_000.0)
    )
    assert made == []
    for _ in range(3):
        account.failed(RefusedForGood("403"), 1_000.0)
        assert account.standing(1_000.0).failed == "print"
    assert made == ["a"]


@virtual
async def test_a_token_is_shared_with_the_next_owner() -> None:
    """As long as it lives and the credentials are the same; without them it cannot be read."""
    world = World()
    shop = SmartPaySettings.model_validate({"name": "a", "api_key": "k"})
    account = AccountPolling(bind(shop), world.now, world.alarms, world.rng)
    account.session.token = "the-token"
    account.session.expires_at = EPOCH + timedelta(minutes=58)
    standing = account.standing(world.timestamp())
    assert b"the-token" not in standing.encode()

    def resumed(settings: SmartPaySettings) -> Session:
        handler = bind(settings)
        restored = Standing.decode(standing.encode())
        again = AccountPolling(handler, world.now, world.alarms, world.rng, standing=restored)
        return again.session

    assert resumed(shop).token == "the-token"
    assert resumed(shop).expires_at == EPOCH + timedelta(minutes=58)
    changed = shop.model_copy(update={"api_key": SecretStr("another")})
    assert (resumed(changed).token, resumed(changed).expires_at) == (None, None)


@virtual
async def test_a_warning_is_told_for_some_days_after_it_was_heard_last() -> None:
    """It survives owners, and ends when the provider has long stopped warning."""
    world, day = World(), 86_400.0
    account, now = world.account(), world.timestamp()
    account.session.warnings.add("Version 1-2 retires soon")
    account.succeeded(now)
    standing = account.standing(now)
    account.end_alarms()
    assert world.codes() == set()
    handler = account.handler
    account = AccountPolling(handler, world.now, world.alarms, world.rng, standing=standing)
    assert world.codes() == {WARNS}
    account.session.warnings.add("Version 1-2 retires soon")
    account.succeeded(now + 2 * day)
    account.succeeded(now + 4 * day)
    assert world.codes() == {WARNS}
    account.succeeded(now + 5.1 * day)
    assert world.codes() == set()


@virtual
async def test_a_budget_that_is_too_small_is_told() -> None:
    """Once something due has waited for a whole period, and not because the provider was away."""
    world = World(settings(calls=1, calls_per="1h"))
    account = world.account()
    account.waiting.add("a/thing/1", 1_000.0)
    account.check_waiting(4_600.0)
    assert world.codes() == set()
    account.check_waiting(4_601.0)
    assert world.codes() == {EXHAUSTED}
    account.breaker.open_until = 9_000.0
    account.check_waiting(8_999.0)
    account.check_waiting(12_600.0)
    assert world.codes() == set()
    account.check_waiting(12_601.0)
    assert world.codes() == {EXHAUSTED}
    account.waiting.take()
    account.check_waiting(12_602.0)
    assert world.codes() == set()


@virtual
async def test_nothing_starts_that_would_wait_for_its_first_call() -> None:
    """What is more urgent can still overtake it."""
    account = World(settings(calls=2, calls_per="1h", concurrency=4)).account()
    now = 1_000.0
    await account.budget.take()
    assert account.may_start(now)
    account.under_way = 1
    assert not account.may_start(now)
    account.under_way = 0
    await account.budget.take()
    assert not account.may_start(now)
    assert account.may_start_at(now) == now + 3_600.0
