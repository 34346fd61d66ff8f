"""The sketch of a router: a limit only if it makes the very events that the router makes."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr

from config.topics import Topics
from handlers.smartpay import provider
from handlers.smartpay.settings import SmartPaySettings
from receiver.accounts.registry import Accounts
from receiver.kafka.clients import Record
from receiver.routing.batch import Batch
from receiver.routing.expiry import Retention
from receiver.routing.handling import Handling
from receiver.routing.route import Route
from receiver.shards.open_shard import InputRecord
from receiver.shards.session import Writable
from tests.bench.route.observations import ACCOUNT, IN_A_BLOCK, observations
from tests.bench.route.sketching import Sketch

TOPICS = Topics.named("", ())


@pytest.fixture(scope="module")
def given() -> Sequence[Record]:
    """Return three blocks of observations of one partition."""
    return observations(3 * IN_A_BLOCK, 1, seed=1).records[0]


async def routed(given: Sequence[Record]) -> Sequence[Writable]:
    """Return the events that the router makes of them."""
    accounts = Accounts({"smartpay": provider})
    accounts.replace({ACCOUNT: SmartPaySettings(name=ACCOUNT, api_key=SecretStr("key"))})
    route = Route(accounts, TOPICS)
    batch = Batch({})
    records = [
        InputRecord(offset, record.key, record.value, record.headers)
        for offset, record in enumerate(given)
    ]
    Handling(route, TOPICS, lambda: datetime.now(UTC), Retention(), 0).take(records, 1, batch)

    async def one(_: str) -> int:
        return 1

    return (await batch.outputs(one))["payments.invoices", 0]


def sketched(given: Sequence[Record], at_a_time: int) -> Iterator[Writable]:
    """Yield the events that the sketch makes of them, so many at a time."""
    sketch = Sketch(TOPICS.inbox, "events", "ledger")
    consumed = [
        ConsumerRecord(
            TOPICS.inbox, 0, offset, 0, 0, record.key, record.value, None, 0, 0, record.headers
        )
        for offset, record in enumerate(given)
    ]
    for first in range(0, len(consumed), at_a_time):
        yield from sketch.work(0, consumed[first : first + at_a_time])["events"]


def as_read(records: Iterable[Writable]) -> list[tuple[bytes, object, list[tuple[str, bytes]]]]:
    """Return what readers see of records, whatever the order of fields."""
    return [
        (record.key, json.loads(record.value or b""), list(record.headers)) for record in records
    ]


@pytest.mark.parametrize("at_a_time", [1, 50, 1000])
async def test_it_makes_the_events_that_the_router_makes(
    given: Sequence[Record], at_a_time: int
) -> None:
    """The same keys, documents and headers in the same order, in however many transactions."""
    made = as_read(await routed(given))
    assert len(made) == 3 * IN_A_BLOCK * 3 // 2
    assert as_read(sketched(given, at_a_time)) == made
