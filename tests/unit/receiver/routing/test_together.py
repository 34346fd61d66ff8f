"""Observations are taken many at a time: what comes out is as if they came one after another."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import orjson
import pytest
from pydantic import SecretStr

from config.topics import Topics
from handlers.fact import Interpretation
from handlers.letters import Reason
from handlers.observation import Observation, Origin
from handlers.smartpay import provider
from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.settings import SmartPaySettings
from receiver.accounts.registry import Accounts
from receiver.inbox import MOST_BYTES
from receiver.routing.batch import Batch
from receiver.routing.expiry import Retention
from receiver.routing.handling import Handling
from receiver.routing.route import Route
from receiver.shards.open_shard import InputRecord

NOW = datetime(2026, 5, 1, tzinfo=UTC)
TOPICS = Topics.named("", ())
MANY = 400


@pytest.fixture
def route() -> Route:
    """Return the route of the account ``shop``."""
    accounts = Accounts({"smartpay": provider})
    accounts.replace({"shop": SmartPaySettings(name="shop", api_key=SecretStr("key"))})
    return Route(accounts, TOPICS)


def record(offset: int, observation: Observation) -> InputRecord:
    """Return an observation in the inbox."""
    return InputRecord(offset, b"smartpay/shop/invoice/x", observation.body, observation.headers())


def observation(random: Random, number: int) -> Observation:
    """Return one of few invoices in any state, or what cannot be read, or what is only claimed."""
    fields: dict[str, Any] = {"invoice_id": f"i{random.randrange(20)}", "amount": "10.00"}
    fields |= random.choice(
        (
            {},
            {"date_paid": "2026-04-01T10:00:00Z"},
            {"date_failed": f"2026-03-0{random.randint(1, 9)}T10:00:00Z"},
            {"is_enabled": False},
            {"amount": "-1.00"},
            {"amount": "ten"},
            {"invoice_id": ""},
            {"is_dummy": True},
        )
    )
    return Observation(
        random.choice(("shop", "shop", "shop", "nobody")),
        random.choice(list(Origin)),
        random.choice(("invoice/paid", "invoice/created", "order/paid")),
        # Retention is in days: so the horizon moves on the way.
        NOW + timedelta(hours=6 * number),
        orjson.dumps(fields),
        verdict=random.choice((None, None, "confirmed", "not found")),
        letter_id=random.choice((None, None, "a-letter")),
    )


def routed(
    route: Route, records: Sequence[InputRecord], together: int, retention: Retention
) -> tuple[Mapping[bytes, bytes | None], list[object]]:
    """Return the ledger's changes and all outputs when so many are taken at a time."""
    handling = Handling(route, TOPICS, lambda: NOW + timedelta(days=400), retention, 0)
    batch = Batch({})
    for first in range(0, len(records), together):
        handling.take(records[first : first + together], 1, batch)
    handling.tell_what_is_due(batch)

    async def one(_: str) -> int:
        return 1

    outputs = batch.outputs(one)
    with pytest.raises(StopIteration) as stopped:
        outputs.send(None)
    written = [
        (place, each.key, each.value, list(each.headers))
        for place, records_there in stopped.value.value.items()
        for each in records_there
    ]
    return batch.changes, [*written, vars(batch.tally)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("retention", [Retention(), Retention(timedelta(days=20))])
def test_it_makes_no_difference_how_many_are_taken_together(
    route: Route, seed: int, retention: Retention
) -> None:
    """Repeated, refused, claimed, forgotten: the same bytes come out, in the same order."""
    random = Random(seed)
    records = [record(offset, observation(random, offset)) for offset in range(MANY)]
    for offset in range(0, MANY, 9):
        stray = InputRecord(offset, None, b"x" * random.choice((1, MOST_BYTES + 1)), ())
        records[offset] = stray
    alone = routed(route, records, 1, retention)
    assert len(alone[1]) > MANY // 4
    for together in (2, 7, 100, MANY):
        assert routed(route, records, together, retention) == alone


@pytest.mark.parametrize(
    ("place", "published"),
    [(0, ["created", "failed", "paid"]), (1, ["created", "paid"]), (2, ["created", "failed"])],
)
def test_events_that_cannot_be_written_leave_nothing_in_the_ledger(
    route: Route, monkeypatch: pytest.MonkeyPatch, place: int, published: Sequence[str]
) -> None:
    """What comes after a defect is settled as if it had not come, wherever it stands."""
    interpret = SmartPayHandler.interpret

    def with_a_defect(handler: SmartPayHandler, seen: Observation) -> Interpretation:
        said = interpret(handler, seen)
        if seen.topic == "defect":
            assert said.reading is not None
            # No provider's text: what writes events checks that, and nothing before it does.
            msgspec.structs.force_setattr(said.reading, "related", {"order": 7})
        return said

    monkeypatch.setattr(SmartPayHandler, "interpret", with_a_defect)
    shown: list[dict[str, str]] = [
        {},
        {"date_failed": "2026-03-01T10:00:00Z"},
        {"date_paid": "2026-04-01T10:00:00Z"},
    ]
    records = []
    for offset, fields in enumerate(shown):
        body = orjson.dumps({"invoice_id": "i1", "amount": "1.00", **fields})
        topic = "defect" if offset == place else "invoice/created"
        records.append(record(offset, Observation("shop", Origin.WEBHOOK, topic, NOW, body)))
    alone, together = (routed(route, records, many, Retention()) for many in (1, 3))
    assert together == alone
    tally: Any = together[1][-1]
    assert tally["dead_letters"] == [("shop", Reason.INTERNAL_ERROR)]
    assert [kind for _, kind in tally["events"]] == [
        f"payments.invoice.{each}" for each in published
    ]


def test_an_observation_whose_signs_cannot_be_told_leaves_nothing_either(
    route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs are looked for after all are settled: a failure there has none of it kept."""

    def failing(_handler: object, seen: Observation, *_: object) -> tuple[()]:
        if b"date_paid" not in seen.body:
            raise MemoryError
        return ()

    monkeypatch.setattr("receiver.routing.route.signs_of", failing)
    bodies = (b'{"invoice_id": "i1"}', b'{"invoice_id": "i1", "date_paid": "2026-04-01T10:00:00Z"}')
    seen = [Observation("shop", Origin.WEBHOOK, "invoice/created", NOW, body) for body in bodies]
    records = [record(offset, each) for offset, each in enumerate(seen)]
    alone, together = (routed(route, records, many, Retention()) for many in (1, 2))
    assert together == alone
    tally: Any = together[1][-1]
    published = [kind for _, kind in tally["events"]]
    assert published == ["payments.invoice.created", "payments.invoice.paid"]
