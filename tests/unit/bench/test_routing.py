"""The judge of the router's benchmark: what is missing or there twice is no figure but an error."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer

from handlers.jsontext import parse_object
from handlers.observation import Observation
from handlers.smartpay.body import find
from handlers.smartpay.facts import read
from receiver.kafka.clients import Clients, Record, partition_for
from tests.bench.route.contender import Contender
from tests.bench.route.observations import IN_A_BLOCK, Observations, observations
from tests.bench.route.reading import Outlet, Unreadable
from tests.bench.route.unguarded import Unguarded, without_transactions
from tests.bench.route.verifying import Read, WrongOutput, check_copy, check_events

PARTITIONS = 3


@pytest.fixture(scope="module")
def given() -> Observations:
    """Return two blocks of observations."""
    return observations(2 * IN_A_BLOCK, PARTITIONS, seed=1)


class _FewRecords(Outlet):
    """An outlet without Kafka, from which these records come at once."""

    def __init__(self, records: list[Read]) -> None:
        super().__init__(Consumer({"group.id": "unused"}), "a-topic")
        self._records = records

    def more(self, _: float = 0.0) -> list[Read]:
        """Return all that is left."""
        taken, self._records = self._records, []
        return taken


def _published(given: Observations) -> list[Read]:
    return [
        Read(0, key.encode(), json.dumps({"id": each, "partitionkey": key}).encode())
        for each, key in given.events.items()
    ]


def _copied(given: Observations) -> list[Read]:
    return [
        Read(partition, record.key, record.value or b"")
        for partition, records in given.records.items()
        for record in records
    ]


def test_the_mix_is_three_events_for_two_observations(given: Observations) -> None:
    """Two blocks hold 240 observations that must give 360 events."""
    assert (given.count, len(given.events)) == (240, 360)


def test_the_expected_events_are_what_the_bodies_show(given: Observations) -> None:
    """The ids expected are those of the facts that SmartPay's handler reads from the bodies."""
    shown = set()
    for record in _all(given):
        found = find(parse_object(record.value or b""))
        assert found is not None
        shown |= {str(fact.id) for fact in read("shop", found).facts}
    assert shown == given.events.keys()


def test_observations_are_records_of_payevents_in_their_partitions(given: Observations) -> None:
    """Each can be read back, and stands where Kafka's partitioner puts its key."""
    for partition, records in given.records.items():
        for record in records:
            assert partition_for(record.key, PARTITIONS) == partition
            observation = Observation.from_record(record.headers, record.value or b"")
            assert observation.body == record.value


def test_some_observations_repeat_others_and_none_has_all_fields_in_one_order(
    given: Observations,
) -> None:
    """A twelfth are paid invoices told of again; the fields come in many orders."""
    told = Counter((record.key, dict(record.headers)["payevents-topic"]) for record in _all(given))
    assert sum(times - 1 for times in told.values()) == given.count // 12
    orders = {tuple(json.loads(record.value or b"")) for record in _all(given)}
    assert len(orders) > given.count // 2


def test_a_seed_gives_the_same_observations_and_another_gives_other_invoices() -> None:
    """What is measured can be measured again, and rounds do not repeat each other."""
    first, again, other = (observations(IN_A_BLOCK, 1, seed) for seed in (1, 1, 2))
    assert first == again
    assert not first.events.keys() & other.events.keys()


def test_exactly_the_expected_events_pass(given: Observations) -> None:
    """Each of them once, in any order."""
    check_events(_published(given)[::-1], given.events)


def test_a_missing_event_is_noticed(given: Observations) -> None:
    """One event fewer is an error, not a faster router."""
    with pytest.raises(WrongOutput, match="1 events are missing"):
        check_events(_published(given)[1:], given.events)


def test_a_repeated_event_is_noticed(given: Observations) -> None:
    """The same event a second time is an error."""
    published = _published(given)
    with pytest.raises(WrongOutput, match="1 events are repeated"):
        check_events([*published, published[0]], given.events)


def test_an_event_nobody_expects_is_noticed(given: Observations) -> None:
    """An event of another round is an error."""
    stray = _published(observations(1, 1, seed=2))[0]
    with pytest.raises(WrongOutput, match="1 events are unknown"):
        check_events([*_published(given), stray], given.events)


def test_an_event_under_another_key_is_noticed(given: Observations) -> None:
    """An event must stand under its resource's key, in Kafka and in itself."""
    first, *others = _published(given)
    with pytest.raises(WrongOutput, match="under another key"):
        check_events([replace(first, key=b"other"), *others], given.events)


def test_exact_copies_pass(given: Observations) -> None:
    """The same bytes in the same order."""
    check_copy(_copied(given), given.records)


@pytest.mark.parametrize("spoil", ["drop", "repeat", "swap", "alter"])
def test_copies_that_differ_are_noticed(given: Observations, spoil: str) -> None:
    """One too few, one too many, two out of order, one altered byte: each is an error."""
    copies = _copied(given)
    match spoil:
        case "drop":
            del copies[5]
        case "repeat":
            copies.insert(5, copies[5])
        case "swap":
            copies[5], copies[6] = copies[6], copies[5]
        case "alter":
            copies[5] = replace(copies[5], value=copies[5].value[:-1] + b" ")
    with pytest.raises(WrongOutput, match="not the same"):
        check_copy(copies, given.records)


def test_what_comes_after_the_last_round_is_noticed() -> None:
    """A record more than was asked for, however late, spoils the measurement."""
    outlet = _FewRecords([Read(0, b"", b"")])
    contender = Contender("it", 0, "inbox", outlet, lambda _: 0, lambda *_: None)
    with pytest.raises(WrongOutput, match="1 records more"):
        contender.end()


def test_a_record_that_never_comes_is_noticed() -> None:
    """The reader gives up in time, and says how many came."""
    with pytest.raises(Unreadable, match="1 of 2 records"):
        _FewRecords([Read(0, b"", b"")]).read(2, within=0.05)


async def test_without_transactions_only_sessions_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session's producer is idempotent and begins nothing; its other settings stay."""
    made: list[dict[str, object]] = []
    init = AIOKafkaProducer.__init__

    def noted(producer: AIOKafkaProducer, **settings: object) -> None:
        made.append(settings)
        init(producer, **settings)

    monkeypatch.setattr(AIOKafkaProducer, "__init__", noted)
    clients = Clients({"bootstrap_servers": "127.0.0.1:9"})
    guarded_session = clients.session_producer("an-id")
    without_transactions(monkeypatch)
    session, appending = clients.session_producer("an-id"), clients.appending_producer()
    guarded, unguarded, _ = made
    assert isinstance(session, Unguarded)
    assert not isinstance(appending, Unguarded)
    assert unguarded.pop("enable_idempotence") is True
    assert guarded.items() - unguarded.items() == {
        ("transactional_id", "an-id"),
        ("transaction_timeout_ms", 15_000),
    }
    assert unguarded.items() <= guarded.items()
    # Neither asks Kafka for anything, which is not there.
    await session.begin_transaction()
    await session.commit_transaction()
    for producer in (guarded_session, session, appending):
        await producer.stop()


def _all(given: Observations) -> list[Record]:
    return [record for records in given.records.values() for record in records]
