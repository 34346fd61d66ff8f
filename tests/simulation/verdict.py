"""The verdict on a run: what a reader of committed records finds when all is over."""

import json
from collections.abc import Mapping
from uuid import UUID

from aiokafka import TopicPartition

from handlers.fact import Uninterpretable
from handlers.ledger import Entry as LedgerEntry
from handlers.observation import Observation
from receiver.shards.table import Table
from tests.chaos.checker import Sent, check
from tests.kafka.reader import Record
from tests.simulation.cluster import Cluster
from tests.simulation.log import Entry
from tests.simulation.programs import ACCOUNT, smartpay_accounts
from tests.simulation.world import TOPICS


def assert_exactly_once(cluster: Cluster, sent: Sent) -> None:
    """Assert that what was sent is published once, in order, and that the tables say the same."""
    records = event_records(cluster)
    findings = check(records, sent)
    assert findings.clean, str(findings)
    published = {(record.key or b"", _event_id(record)) for record in records}
    assert ledger_facts(cluster) == published, "the ledger is not what was published"


def assert_positions_sound(cluster: Cluster) -> None:
    """Assert that no input position went back, or passed a record that was not handled."""
    for partition in cluster.partitions_of(TOPICS.ledger):
        inbox = TopicPartition(TOPICS.inbox, partition.partition)
        arrived = {entry.offset: entry for entry in cluster.log(inbox).committed()}
        table, handled = Table(), 0
        for entry in cluster.log(partition).committed():
            assert entry.payload is not None
            assert entry.payload.key is not None
            table.apply(entry.payload.key, entry.payload.value)
            if table.position is None:
                continue
            position = table.position.offset
            assert position >= handled, f"{partition}: from {handled} back to {position}"
            for offset in range(handled, position):
                missing = _unhandled(arrived[offset], table.entries)
                assert not missing, f"{inbox} passed {offset} without {missing}"
            handled = position


def all_handled(cluster: Cluster, input_topic: str, table_topic: str) -> bool:
    """Tell whether each partition's committed position is at the input's end, and all is readable.

    A marker may be late in one partition and not in another: what is committed is not seen then.
    """
    return not any(log.open for log in cluster.logs.values()) and all(
        (position := _position(cluster, partition)) is not None
        and position >= cluster.log(TopicPartition(input_topic, partition.partition)).end
        for partition in cluster.partitions_of(table_topic)
    )


def event_records(cluster: Cluster) -> list[Record]:
    """Return all published events, in partition order."""
    return [
        Record(
            topic,
            partition,
            entry.offset,
            entry.payload.key,
            entry.payload.value,
            entry.payload.headers,
            0,
        )
        for topic in TOPICS.events
        for partition, entry in cluster.committed(topic)
        if entry.payload is not None
    ]


def ledger_facts(cluster: Cluster) -> set[tuple[bytes, str]]:
    """Return the facts in the ledger: resource and event id."""
    facts = set()
    for partition in cluster.partitions_of(TOPICS.ledger):
        for key, value in restored(cluster, partition).entries.items():
            if not key.startswith(b"\x00"):
                entry = LedgerEntry.decode(value)
                facts |= {(key, str(UUID(bytes=fact.id))) for fact in entry.published}
    return facts


def letters(cluster: Cluster) -> set[bytes]:
    """Return the bytes of the dead letters."""
    return {
        entry.payload.value
        for _, entry in cluster.committed(TOPICS.dead_letters)
        if entry.payload is not None and entry.payload.value is not None
    }


def restored(cluster: Cluster, partition: TopicPartition) -> Table:
    """Return a table as a reader of committed records makes it."""
    table = Table()
    for entry in cluster.log(partition).committed():
        if entry.payload is not None and entry.payload.key is not None:
            table.apply(entry.payload.key, entry.payload.value)
    return table


def _unhandled(entry: Entry, entries: Mapping[bytes, bytes]) -> list[str]:
    """Return the facts of an inbox record that the ledger does not hold."""
    handler = smartpay_accounts().get(ACCOUNT)
    assert handler is not None
    assert entry.payload is not None
    try:
        observation = Observation.from_record(entry.payload.headers, entry.payload.value or b"")
        reading = handler.interpret(observation).reading
    except Uninterpretable:
        return []
    if reading is None:
        return []
    raw = entries.get(reading.resource.partition_key.encode())
    known = set() if raw is None else {fact.id for fact in LedgerEntry.decode(raw).published}
    return [fact.action for fact in reading.facts if fact.id.bytes not in known]


def _position(cluster: Cluster, partition: TopicPartition) -> int | None:
    position = restored(cluster, partition).position
    return None if position is None else position.offset


def _event_id(record: Record) -> str:
    return str(json.loads(record.value or b"")["id"])
