"""The doctor about topics: what is wrong, what is only unusual, and the remedy of each."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from config.kafka import KafkaSettings
from config.settings import Settings
from receiver.kafka.topics import TopicState, wanted_topics
from receiver.observability.findings import Finding, Verdict
from receiver.observability.topic_findings import examine_topics

SETTINGS = Settings(kafka=KafkaSettings(partitions=12, event_partitions=12))


def topics(
    *, sharded: int = 12, others: int = 12, config: dict[str, str] | None = None
) -> list[TopicState]:
    """Return all topics with so many partitions, each with ``config``."""
    return [
        TopicState(
            spec,
            exists=True,
            partitions=sharded if spec.name in SETTINGS.topics.sharded else others,
            replication_factor=3,
            config=config or {},
        )
        for spec in wanted_topics(SETTINGS)
    ]


def amiss(states: Sequence[TopicState]) -> list[Finding]:
    """Return what is not as it should be."""
    return [f for f in examine_topics(SETTINGS, states) if f.verdict is not Verdict.OK]


def test_a_cluster_that_tells_no_configuration_is_well() -> None:
    """What may not be read, or is not known to a broker, is no finding."""
    [finding] = examine_topics(SETTINGS, topics())
    assert (finding.subject, finding.verdict) == ("topics", Verdict.OK)


@pytest.mark.parametrize(
    ("sharded", "remedy"),
    [
        (
            4,
            (
                "set kafka.partitions to 4 if 12 is a mistake there, or its default; if 12 are"
                " wanted, run 'payevents topics repartition' to move to 12 partitions, which cannot"
                " be undone"
            ),
        ),
        (16, "set kafka.partitions to 16: Kafka takes no partitions away"),
    ],
)
def test_topics_of_shards_with_another_number_are_wrong(sharded: int, remedy: str) -> None:
    """Every shard refuses then: the doctor names the topics, the numbers and the way out."""
    [finding] = amiss(topics(sharded=sharded))
    assert finding.verdict is Verdict.WRONG
    assert finding.remedy == remedy
    for name in SETTINGS.topics.sharded:
        assert f"{name} has {sharded} (wanted 12)" in finding.told


def test_other_topics_keep_their_number() -> None:
    """Events in another number of partitions are published all the same: that is a warning."""
    [finding] = amiss(topics(others=4))
    assert finding.verdict is Verdict.WARNING
    assert "set kafka.event_partitions to 4" in finding.remedy
    assert "payevents.inbox" not in finding.told


def test_other_topics_with_several_numbers_are_left_to_a_person() -> None:
    """No one setting is right for all of them."""
    states = topics(others=4)
    states[-1] = replace(states[-1], partitions=8)
    [finding] = amiss(states)
    assert finding.verdict is Verdict.WARNING
    assert "event_partitions" not in finding.remedy
    assert finding.remedy


def test_what_else_differs_is_a_warning() -> None:
    """A retention may differ on purpose; the topic is named."""
    states = topics()
    states[0] = replace(states[0], misconfigured=["retention.ms: 1, wanted 2"])
    [finding] = amiss(states)
    assert finding.verdict is Verdict.WARNING
    assert finding.told == f"{states[0].spec.name}: retention.ms: 1, wanted 2"


def test_a_table_that_deletes_is_wrong_with_the_command_against_it() -> None:
    """It is no difference that somebody might intend, and what else differs stays a warning."""
    states = topics()
    at = [state.spec.name for state in states].index("payevents.ledger")
    differ = [
        "cleanup.policy: delete, wanted compact",
        "min.cleanable.dirty.ratio: 0.5, wanted 0.1",
    ]
    states[at] = replace(states[at], config={"cleanup.policy": "delete"}, misconfigured=differ)
    lost, differs = amiss(states)
    assert (lost.subject, lost.verdict) == ("clean-up", Verdict.WRONG)
    assert lost.remedy == (
        "run: kafka-configs.sh --bootstrap-server 127.0.0.1:9092 --alter --entity-type topics"
        " --entity-name payevents.ledger --add-config cleanup.policy=compact"
    )
    assert (differs.verdict, differs.told) == (Verdict.WARNING, f"payevents.ledger: {differ[1]}")


def test_missing_topics_are_wrong() -> None:
    """They are named, and nothing else is said of them."""
    states = topics()
    states[1] = TopicState(states[1].spec, exists=False)
    [finding] = amiss(states)
    assert finding.verdict is Verdict.WRONG
    assert states[1].spec.name in finding.told
    assert finding.remedy == "run 'payevents topics create'"


@pytest.mark.parametrize(
    ("config", "told", "remedy"),
    [
        (
            {"min.insync.replicas": "1"},
            "is lost can take records along",
            "set min.insync.replicas of the topic to 2",
        ),
        (
            {"unclean.leader.election.enable": "true"},
            "acknowledged records can vanish",
            "set unclean.leader.election.enable of the topic to false",
        ),
        (
            {"max.message.bytes": "1048575"},
            "stops the draining of spools and the routing",
            "set max.message.bytes of the topic to 1048576 or more",
        ),
    ],
)
def test_what_could_lose_or_stop_records_is_wrong(
    config: dict[str, str], told: str, remedy: str
) -> None:
    """Each topic is judged by what the cluster says of it, whoever set it so."""
    found = amiss(topics(config=config))
    assert len(found) == len(wanted_topics(SETTINGS))
    for finding, spec in zip(found, wanted_topics(SETTINGS), strict=True):
        assert finding.verdict is Verdict.WRONG
        assert finding.told.startswith(f"{spec.name}: ")
        assert told in finding.told
        assert finding.remedy == remedy


def test_kafkas_own_defaults_are_well() -> None:
    """A broker that was never configured has room for a megabyte and elects no one unclean."""
    config = {
        "min.insync.replicas": "2",
        "unclean.leader.election.enable": "false",
        "max.message.bytes": "1048588",
    }
    assert amiss(topics(config=config)) == []
