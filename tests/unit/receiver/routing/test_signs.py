"""What routers tell of an account's webhooks, beside publishing its facts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from config.account import AccountSettings
from handlers.clock import from_rfc3339, rfc3339
from handlers.fact import Claim, Fact, Interpretation, Reading
from handlers.jsontext import compact, parse_object
from handlers.observation import CONFIRMED, Observation, Origin
from handlers.provider import BaseHandler
from handlers.registration import Registration
from handlers.resource import ResourceKey
from receiver.accounts.registry import Accounts
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.registration.signs import Announced, Arrived, Missed, Sign, Unannounced
from receiver.routing.route import Route
from receiver.routing.router import Router
from receiver.watches.requests import LookUp, StartWatch, StopWatch, from_value
from tests.unit.receiver.routing.stage import TOPICS, Partition, World

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class Announcing(BaseHandler):
    """Calls a webhook for all that happens but failures; the body says it, or only claims it."""

    is_registered = True
    is_broken = False

    def interpret(self, observation: Observation) -> Interpretation:
        """Return what the body says happened, with the times it gives."""
        said = parse_object(observation.body)
        resource = ResourceKey("acme", "shop", "invoice", str(said.pop("id")), "test" in said)
        answers_us = bool(said.pop("test", False))
        action = said.pop("claims", None)
        claim = None
        if action is not None:
            fact = Fact(resource, str(action))
            claim = Claim("invoice", fact.action, "id", resource.id, fact)
        facts = (
            Fact(resource, action, None if at is None else from_rfc3339(str(at)))
            for action, at in said.items()
        )
        return Interpretation(Reading(resource, tuple(facts)), claim, answers_us=answers_us)

    def can_look_up(self, claim: Claim) -> bool:
        """Say yes, but for a refund."""
        return claim.action != "refunded"

    @property
    def registration(self) -> Registration | None:
        """Return one, if the provider calls anybody."""
        return cast("Registration", object()) if self.is_registered else None

    def announcing_topic(self, fact: Fact) -> str | None:
        """Return the topic, as SmartPay has them."""
        if self.is_broken:
            raise RuntimeError("a defect of the provider's code")
        return None if fact.action == "failed" else f"invoice/{fact.action}"


class Scene:
    """A router, and what it told."""

    def __init__(self) -> None:
        self.now = NOW
        settings = {"name": "shop", "provider": "acme", "base_url": "http://127.0.0.1:1"}
        self.handler = Announcing(AccountSettings.model_validate(settings))
        accounts = cast("Accounts", SimpleNamespace(get=lambda _: self.handler))
        alarms = Alarms(self._clock)
        router = Router(Route(accounts, TOPICS), TOPICS, Metrics(alarms), alarms, self._clock)
        self.shard = Partition()
        self._world = World(self.shard, router, alarms)

    async def route(self, *observations: Observation) -> list[Sign]:
        """Route these in one transaction of a new session; return the signs that it told."""
        written = self.shard.written[TOPICS.watch_requests]
        before = len(written)
        await self._world.route(*observations)
        return [
            each
            for record in written[before:]
            for each in from_value(record.value or b"")
            if not isinstance(each, LookUp | StartWatch | StopWatch)
        ]

    def look_ups(self) -> list[LookUp]:
        """Return the look-ups that were asked for so far."""
        written = self.shard.written[TOPICS.watch_requests]
        requests = [from_value(record.value or b"") for record in written]
        return [each for [each] in requests if isinstance(each, LookUp)]

    def _clock(self) -> datetime:
        return self.now


@pytest.fixture
def scene() -> Scene:
    """Return a router of an account whose provider calls webhooks."""
    return Scene()


def webhook(id: str = "a", *, topic: str = "invoice/created", **said: Any) -> Observation:  # noqa: A002 - as in the body
    """Return a webhook received now, which tells what happened when."""
    body = {"id": id, **(said or {"created": None})}
    return Observation("shop", Origin.WEBHOOK, topic, NOW, compact(body), signed_with="key-1")


def row(id: str = "a", *, news_since: datetime | None = None, **said: Any) -> Observation:  # noqa: A002 - as in the body
    """Return a row that a reconciliation read now."""
    read = replace(webhook(id, **said), origin=Origin.RECONCILIATION, topic="invoices")
    return replace(read, signed_with=None, news_since=news_since)


def silent(**changed: Any) -> Observation:
    """Return a webhook of which only the topic says that the invoice was paid."""
    return replace(webhook(topic="invoice/paid", created=None, claims="paid"), **changed)


def fact_id(action: str, invoice: str = "a") -> str:
    """Return the id of a fact."""
    return str(Fact(ResourceKey("acme", "shop", "invoice", invoice), action).id)


AT = NOW.timestamp()


async def test_a_webhook_that_tells_something_new_is_a_sign_of_life(scene: Scene) -> None:
    """It names the topic, the key, and how long the webhook took."""
    paid = webhook(topic="invoice/paid", created=None, paid=rfc3339(NOW - 3 * SECOND))
    assert await scene.route(paid) == [
        Announced("shop", "invoice/paid", AT, delay=3.0, signed_with="key-1")
    ]


async def test_a_webhook_that_tells_nothing_new_is_none(scene: Scene) -> None:
    """Anyone can send an old body again, under any topic."""
    await scene.route(webhook(created=None))
    assert await scene.route(webhook(), webhook(topic="invoice/paid")) == []


async def test_what_cannot_be_read_is_no_sign_of_life(scene: Scene) -> None:
    """A dead letter proves nothing."""
    assert await scene.route(replace(webhook(), body=b"not JSON")) == []
    assert scene.shard.letters()


@pytest.mark.parametrize(
    ("header", "said", "topic"),
    [
        ("invoice/created", {"created": None, "paid": None}, "invoice/created"),
        ("invoice/cancelled", {"created": None, "paid": None}, "invoice/paid"),
        ("whatever", {"created": None, "cancelled": None, "paid": None}, "invoice/cancelled"),
        ("invoice/paid", {"created": None}, "invoice/created"),
    ],
)
async def test_the_header_counts_only_where_the_facts_allow_it(
    scene: Scene, header: str, said: dict[str, Any], topic: str
) -> None:
    """It is not signed: a topic that announces none of the new facts is not that webhook's."""
    [sign] = await scene.route(webhook(topic=header, **said))
    assert isinstance(sign, Announced)
    assert sign.topic == topic


async def test_a_known_fact_does_not_make_its_topic_alive(scene: Scene) -> None:
    """Of an invoice known to be created, only the payment is told."""
    await scene.route(webhook())
    [sign] = await scene.route(webhook(topic="invoice/created", created=None, paid=None))
    assert isinstance(sign, Announced)
    assert sign.topic == "invoice/paid"


async def test_what_no_webhook_tells_is_no_sign(scene: Scene) -> None:
    """A failure has no topic of its own: nobody can say which webhook brought it."""
    await scene.route(webhook())
    assert await scene.route(webhook(created=None, failed=rfc3339(NOW))) == []
    assert await scene.route(row("b", failed=rfc3339(NOW))) == []


@pytest.mark.parametrize(
    ("said", "delay"),
    [
        ({"created": None}, None),
        ({"paid": rfc3339(NOW + SECOND)}, None),
        ({"created": rfc3339(NOW - HOUR), "paid": rfc3339(NOW - MINUTE)}, 60.0),
        ({"failed": rfc3339(NOW), "paid": rfc3339(NOW - MINUTE)}, 60.0),
        ({"paid": rfc3339(NOW - HOUR), "cancelled": None}, None),
    ],
)
async def test_the_delay_is_that_of_what_the_topic_tells(
    scene: Scene, said: dict[str, Any], delay: float | None
) -> None:
    """Undated facts, clocks that differ and older facts shown besides say nothing of it."""
    last = "cancelled" if "cancelled" in said else "paid"
    [sign] = await scene.route(webhook(topic=f"invoice/{last}", **said))
    assert isinstance(sign, Announced)
    assert sign.delay == delay


async def test_a_fact_that_a_reconciliation_publishes_was_missed(scene: Scene) -> None:
    """It tells since when it may have happened, by the provider's date or by who asked."""
    since = NOW - MINUTE
    signs = await scene.route(
        row(news_since=since, created=rfc3339(NOW - HOUR), paid=rfc3339(NOW - SECOND)),
        row("b"),
    )
    assert signs == [
        Unannounced(
            "shop",
            (
                Missed(fact_id("created"), "invoice/created", "invoice/a", AT - 60.0, AT),
                Missed(fact_id("paid"), "invoice/paid", "invoice/a", AT - 1.0, AT),
            ),
        ),
        Unannounced(
            "shop",
            (Missed(fact_id("created", "b"), "invoice/created", "invoice/b", None, AT),),
        ),
    ]


async def test_a_webhook_that_comes_late_announces_what_was_missed(scene: Scene) -> None:
    """It is a sign of life, names the facts, and gives no event; the next one is nothing."""
    await scene.route(row(created=None, paid=None))
    events = len(scene.shard.events())
    late = webhook(topic="invoice/paid", created=None, paid=None)
    [sign] = await scene.route(late)
    assert isinstance(sign, Announced)
    assert (sign.topic, sign.facts) == ("invoice/paid", (fact_id("created"), fact_id("paid")))
    assert await scene.route(late) == []
    assert len(scene.shard.events()) == events


async def test_what_a_webhook_tells_first_was_never_missed(scene: Scene) -> None:
    """Though it also announces late what was: to send it again is no sign of life."""
    await scene.route(row(created=None))
    both = webhook(topic="invoice/paid", created=None, paid=None)
    [sign] = await scene.route(both)
    assert isinstance(sign, Announced)
    assert sign.facts == (fact_id("created"),)
    assert await scene.route(both) == []


async def test_a_strange_topic_counts_as_that_of_the_last_fact(scene: Scene) -> None:
    """The last of those that were new or are announced late, in their natural order."""
    await scene.route(row(created=None, cancelled=None))
    [sign] = await scene.route(webhook(topic="x", created=None, paid=None, cancelled=None))
    assert isinstance(sign, Announced)
    assert sign.topic == "invoice/cancelled"


@pytest.mark.parametrize("origin", [Origin.LOOKUP, Origin.POLL])
async def test_only_a_reconciliation_finds_what_was_missed(scene: Scene, origin: Origin) -> None:
    """A look-up follows a webhook, and what is polled has none: no late webhook clears anything."""
    assert await scene.route(replace(row(), origin=origin)) == []
    assert await scene.route(webhook()) == []


async def test_a_confirmed_claim_announces_what_it_claimed_and_no_more(scene: Scene) -> None:
    """A webhook that is silent but for its topic is alive if the provider bears it out anew."""
    looked_up = replace(row(created=None, paid=None), origin=Origin.LOOKUP)
    [sign] = await scene.route(replace(looked_up, claimed="invoice/paid invoice/refunded"))
    assert isinstance(sign, Announced)
    assert (sign.topic, sign.facts, sign.delay) == ("invoice/paid", (), None)
    assert await scene.route(replace(looked_up, claimed="invoice/created")) == []


async def test_a_confirmed_claim_clears_what_was_missed(scene: Scene) -> None:
    """A reconciliation that is faster than the look-up blames no webhook."""
    found = row(created=None, paid=None)
    await scene.route(found)
    looked_up = replace(found, origin=Origin.LOOKUP, claimed="invoice/paid")
    [sign] = await scene.route(looked_up)
    assert isinstance(sign, Announced)
    assert sign.facts == (fact_id("paid"),)
    assert await scene.route(looked_up) == []


async def test_a_redriven_reconciliation_blames_no_webhook(scene: Scene) -> None:
    """It was read long ago, and still gives its event; a webhook after it announces the fact."""
    redriven = replace(row(news_since=NOW - HOUR, created=None), letter_id="a letter")
    assert await scene.route(redriven) == []
    assert len(scene.shard.events()) == 1
    [sign] = await scene.route(webhook())
    assert isinstance(sign, Announced)
    assert sign.facts == (fact_id("created"),)


async def test_a_claim_to_what_was_missed_is_looked_up(scene: Scene) -> None:
    """Only the answer tells the webhook, late and silent, from an old one under its topic."""
    await scene.route(webhook(), row(created=None, paid=None))
    assert await scene.route(silent()) == []
    [asked] = scene.look_ups()
    assert (asked.claim.action, asked.claim.id) == ("paid", "a")
    assert scene.shard.letters() == {}


async def test_a_claim_to_what_was_announced_is_not_looked_up(scene: Scene) -> None:
    """Once it is confirmed it is known, and whoever repeats the claim makes no call."""
    found = row(created=None, paid=None)
    await scene.route(webhook(), found, silent())
    await scene.route(replace(found, origin=Origin.LOOKUP, claimed="invoice/paid"))
    asked = len(scene.look_ups())
    assert await scene.route(silent(), silent()) == []
    assert len(scene.look_ups()) == asked


@pytest.mark.parametrize("verdict", [CONFIRMED, "it is not"])
@pytest.mark.parametrize("letter", [None, "a letter"])
async def test_a_verdict_on_what_was_missed_ends_the_claim(
    scene: Scene, verdict: str, letter: str | None
) -> None:
    """It was published: there is nothing to refuse, to ask again, or to keep a letter for."""
    await scene.route(row(created=None, paid=None))
    await scene.route(silent(verdict=verdict, letter_id=letter))
    assert scene.look_ups() == []
    written = scene.shard.written[TOPICS.dead_letters]
    assert [(record.key, record.value) for record in written] == (
        [] if letter is None else [(letter.encode(), None)]
    )


async def test_a_redriven_claim_to_what_was_missed_keeps_its_letter(scene: Scene) -> None:
    """It travels with the look-up, and goes with the verdict."""
    await scene.route(silent(verdict="it is not"))
    [letter] = scene.shard.letters()
    await scene.route(row(created=None, paid=None), silent(letter_id=letter))
    assert list(scene.shard.letters()) == [letter]
    [asked] = scene.look_ups()
    await scene.route(replace(asked.original.observation(), verdict=CONFIRMED))
    assert scene.shard.letters() == {}


async def test_what_nobody_can_be_asked_about_needs_no_look_up_once_published(
    scene: Scene,
) -> None:
    """The claim is true, whoever told it first: no call, and no letter."""
    await scene.route(row(created=None, refunded=None))
    await scene.route(webhook(topic="invoice/refunded", created=None, claims="refunded"))
    assert scene.look_ups() == []
    assert scene.shard.letters() == {}


async def test_test_data_arrives_and_is_no_sign_of_life(scene: Scene) -> None:
    """A dummy may be the test that we asked for; that it is missing means nothing."""
    dummy = webhook(test=True, created=None)
    assert await scene.route(dummy) == [Arrived("shop", "invoice/created", AT)]
    assert len(scene.shard.events()) == 1
    assert await scene.route(row("b", test=True, created=None)) == []


async def test_an_account_without_registration_gets_no_signs(scene: Scene) -> None:
    """Nobody looks after webhooks of a provider that calls none."""
    scene.handler.is_registered = False
    assert await scene.route(row(), webhook("b"), webhook("c", test=True)) == []
    assert len(scene.shard.events()) == 2


@pytest.mark.parametrize("observed", [webhook(), row()])
async def test_a_defect_in_telling_costs_no_event(scene: Scene, observed: Observation) -> None:
    """The fact is published, and nothing becomes a dead letter."""
    scene.handler.is_broken = True
    assert await scene.route(observed) == []
    assert len(scene.shard.events()) == 1
    assert not scene.shard.letters()


def _received(invoice: str, after: timedelta, **said: Any) -> Observation:
    return replace(webhook(invoice, **said), received_at=NOW + after)


def _times(signs: Sequence[Sign]) -> list[float]:
    return [s.received_at - AT for s in signs if isinstance(s, Announced | Arrived)]


@pytest.mark.parametrize(("now", "told"), [(75, [0.0, 60.0, 50.0]), (130, [0.0, 60.0, 50.0, 70.0])])
async def test_signs_of_life_are_told_twice_a_minute_at_most(
    scene: Scene, now: int, told: list[float]
) -> None:
    """The first at once, the last when its minute is over, in whatever order they came."""
    scene.now = NOW + now * SECOND
    many = [_received(str(n), n * SECOND) for n in (0, 20, 50, 30, 60, 70)]
    assert _times(await scene.route(*many)) == told


async def test_each_topic_and_key_has_signs_of_its_own(scene: Scene) -> None:
    """Whether another webhook lives, or another key signs, is another question."""
    signs = await scene.route(
        webhook("1"),
        webhook("2", topic="invoice/paid", paid=None),
        replace(webhook("3"), signed_with="key-2"),
        webhook("4"),
    )
    assert [(s.topic, s.signed_with) for s in signs if isinstance(s, Announced)] == [
        ("invoice/created", "key-1"),
        ("invoice/paid", "key-1"),
        ("invoice/created", "key-2"),
    ]


async def test_signs_of_life_share_a_record_and_nothing_else_does(scene: Scene) -> None:
    """A poller that cannot read those that are shared gets the like within a minute."""
    await scene.route(row("1"))
    written = scene.shard.written[TOPICS.watch_requests]
    written.clear()
    held = replace(webhook("5"), received_at=NOW - HOUR)
    await scene.route(
        webhook("1"),
        webhook("2"),
        webhook("3", paid=None),
        row("4"),
        held,
        replace(held, body=webhook("6").body),
    )
    told = [from_value(record.value or b"") for record in written]
    [shared] = [signs for signs in told if len(signs) > 1]
    assert [(s.topic, s.received_at - AT) for s in shared if isinstance(s, Announced)] == [
        ("invoice/created", 0.0),
        ("invoice/paid", 0.0),
        ("invoice/created", -3600.0),
        ("invoice/created", -3600.0),
    ]
    alone = [sign for signs in told if len(signs) == 1 for sign in signs]
    assert [type(sign) for sign in alone] == [Announced, Unannounced]
    assert isinstance(alone[0], Announced)
    assert alone[0].facts


async def test_what_clears_a_missed_fact_is_always_told(scene: Scene) -> None:
    """Each of them, though all come in one minute."""
    await scene.route(row("1"), row("2"))
    signs = await scene.route(webhook("1"), webhook("2"), webhook("3"), webhook("4"))
    assert [s.facts for s in signs if isinstance(s, Announced)] == [
        (fact_id("created", "1"),),
        (fact_id("created", "2"),),
        (),
    ]


async def test_arrivals_are_told_ten_times_a_second_at_most(scene: Scene) -> None:
    """Each proves one call of ours, and whoever sends an old one again makes no flood of it."""
    many = [_received(str(n), n * SECOND / 20, test=True, created=None) for n in range(40)]
    told = [n / 20 for n in (*range(10), *range(20, 30))]
    assert _times(await scene.route(*many)) == pytest.approx(told)
