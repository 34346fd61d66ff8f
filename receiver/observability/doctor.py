"""The doctor: what an operator would check by hand, with an answer and what to do about it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aiokafka.errors import KafkaError

from config.settings import Settings
from handlers.clock import rfc3339
from receiver.kafka.clients import Clients
from receiver.kafka.inspection import weaknesses
from receiver.kafka.reading import partitions_of, started_consumer
from receiver.kafka.topics import TopicState, compare_topics, wanted_topics

_CLOCK_TOLERANCE = timedelta(seconds=10)


class Verdict(StrEnum):
    """How a finding is to be taken; only what is wrong must be mended."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found, and what to do."""

    subject: str
    verdict: Verdict
    told: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the finding for programs."""
        return asdict(self)


def examine_settings(settings: Settings) -> list[Finding]:
    """Return what should be known about the settings."""
    found = [Finding("configuration", Verdict.OK, f"{len(settings.accounts)} accounts, no mistake")]
    for warning in settings.warnings():
        subject, _, told = warning.partition(": ")
        found.append(Finding(subject, Verdict.WARNING, told))
    return found


async def examine_cluster(settings: Settings, clients: Clients, now: datetime) -> list[Finding]:
    """Return what is found at the cluster.

    Raises:
        KafkaError: it cannot be reached.
        TimeoutError: it does not answer.
    """
    states = await compare_topics(clients, wanted_topics(settings))
    servers = settings.kafka.bootstrap_servers
    found = [Finding("kafka", Verdict.OK, f"{servers} answers"), *_topics(states)]
    if all(state.exists for state in states):
        found.append(await _clock(settings, clients, now))
    return found


def _topics(states: Sequence[TopicState]) -> list[Finding]:
    missing = [state.spec.name for state in states if not state.exists]
    found = []
    if missing:
        told = f"missing: {', '.join(missing)}"
        found.append(Finding("topics", Verdict.WRONG, told, "run 'payevents topics create'"))
    for state in states:
        if state.differences:
            remedy = "change the topic or the configuration, if this is not intended"
            told = f"{state.spec.name}: {'; '.join(state.differences)}"
            found.append(Finding("topics", Verdict.WARNING, told, remedy))
    weak = [
        Finding("durability", Verdict.WRONG, told, "a broker that is lost can take records along")
        for told in weaknesses(states)
    ]
    return [*(found or [Finding("topics", Verdict.OK, "all are as wanted")]), *weak]


async def _clock(settings: Settings, clients: Clients, now: datetime) -> Finding:
    """Compare this clock with those of all who wrote to the inbox: a record from the future."""
    try:
        partitions = await partitions_of(clients, [settings.topics.inbox])
        latest = round((now + _CLOCK_TOLERANCE).timestamp() * 1000)
        async with started_consumer(clients) as consumer:
            later = await consumer.offsets_for_times(dict.fromkeys(partitions, latest))
    except (KafkaError, TimeoutError) as error:
        return Finding("clock", Verdict.WARNING, f"could not be compared: {error!r}")
    if any(found is not None for found in later.values()):
        told = f"it is {rfc3339(now)} here, and the inbox holds records from later"
        return Finding("clock", Verdict.WRONG, told, "set the clocks of all machines by NTP")
    return Finding("clock", Verdict.OK, f"{rfc3339(now)}; no record in the inbox is from later")
