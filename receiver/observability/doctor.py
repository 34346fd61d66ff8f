"""The doctor: what an operator would check by hand, with an answer and what to do about it."""

from datetime import datetime, timedelta

from aiokafka.errors import KafkaError

from config.settings import Settings
from handlers.clock import rfc3339
from receiver.kafka.clients import Clients
from receiver.kafka.reading import partitions_of, started_consumer
from receiver.kafka.topics import compare_topics, wanted_topics
from receiver.observability.findings import Finding, Verdict
from receiver.observability.rights_findings import examine_rights
from receiver.observability.shard_findings import examine_shards
from receiver.observability.topic_findings import examine_topics
from receiver.words import counted

_CLOCK_TOLERANCE = timedelta(seconds=10)


def examine_settings(settings: Settings) -> list[Finding]:
    """Return what should be known about the settings."""
    accounts = counted(len(settings.accounts), "account")
    found = [Finding("configuration", Verdict.OK, f"{accounts}, no mistake")]
    for warning in settings.warnings():
        subject, _, told = warning.partition(": ")
        told, _, remedy = told.partition("; ")
        found.append(Finding(subject, Verdict.WARNING, told, remedy))
    return found


async def examine_cluster(settings: Settings, clients: Clients, now: datetime) -> list[Finding]:
    """Return what is found at the cluster.

    Raises:
        KafkaError: it cannot be reached.
        TimeoutError: it does not answer.
    """
    states = await compare_topics(clients, wanted_topics(settings))
    servers = settings.kafka.bootstrap_servers
    found = [
        Finding("kafka", Verdict.OK, f"{servers} answers"),
        *examine_topics(settings, states),
    ]
    if all(state.exists for state in states):
        found += await examine_rights(settings, clients)
        found += await examine_shards(settings, clients)
        found.append(await _clock(settings, clients, now))
    return found


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
