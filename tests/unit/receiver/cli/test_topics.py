"""What ``topics list`` advises."""

from dataclasses import replace

import pytest

from config.kafka import KafkaSettings
from config.settings import Settings
from receiver.cli.topics import _advice
from receiver.kafka.topics import TopicState, wanted_topics


@pytest.mark.parametrize(
    ("sharded", "others", "told"),
    [
        (12, 12, []),
        (4, 12, ["payevents topics repartition"]),
        (16, 12, ["set kafka.partitions to 16"]),
        (12, 4, ["set kafka.event_partitions to 4"]),
        (4, 4, ["payevents topics repartition", "set kafka.event_partitions to 4"]),
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
    advice = list(_advice(settings, states))
    assert len(advice) == len(told)
    assert all(word in line for word, line in zip(told, advice, strict=True))


def test_what_is_missing_is_to_be_made() -> None:
    """Topics that are not there say nothing about numbers."""
    settings = Settings()
    states = [TopicState(spec, exists=False) for spec in wanted_topics(settings)]
    states[0] = replace(states[0], exists=True, partitions=settings.kafka.partitions)
    [advice] = _advice(settings, states)
    assert "topics create" in advice
