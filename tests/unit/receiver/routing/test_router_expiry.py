"""What becomes of observations about resources that the ledger has forgotten."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from config.account import AccountSettings
from handlers.clock import from_rfc3339, rfc3339
from handlers.event import PaymentEvent
from handlers.fact import Claim, Fact, Interpretation, Reading
from handlers.jsontext import parse_object
from handlers.letters import Reason
from handlers.observation import CONFIRMED, Observation
from handlers.provider import BaseHandler
from handlers.resource import ResourceKey
from receiver.accounts.registry import Accounts
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.routing.expiry import HORIZON_KEY, Retention
from receiver.routing.route import Route
from receiver.routing.router import Router
from receiver.watches.requests import LookUp, from_value
from tests.unit.receiver.routing.stage import TOPICS, Partition, World, header, observed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = 30 * DAY


class Dated(BaseHandler):
    """Reads invoices that say when they were paid, or that their topic claims it."""

    def interpret(self, observation: Observation) -> Interpretation:
        """Return that it was created, undated, and paid if the body says when."""
        said = parse_object(observation.body)
        resource = ResourceKey("scripted", "shop", "invoice", str(said["id"]))
        facts = [Fact(resource, "created")]
        if "paid" in said:
            facts.append(Fact(resource, "paid", from_rfc3339(str(said["paid"]))))
        reading = Reading(resource, tuple(facts))
        if observation.topic == "claims payment":
            paid = Fact(resource, "paid")
            return Interpretation(reading, Claim("invoice", "paid", "id", resource.id, paid))
        return Interpretation(reading)

    def can_look_up(self, claim: Claim) -> bool:
        """Say yes."""
        return bool(claim)


class Years:
    """A world in which time passes and the ledger forgets after a month."""

    def __init__(self) -> None:
        self.now = NOW
        settings = {"name": "shop", "provider": "scripted", "base_url": "http://127.0.0.1:1"}
        self._handler = Dated(AccountSettings.model_validate(settings))
        self.shard = Partition()
        self.restart()

    def restart(self) -> None:
        """Have another process take over: what was not committed is gone."""
        accounts = cast("Accounts", SimpleNamespace(get=lambda _: self._handler))
        alarms = Alarms(self._clock)
        route, retention = Route(accounts, TOPICS), Retention(MONTH, 90 * DAY)
        router = Router(route, TOPICS, Metrics(alarms), alarms, self._clock, retention=retention)
        self._world = World(self.shard, router, alarms)

    async def receive(self, body: str, **changed: Any) -> None:
        """Receive and route a body now."""
        observation = replace(observed(body), received_at=self.now)
        await self._world.route(replace(observation, **changed))

    async def redrive(self, letter: str) -> None:
        """Redrive a letter."""
        await self._world.redrive(letter)

    async def pass_time(self, days: int) -> None:
        """Let days pass, with an observation of another invoice on the last."""
        self.now += days * DAY
        await self.receive(paid("other", self.now))

    def events(self, invoice: str) -> list[tuple[str, int]]:
        """Return the action and sequence of all events about an invoice."""
        events = [PaymentEvent.model_validate_json(r.value or b"") for r in self.shard.events()]
        of_it = [event.data for event in events if event.data.resource.id == invoice]
        return [(data.action, data.sequence) for data in of_it]

    def reasons(self) -> list[str]:
        """Return the reasons of the letters there are."""
        return [header(letter, "payevents-reason") for letter in self.shard.letters().values()]

    def _clock(self) -> datetime:
        return self.now


def paid(invoice: str, at: datetime) -> str:
    """Return the body of an invoice paid at that time."""
    return f'{{"id": "{invoice}", "paid": "{rfc3339(at)}"}}'


@pytest.fixture
def years() -> Years:
    """Return a world."""
    return Years()


@pytest.fixture
async def forgotten(years: Years) -> Years:
    """Return a world in which invoice "a" was paid, published and forgotten."""
    await years.receive(paid("a", NOW))
    assert years.events("a") == [("paid", 1)]
    await years.pass_time(20)
    assert b"scripted/shop/invoice/a" in years.shard.table
    await years.pass_time(20)
    assert b"scripted/shop/invoice/a" not in years.shard.table
    return years


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("body", [paid("a", NOW), '{"id": "a"}'])
async def test_an_old_body_replayed_after_expiry_is_a_letter(
    forgotten: Years, body: str, restarted: bool
) -> None:
    """Dated or not, at once or after a restart: it publishes nothing, and is kept."""
    if restarted:
        forgotten.restart()
    await forgotten.receive(body)
    assert forgotten.events("a") == [("paid", 1)]
    assert forgotten.reasons() == [Reason.EXPIRED]
    assert b"scripted/shop/invoice/a" not in forgotten.shard.table


async def test_a_router_whose_clock_is_behind_does_not_take_the_old_for_new(
    forgotten: Years,
) -> None:
    """The horizon in the ledger decides, not the clock of whoever takes over."""
    forgotten.restart()
    forgotten.now = NOW
    await forgotten.receive(paid("a", NOW))
    assert forgotten.events("a") == [("paid", 1)]
    assert forgotten.reasons() == [Reason.EXPIRED]


async def test_an_expired_letter_redriven_expires_again(forgotten: Years) -> None:
    """Also by a router that has seen nothing but this letter of long ago."""
    await forgotten.receive(paid("a", NOW), received_at=NOW)
    [letter] = forgotten.shard.letters()
    forgotten.restart()
    await forgotten.redrive(letter)
    assert list(forgotten.shard.letters()) == [letter]
    assert header(forgotten.shard.letters()[letter], "payevents-count") == "2"
    assert forgotten.events("a") == [("paid", 1)]


async def test_a_fresh_payment_of_a_forgotten_invoice_is_published_alone(forgotten: Years) -> None:
    """What is dated after the horizon is news, and what came before it is not told again."""
    await forgotten.receive(paid("b", forgotten.now))
    assert forgotten.events("b") == [("paid", 1)]
    assert forgotten.reasons() == []


async def test_what_is_undated_waits_while_the_provider_is_asked(forgotten: Years) -> None:
    """A claim is looked up though the body alone is in doubt; the answer decides."""
    await forgotten.receive('{"id": "c"}', topic="claims payment")
    assert forgotten.reasons() == []
    [request] = forgotten.shard.written[TOPICS.watch_requests]
    [asked] = from_value(request.value or b"")
    assert isinstance(asked, LookUp)
    await forgotten.receive(paid("c", forgotten.now))
    await forgotten.receive('{"id": "c"}', topic="claims payment", verdict=CONFIRMED)
    assert forgotten.events("c") == [("paid", 1)]
    assert forgotten.reasons() == []


async def test_what_is_undated_and_confirmed_in_vain_is_a_letter(forgotten: Years) -> None:
    """The provider bears a payment out that is as old as the horizon: both are kept as letters."""
    await forgotten.receive('{"id": "a"}', topic="claims payment", verdict=CONFIRMED)
    assert forgotten.reasons() == [Reason.EXPIRED]


async def test_the_first_batch_is_judged_by_its_own_time(years: Years) -> None:
    """A history of years, told to an empty ledger, does not depend on how it is cut in batches."""
    await years.receive(paid("a", NOW - 2 * MONTH))
    assert years.reasons() == [Reason.EXPIRED]
    assert HORIZON_KEY in years.shard.table


async def test_counts_of_letters_go_with_their_letters(years: Years) -> None:
    """The ledger does not grow with every letter there ever was."""
    await years.receive('{"id": "a"}')
    assert any(key.startswith(b"\x00letter/") for key in years.shard.table)
    await years.pass_time(89)
    assert any(key.startswith(b"\x00letter/") for key in years.shard.table)
    await years.pass_time(2)
    assert not any(key.startswith(b"\x00letter/") for key in years.shard.table)


async def test_an_entry_that_nobody_can_read_ends_no_walk(years: Years) -> None:
    """It is kept, and what is behind it is forgotten all the same."""
    years.shard.table[b"scripted/shop/invoice/0"] = b"\xc1"
    await years.receive(paid("a", NOW))
    await years.pass_time(20)
    await years.pass_time(20)
    assert b"scripted/shop/invoice/a" not in years.shard.table
    assert years.shard.table[b"scripted/shop/invoice/0"] == b"\xc1"
