"""Gathering the evidence: one pass over each partition that can hold any, with little in memory."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from config.topics import Topics
from handlers.ledger import Entry
from receiver.accounts.registry import Accounts
from receiver.explaining import records
from receiver.explaining.evidence import Evidence, SeenEvent, SeenLetter, SeenLookUp
from receiver.explaining.records import Tally
from receiver.explaining.subject import Subject
from receiver.kafka.clients import Clients, partition_for
from receiver.kafka.reading import partitions_of, started_consumer
from receiver.kafka.scan import scan
from receiver.shards.positions import input_positions
from receiver.watches.requests import LOOK_UP, partition_key

Progress = Callable[[int, int], None]
_NOT_TAKEN_UP = "no poller has taken it up yet"


class Gatherer:
    """Reads what Kafka holds about subjects; ``since`` leaves out older observations."""

    def __init__(
        self,
        clients: Clients,
        topics: Topics,
        accounts: Accounts,
        *,
        since: datetime | None = None,
        progress: Progress = lambda _done, _of: None,
    ) -> None:
        self._clients = clients
        self._topics = topics
        self._accounts = accounts
        self._since = since
        self._progress = progress

    async def gather(self, subjects: Sequence[Subject]) -> list[Evidence]:
        """Return the evidence about each of ``subjects``; it may be empty.

        Raises:
            NoSuchTopic: a topic does not exist.
            KafkaError: Kafka cannot be read.
            TimeoutError: it does not answer.
        """
        topics = self._topics
        everything = [topics.inbox, topics.ledger, topics.dead_letters, *self._further]
        counts = _counts(await partitions_of(self._clients, everything))
        found = {
            subject.inbox_key.encode(): Evidence(
                subject, partition_for(subject.inbox_key.encode(), counts[topics.inbox])
            )
            for subject in subjects
        }
        async with started_consumer(self._clients) as consumer:
            tally = await self._read_inbox(consumer, found)
            routed = await input_positions(self._clients, topics.ledger, _partitions(found))
            entries = await self._read_ledger(consumer, found)
            letters = await self._read_letters(consumer, found, counts[topics.dead_letters])
            evidence = [
                replace(
                    each,
                    routed=routed.get(each.partition),
                    kept_since=tally.kept_since.get(each.partition),
                    arrivals=tuple(tally.arrivals[key]),
                    left_out=tally.left_out[key],
                    entries=entries[key],
                    letters=tuple(letters[key]),
                    import_start=self._import_start(each.subject.account),
                )
                for key, each in found.items()
            ]
            # The rest is read only of those that there are.
            return [
                each if each.is_empty else await self._complete(consumer, each, counts)
                for each in evidence
            ]

    def _import_start(self, account: str) -> datetime | None:
        handler = self._accounts.get(account)
        return None if handler is None else handler.import_start

    @property
    def _further(self) -> tuple[str, ...]:
        return (self._topics.watch_requests, self._topics.watchlist, *self._topics.events)

    async def _read_inbox(self, consumer: AIOKafkaConsumer, found: dict[bytes, Evidence]) -> Tally:
        tally = Tally(self._accounts)
        wanted = [TopicPartition(self._topics.inbox, number) for number in _partitions(found)]
        async for record in scan(consumer, wanted, since=self._since, progress=self._progress):
            tally.saw(record)
            if record.key in found:
                tally.take(record)
        return tally

    async def _read_ledger(
        self, consumer: AIOKafkaConsumer, found: dict[bytes, Evidence]
    ) -> defaultdict[bytes, dict[str, Entry]]:
        owners = {
            resource.partition_key.encode(): inbox_key
            for inbox_key, each in found.items()
            for resource in each.subject.resources
        }
        entries: defaultdict[bytes, dict[str, Entry]] = defaultdict(dict)
        wanted = [TopicPartition(self._topics.ledger, number) for number in _partitions(found)]
        async for record in scan(consumer, wanted):
            if record.key in owners:
                of_subject = entries[owners[record.key]]
                entry = records.entry(record)
                if entry is None:
                    of_subject.pop(record.key.decode(), None)
                else:
                    of_subject[record.key.decode()] = entry
        return entries

    async def _read_letters(
        self, consumer: AIOKafkaConsumer, found: dict[bytes, Evidence], count: int
    ) -> defaultdict[bytes, list[SeenLetter]]:
        topic = self._topics.dead_letters
        there: dict[bytes, tuple[bytes, SeenLetter]] = {}
        wanted = [TopicPartition(topic, number) for number in range(count)]
        async for record in scan(consumer, wanted):
            there.pop(record.key, None)
            found_letter = records.letter(record, found)
            if found_letter is not None:
                there[record.key] = found_letter
        letters: defaultdict[bytes, list[SeenLetter]] = defaultdict(list)
        for inbox_key, letter in there.values():
            letters[inbox_key].append(letter)
        return letters

    async def _complete(
        self, consumer: AIOKafkaConsumer, evidence: Evidence, counts: dict[str, int]
    ) -> Evidence:
        """Return the evidence with the events and the look-ups."""
        events = await self._read_events(consumer, evidence.subject, counts)
        look_ups = await self._read_look_ups(consumer, evidence.subject, counts)
        return replace(evidence, events=tuple(events), look_ups=tuple(look_ups))

    async def _read_events(
        self, consumer: AIOKafkaConsumer, subject: Subject, counts: dict[str, int]
    ) -> list[SeenEvent]:
        events: list[SeenEvent] = []
        for resource in subject.resources:
            topic = self._topics.for_event(
                provider=resource.provider,
                account=resource.account,
                kind=resource.kind,
                test=resource.test,
            )
            if topic is None:
                continue
            key = resource.partition_key.encode()
            place = TopicPartition(topic, partition_for(key, counts[topic]))
            async for record in scan(consumer, [place]):
                event = records.event(record) if record.key == key else None
                if event is not None:
                    events.append(event)
        return events

    async def _read_look_ups(
        self, consumer: AIOKafkaConsumer, subject: Subject, counts: dict[str, int]
    ) -> list[SeenLookUp]:
        topics, account = self._topics, partition_key(subject.account)
        place = partition_for(account, counts[topics.watch_requests])
        prefix = f"{subject.account}/{LOOK_UP}/".encode()
        asked: list[records.Asked] = []
        async for record in scan(consumer, [TopicPartition(topics.watch_requests, place)]):
            if (record.key or b"").startswith(prefix):
                asked += records.asked(record, subject)
        if not asked:
            return []
        taken_up = await input_positions(self._clients, topics.watchlist, [place])
        states = {
            each.watch: "" if each.offset < taken_up.get(place, 0) else _NOT_TAKEN_UP
            for each in asked
        }
        async for record in scan(consumer, [TopicPartition(topics.watchlist, place)]):
            if record.key in states:
                states[record.key] = records.watch_state(record)
        return [replace(each.look_up, state=states[each.watch]) for each in asked]


def _counts(partitions: Iterable[TopicPartition]) -> dict[str, int]:
    counts: defaultdict[str, int] = defaultdict(int)
    for partition in partitions:
        counts[partition.topic] += 1
    return counts


def _partitions(found: dict[bytes, Evidence]) -> set[int]:
    return {each.partition for each in found.values()}
