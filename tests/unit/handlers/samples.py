"""A broad sample of facts, letters and events, the same in every run."""

from collections.abc import Iterator
from datetime import UTC, datetime

from handlers.event import PaymentEvent
from handlers.fact import RANKS, Fact, Reading
from handlers.ledger import settle
from handlers.letters import Reason, letter_id
from handlers.money import Amount
from handlers.observation import Observation, Origin, Position
from handlers.resource import ResourceKey, unknown_key
from handlers.voucherry.routes import RESOURCE_KINDS
from handlers.writing import WrittenEvent, write_events

NOW = datetime(2026, 1, 1, 12, 0, 0, 123_000, tzinfo=UTC)
OCCURRED_AT = datetime(2018, 1, 1, 12, tzinfo=UTC)
AT = Position("payevents.inbox", 3, 1234)

_PROVIDERS = {
    "invoice": "smartpay",
    "order": "smartpay",
    "charge": "subscriply",
    "refund": "subscriply",
    **dict.fromkeys(RESOURCE_KINDS.values(), "voucherry"),
}
_ODD_IDS = ["a/b", "a%2Fb", "a b", "é", "日本", "a:b?c#d&e=f", "~.-_", "0", "007", "x" * 255]
_ODD_DISCRIMINATORS = ["", "2018-01-01 12:00:00", "on hold", "a/b", "é", "%"]


def observation(origin: Origin = Origin.WEBHOOK, body: bytes = b'{"id":1}') -> Observation:
    """Return an observation of the account that all samples belong to."""
    return Observation("shop", origin, "some/topic", NOW, body, "r1")


def resource(kind: str, resource_id: str = "aBc123", *, test: bool = False) -> ResourceKey:
    """Return a resource of the provider that has this kind."""
    return ResourceKey(_PROVIDERS[kind], "shop", kind, resource_id, test)


def facts() -> Iterator[Fact]:
    """Yield every kind and action, live and test, then odd ids and odd discriminators."""
    for kind, ranks in RANKS.items():
        for action in ranks:
            for test in (False, True):
                yield Fact(resource(kind, test=test), action)
    for odd_id in _ODD_IDS:
        yield Fact(resource("invoice", odd_id), "created")
    for word in _ODD_DISCRIMINATORS:
        yield Fact(resource("invoice"), "failed", discriminator=word)
        yield Fact(resource("charge"), "updated", discriminator=word)


def pins() -> dict[str, str]:
    """Return what must never change, by a name for people: fact and letter ids, and keys."""
    pinned: dict[str, str] = {}
    for fact in facts():
        keyed = fact.resource
        name = f"{keyed.provider} {keyed.account} {keyed.kind} {keyed.id!a}"
        name += " test" if keyed.test else ""
        told = "" if fact.discriminator is None else f" {fact.discriminator!a}"
        pinned[f"fact: {name} {fact.action}{told}"] = str(fact.id)
        pinned[f"partition key: {name}"] = keyed.partition_key
        pinned[f"inbox key: {name}"] = keyed.inbox_key
    for reason in Reason:
        pinned[f"letter: {reason}"] = letter_id(observation(), reason)
    pinned["letter: odd bytes"] = letter_id(observation(body=b"\xff\x00"), Reason.NOT_JSON)
    pinned["inbox key: unknown"] = unknown_key("smartpay", "shop", observation().digest)
    return pinned


def events() -> Iterator[WrittenEvent]:
    """Yield real events: every kind, action and origin; with and without what may be null."""
    origins = list(Origin)
    for number, (kind, ranks) in enumerate(RANKS.items()):
        for test in (False, True):
            about = resource(kind, "a/b é", test=test)
            shown = tuple(Fact(about, action, OCCURRED_AT) for action in ranks)
            full = Reading(
                about,
                shown,
                Amount(1000, "CAD"),
                {"order": "o1"},
                {"id": 1, "deep": [{"x": None}]},
                "https://acme.example/1",
            )
            yield from written(full, origins[number % len(origins)])
            for action in ranks:
                yield from written(Reading(about, (Fact(about, action),)), Origin.WEBHOOK)


def written(reading: Reading, origin: Origin = Origin.WEBHOOK) -> list[WrittenEvent]:
    """Return the events of a reading that is the first of its resource, as they are published."""
    seen = observation(origin)
    news = settle(None, reading, seen.received_at).publications
    return write_events(news, reading, seen, AT)


def told(reading: Reading) -> list[PaymentEvent]:
    """Return the events of a reading that is the first of its resource, as they are read."""
    return [PaymentEvent.model_validate_json(event.value) for event in written(reading)]
