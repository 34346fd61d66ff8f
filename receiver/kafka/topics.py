"""The topics: what they should be, making them, and where the cluster differs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidPartitionsError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from config.settings import Settings
from receiver.kafka.clients import Clients

CLEANUP_POLICY = "cleanup.policy"
COMPACTED = "compact"
DELETED = "delete"
RETENTION_BYTES = "retention.bytes"
RETENTION_MS = "retention.ms"
MAX_MESSAGE_BYTES = "max.message.bytes"
UNCLEAN_ELECTION = "unclean.leader.election.enable"

_RIGHTS = "see 'A secured cluster' in docs/operations.md"
_MAKE = f"give the user Create on it, or have it made by who may: {_RIGHTS}"
SHOW_HIDDEN = f"give the user Describe, Read and Write on what is hidden: {_RIGHTS}"
"""What to do about topics that we may not see."""

_ALSO_READ = (MAX_MESSAGE_BYTES, UNCLEAN_ELECTION, RETENTION_MS, RETENTION_BYTES)
"""Keys that are the cluster's own affair, and that the service depends on all the same."""


class TopicsFailed(Exception):
    """The cluster refused to make or enlarge a topic; ``str()`` says which and why."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic should be. ``config`` holds Kafka's own keys.

    ``sharded`` tells that a shard goes by what the topic holds: no record of it may get lost.
    """

    name: str
    partitions: int
    replication_factor: int
    config: dict[str, str]
    sharded: bool = False


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it is beside what it should be.

    ``partitions``, ``replication_factor`` and ``config`` are the cluster's; ``config`` is empty
    where it may not be read. ``misconfigured`` says what differs beside the number of partitions.
    ``is_hidden`` says of one that does not exist, as far as we can see, that we may not see it.
    """

    spec: TopicSpec
    exists: bool
    misconfigured: list[str] = field(default_factory=list)
    partitions: int = 0
    replication_factor: int = 0
    config: dict[str, str] = field(default_factory=dict)
    is_hidden: bool = False

    @property
    def resized(self) -> bool:
        """Tell whether the topic has another number of partitions than it should."""
        return self.exists and self.partitions != self.spec.partitions

    @property
    def differences(self) -> list[str]:
        """Return all that differs; nothing if the topic is as it should be, or does not exist."""
        sizes = [f"partitions: {self.partitions}, wanted {self.spec.partitions}"]
        return [*(sizes if self.resized else []), *self.misconfigured]


def wanted_topics(settings: Settings) -> list[TopicSpec]:
    """Return every topic that the configuration asks for."""
    kafka, topics = settings.kafka, settings.topics

    def spec(name: str, config: dict[str, str]) -> TopicSpec:
        durable = {
            "min.insync.replicas": str(kafka.min_insync_replicas),
            # The broker's time: by a replica's clock that is wrong, records would be refused (an
            # hour ahead) or deleted before they were read (a retention behind).
            "message.timestamp.type": "LogAppendTime",
            **config,
        }
        is_sharded = name in topics.sharded
        partitions = kafka.partitions if is_sharded else kafka.for_events
        return TopicSpec(name, partitions, kafka.replication_factor, durable, is_sharded)

    table = {CLEANUP_POLICY: COMPACTED, "min.cleanable.dirty.ratio": "0.1"}
    letters = {
        CLEANUP_POLICY: f"{COMPACTED},{DELETED}",
        **_retention(kafka.dead_letter_retention),
    }
    return [
        spec(topics.inbox, _deleted_after(kafka.inbox_retention)),
        spec(topics.ledger, table),
        spec(topics.watch_requests, _deleted_after(timedelta(days=30))),
        spec(topics.watchlist, table),
        spec(topics.dead_letters, letters),
        *(spec(name, _deleted_after(kafka.event_retention)) for name in topics.events),
    ]


async def create_topics(clients: Clients, specs: Sequence[TopicSpec]) -> list[str]:
    """Make the topics that are not there yet; return their names.

    Raises:
        TopicsFailed: the cluster refused one.
        KafkaError: it cannot be reached.
    """
    admin = clients.admin()
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = [spec for spec in specs if spec.name not in there]
        if not missing:
            return []
        answer = await admin.create_topics([_new_topic(spec) for spec in missing])
        for name, code, *message in answer.topic_errors:
            error = for_code(code)
            # Another replica may have made it in the same moment.
            if code and error is not TopicAlreadyExistsError:
                why = message[0] if message and message[0] else error.__name__
                raise TopicsFailed(f"topic {name} was not made: {why}{_right(error)}")
        return [spec.name for spec in missing]
    finally:
        await admin.close()


async def enlarge_topic(clients: Clients, name: str, partitions: int) -> None:
    """Give a topic so many partitions, unless it has them already.

    Raises:
        TopicsFailed: the cluster refused.
        KafkaError: it cannot be reached.
    """
    admin = clients.admin()
    await admin.start()
    try:
        [topic] = await admin.describe_topics([name])
        if len(topic["partitions"]) < partitions:
            await admin.create_partitions({name: NewPartitions(partitions)})
    except InvalidPartitionsError as error:
        raise TopicsFailed(f"topic {name} was not enlarged: {error}") from error
    finally:
        await admin.close()


async def compare_topics(clients: Clients, specs: Sequence[TopicSpec]) -> list[TopicState]:
    """Return each topic with what differs on the cluster.

    Raises:
        KafkaError: the cluster cannot be reached.
    """
    admin = clients.admin()
    await admin.start()
    try:
        there = {topic["topic"]: topic for topic in await admin.describe_topics()}
        configured = await _configurations(admin, [spec for spec in specs if spec.name in there])
        hidden = await _hidden(admin, [spec.name for spec in specs if spec.name not in there])
        return [
            _compare(spec, there[spec.name], configured[spec.name])
            if spec.name in there
            else TopicState(spec, exists=False, is_hidden=spec.name in hidden)
            for spec in specs
        ]
    finally:
        await admin.close()


def advice(settings: Settings, states: Sequence[TopicState]) -> list[str]:
    """Return what to do about missing topics, and about numbers of partitions that differ."""
    missing = not all(state.exists or state.is_hidden for state in states)
    hidden = any(state.is_hidden for state in states)
    return [
        *(["run 'payevents topics create' to make what is missing"] if missing else []),
        *([SHOW_HIDDEN] if hidden else []),
        *advice_on_shards(settings, states),
        *advice_on_others(settings, states),
    ]


def advice_on_shards(settings: Settings, states: Sequence[TopicState]) -> Iterator[str]:
    """Yield, in order, what brings the topics of shards and ``kafka.partitions`` together.

    Topics that all have one smaller number were rather made so: to enlarge them is for ever.
    """
    counts = {s.partitions for s in states if s.exists and s.spec.name in settings.topics.sharded}
    wanted = settings.kafka.partitions
    most = max(counts, default=wanted)
    if most > wanted:
        yield f"set kafka.partitions to {most}: Kafka takes no partitions away"
    enlarge = f"run 'payevents topics repartition' to move to {max(most, wanted)} partitions"
    if len(counts) == 1 and most < wanted:
        yield (
            f"set kafka.partitions to {most} if {wanted} is a mistake there, or its default; if"
            f" {wanted} are wanted, {enlarge}, which cannot be undone"
        )
    elif any(count < max(most, wanted) for count in counts):
        yield enlarge


def advice_on_others(settings: Settings, states: Sequence[TopicState]) -> Iterator[str]:
    """Yield what makes ``kafka.event_partitions`` right, if it is not and one number can be."""
    sharded = settings.topics.sharded
    counts = {s.partitions for s in states if s.exists and s.spec.name not in sharded}
    if len(counts) == 1 and counts != {settings.kafka.for_events}:
        yield f"set kafka.event_partitions to {min(counts)}: these topics keep their number"


def _compare(
    spec: TopicSpec, found: dict[str, list[dict[str, list[int]]]], actual: dict[str, str]
) -> TopicState:
    differences = []
    partitions = found["partitions"]
    replicas = min((len(partition["replicas"]) for partition in partitions), default=0)
    if replicas != spec.replication_factor:
        differences.append(f"replication factor: {replicas}, wanted {spec.replication_factor}")
    differences += [
        f"{key}: {actual.get(key)}, wanted {value}"
        for key, value in spec.config.items()
        if actual.get(key) != value
    ]
    return TopicState(spec, True, differences, len(partitions), replicas, actual)


async def _hidden(admin: AIOKafkaAdminClient, names: list[str]) -> frozenset[str]:
    """Return which of the topics we may not see, whether they exist or not."""
    if not names:
        return frozenset()
    # Asked for by name, and no broker makes them for that: see clients.
    topics = await admin.describe_topics(names)
    refused = TopicAuthorizationFailedError.errno
    return frozenset(topic["topic"] for topic in topics if topic["error_code"] == refused)


def _right(error: type[KafkaError]) -> str:
    may_not = error in (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)
    return f"; {_MAKE}" if may_not else ""


async def _configurations(
    admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]
) -> dict[str, dict[str, str]]:
    if not specs:
        return {}
    resources = [
        ConfigResource(
            ConfigResourceType.TOPIC, spec.name, dict.fromkeys([*spec.config, *_ALSO_READ])
        )
        for spec in specs
    ]
    [answer] = await admin.describe_configs(resources)
    return {
        name: {entry[0]: entry[1] for entry in entries if entry[1] is not None}
        for _code, _message, _type, name, entries in answer.resources
    }


def _new_topic(spec: TopicSpec) -> NewTopic:
    return NewTopic(
        name=spec.name,
        num_partitions=spec.partitions,
        replication_factor=spec.replication_factor,
        topic_configs=spec.config,
    )


def _deleted_after(duration: timedelta) -> dict[str, str]:
    return {CLEANUP_POLICY: DELETED, **_retention(duration)}


def _retention(duration: timedelta) -> dict[str, str]:
    return {RETENTION_MS: str(duration // timedelta(milliseconds=1))}
