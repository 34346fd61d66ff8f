"""The topics beside what they should be, and what is advised about the differences."""

from dataclasses import replace

import pytest

from config.kafka import KafkaSettings
from config.settings import Settings
from receiver.kafka.topics import TopicSpec, TopicState, advice, wanted_topics


@pytest.mark.parametrize(
    ("sharded", "others", "told"),
    [
        (12, 12, []),
        (4, 12, ["set kafka.partitions to 4 if 12 is a mistake there"]),
        (16, 12, ["set kafka.partitions to 16"]),
        (12, 4, ["set kafka.event_partitions to 4"]),
        (
            4,
            4,
            [
                "set kafka.partitions to 4 if 12 is a mistake there",
                "set kafka.event_partitions to 4",
            ],
        ),
    ],
)
def test_the_way_to_the_wanted_number_is_named(sharded: int, others: int, told: list[str]) -> None:
    """Each difference in the numbers of partitions has its own remedy."""
    settings = Settings(kafka=KafkaSettings(partitions=12))
    states = [
        TopicState(
            spec, True, partitions=sharded if spec.name in settings.topics.sharded else others
        )
        for spec in wanted_topics(settings)
    ]
    advised = advice(settings, states)
    assert len(advised) == len(told)
    assert all(word in line for word, line in zip(told, advised, strict=True))


def test_what_was_enlarged_in_part_is_moved_to_the_largest_number() -> None:
    """A repartition to fewer partitions than a topic has would be refused."""
    settings = Settings(kafka=KafkaSettings(partitions=12))
    sharded = [s for s in wanted_topics(settings) if s.name in settings.topics.sharded]
    states = [TopicState(spec, True, partitions=12) for spec in sharded]
    states[0] = replace(states[0], partitions=16)
    first, then = advice(settings, states)
    assert "set kafka.partitions to 16" in first
    assert "to move to 16 partitions" in then


def test_what_is_missing_is_to_be_made() -> None:
    """Topics that are not there say nothing about numbers."""
    settings = Settings()
    states = [TopicState(spec, exists=False) for spec in wanted_topics(settings)]
    states[0] = replace(states[0], exists=True, partitions=settings.kafka.partitions)
    [advised] = advice(settings, states)
    assert "topics create" in advised


def test_a_number_of_partitions_is_a_difference_only_where_there_is_a_topic() -> None:
    """The number stands before what else differs; a missing topic differs in nothing."""
    spec = TopicSpec("inbox", 4, 1, {})
    there = TopicState(spec, True, ["retention.ms: 1, wanted 2"], partitions=8)
    assert there.differences == ["partitions: 8, wanted 4", "retention.ms: 1, wanted 2"]
    assert replace(there, partitions=4).differences == ["retention.ms: 1, wanted 2"]
    assert TopicState(spec, exists=False).differences == []
