"""Inspection: looking, again and again and beside all other work, whether the cluster is well."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from aiokafka.errors import KafkaConnectionError, KafkaError

from receiver.kafka.cleanup import loses, remedy
from receiver.kafka.clients import Clients
from receiver.kafka.reach import Obstacle, obstacle
from receiver.kafka.strays import end_if_cancelled, strays_are_errors
from receiver.kafka.topics import SHOW_HIDDEN, TopicSpec, TopicState, compare_topics
from receiver.observability.alarms import Alarms

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_INTERVAL = 15.0
_INTERVAL_WHEN_AMISS = 1.0
_BELIEVED_FOR = 10.0
"""Seconds for which an answer counts whatever fails after it.

While one broker of several is gone, and the others have not noticed, questions to it fail.
"""
_FAILURES_BELIEVED = 2
_ALARM_AFTER = 30.0
"""Seconds without an answer after which a person is told: an election or a restart is over then."""
_SOUGHT_EVERY = 15.0
"""Seconds between two questions to the brokers what is wrong: each is a sign-in more that fails."""
_KEPT = "webhooks are kept in the spool until spool.max_bytes"

MIN_INSYNC = "min.insync.replicas"


class Inspection:
    """What the cluster looked like a moment ago; nobody waits for Kafka to read it.

    ``monotonic`` is in seconds.
    """

    def __init__(
        self,
        clients: Clients,
        specs: Sequence[TopicSpec],
        alarms: Alarms,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._clients = clients
        self._specs = specs
        self._alarms = alarms
        self._monotonic = monotonic
        self._failure = self._remedy = ""
        self._failures = 0
        self._obstacle: Obstacle | None = None
        self._sought_at: float | None = None
        self._unanswered_since = 0.0
        self._answered_at: float | None = None
        self._states: Sequence[TopicState] = ()
        self._told: frozenset[str] = frozenset()

    @property
    def problem(self) -> str:
        """Return why Kafka cannot be reached; empty if it can, or if that is not known yet."""
        if self._answered_at is not None:
            recent = self._monotonic() - self._answered_at < _BELIEVED_FOR
            if recent or self._failures < _FAILURES_BELIEVED:
                return ""
        return self._failure

    @property
    def missing(self) -> frozenset[str]:
        """Return the topics that do not exist, as far as is known."""
        return frozenset(state.spec.name for state in self._states if not state.exists)

    @property
    def remedy(self) -> str:
        """Return what to do about the missing topics."""
        return SHOW_HIDDEN if self.hidden else "run 'payevents topics create'"

    @property
    def hidden(self) -> frozenset[str]:
        """Return those of the missing topics that we may not see, whether they exist or not."""
        return frozenset(state.spec.name for state in self._states if state.is_hidden)

    @property
    def weak(self) -> Sequence[str]:
        """Return what :func:`weaknesses` says of the topics."""
        return weaknesses(self._states)

    @property
    def losing(self) -> Sequence[str]:
        """Return what :func:`~receiver.kafka.cleanup.loses` says of each topic that does."""
        return [told for state in self._states if (told := loses(state))]

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            end_if_cancelled()
            amiss = self._failure or self.missing
            await asyncio.sleep(_INTERVAL_WHEN_AMISS if amiss else _INTERVAL)

    async def look(self) -> None:
        """Look once."""
        asked_at = self._monotonic()
        try:
            with strays_are_errors():
                async with asyncio.timeout(self._clients.timeouts.start):
                    self._states = await compare_topics(self._clients, self._specs)
        except Exception as error:
            if not isinstance(error, KafkaError | OSError | AssertionError):
                log.warning("the cluster was not looked at", why=repr(error), exc_info=True)
            if not self._failures:
                self._unanswered_since = asked_at
            self._failures += 1
            self._failure = f"Kafka cannot be reached: {error!r}"
            self._remedy = f"bring Kafka back; {_KEPT}"
            if isinstance(error, KafkaConnectionError):
                await self._look_for_obstacle()
            self._sound()
            return
        self._failure, self._failures = "", 0
        self._sought_at = None
        self._answered_at = self._monotonic()
        self._alarms.over("", "kafka-away")
        self._sound_losses()
        self._tell()

    def _sound(self) -> None:
        """Sound the alarm once Kafka has been away for long enough.

        Its questions count from when they were asked: one that hangs can take a minute to fail.
        """
        if self.problem and self._monotonic() - self._unanswered_since >= _ALARM_AFTER:
            self._alarms.sound("", "kafka-away", why=self.problem, remedy=self._remedy)

    async def _look_for_obstacle(self) -> None:
        """Say more exactly what is wrong, from an answer that is a moment old at most."""
        now = self._monotonic()
        if self._sought_at is None or now - self._sought_at >= _SOUGHT_EVERY:
            self._sought_at = now
            self._obstacle = await obstacle(self._clients)
        if self._obstacle is not None:
            self._failure = f"Kafka cannot be reached: {self._obstacle.why}"
            self._remedy = f"{self._obstacle.remedy}; {_KEPT}"

    def _sound_losses(self) -> None:
        """Sound the alarm while topics lose records: none may be lost yet, and soon will be."""
        losing = [state for state in self._states if loses(state)]
        if not losing:
            self._alarms.over("", "topic-loses-records")
            return
        servers = str(self._clients.options["bootstrap_servers"])
        self._alarms.sound(
            "",
            "topic-loses-records",
            why="; ".join(self.losing),
            remedy="; ".join(f"run: {remedy(state, servers)}" for state in losing),
        )

    def _tell(self) -> None:
        """Log what is missing or weak whenever that has changed."""
        now = self.missing | frozenset(self.weak)
        if now == self._told:
            return
        self._told = now
        if self.missing:
            log.warning(
                "topics are missing",
                topics=sorted(self.missing),
                what_to_do=f"{self.remedy}; they are taken up as they come",
            )
        for weakness in self.weak:
            log.warning("a topic is not as durable as it could be", why=weakness)
        if not now:
            log.info("the topics are as they should be")


def weaknesses(states: Sequence[TopicState]) -> list[str]:
    """Say of each topic with too few in-sync replicas what it should have.

    Below max(1, replication factor - 1) a 200 would promise more than the cluster keeps.
    """
    return [
        f"{state.spec.name}: {MIN_INSYNC} is {state.config[MIN_INSYNC]} with"
        f" {state.replication_factor} replicas, set it to {least_insync(state)}"
        for state in states
        if is_weak(state)
    ]


def is_weak(state: TopicState) -> bool:
    """Tell whether a topic is known to have too few in-sync replicas."""
    return MIN_INSYNC in state.config and int(state.config[MIN_INSYNC]) < least_insync(state)


def least_insync(state: TopicState) -> int:
    """Return how many in-sync replicas a topic should ask for, so that one broker may be lost."""
    return max(1, state.replication_factor - 1)
