"""What the watches of one account share: when it rests, and what a person is told."""

from handlers.exchange import AccountFailed, CallFailed, ProviderFailure, Refused, WatchFailed

from .virtual import virtual
from .world import World, settings

REFUSED = ("a", "credentials-refused")
AWAY = ("a", "provider-away")


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
