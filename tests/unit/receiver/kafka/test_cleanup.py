"""Clean-up: which policies take records of the service away, and the command against each."""

import pytest

from config.settings import Settings
from receiver.kafka.cleanup import loses, remedies
from receiver.kafka.topics import TopicState, wanted_topics

SPECS = {spec.name: spec for spec in wanted_topics(Settings())}
ALTER = (
    "kafka-configs.sh --bootstrap-server 127.0.0.1:9092 --alter --entity-type topics"
    " --entity-name {} --add-config {}"
)


def state(topic: str, **config: str) -> TopicState:
    """Return a topic with this configuration."""
    actual = {key.replace("_", "."): value for key, value in config.items()}
    return TopicState(SPECS[topic], exists=True, config=actual)


@pytest.mark.parametrize("policy", ["delete", "compact,delete", "delete, compact"])
@pytest.mark.parametrize("topic", ["payevents.ledger", "payevents.watchlist"])
def test_a_table_that_is_deleted_from_forgets(topic: str, policy: str) -> None:
    """What a table remembers goes after the retention; the command leaves compaction alone."""
    table = state(topic, cleanup_policy=policy, retention_ms="604800000", retention_bytes="-1")
    told = f"{topic}: cleanup.policy is {policy}: what it remembers is deleted 7 days after"
    assert loses(table).startswith(told)
    [line] = remedies([table], "127.0.0.1:9092")
    assert line.endswith(f"run: {ALTER.format(topic, 'cleanup.policy=compact')}")


def test_a_table_may_be_deleted_from_by_size() -> None:
    """Without a limit in time the limit in bytes is one all the same."""
    limits = {"retention_ms": "-1", "retention_bytes": "1000"}
    assert "is deleted, and then" in loses(
        state("payevents.ledger", cleanup_policy="delete", **limits)
    )


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
@pytest.mark.parametrize("topic", ["payevents.inbox", "payevents.watch-requests"])
def test_an_input_that_is_compacted_loses_what_waits(topic: str, policy: str) -> None:
    """Of several observations of a resource only the last may be left when a router comes."""
    queue = state(topic, cleanup_policy=policy, retention_ms="1")
    assert "only the last record is kept" in loses(queue)
    [line] = remedies([queue], "127.0.0.1:9092")
    assert line.endswith(ALTER.format(topic, "cleanup.policy=delete,retention.ms=2592000000"))


@pytest.mark.parametrize(
    "harmless",
    [
        *(
            TopicState(spec, exists=True, config={**spec.config, "retention.ms": "604800000"})
            for spec in SPECS.values()
        ),
        *(TopicState(spec, exists=True) for spec in SPECS.values()),
        state("payevents.ledger", cleanup_policy="delete", retention_ms="-1", retention_bytes="-1"),
        state("payevents.dead-letters", cleanup_policy="delete"),
        state("payments.invoices", cleanup_policy="compact"),
    ],
)
def test_what_keeps_all_is_not_blamed(harmless: TopicState) -> None:
    """As wanted, not to be read, without any limit, or the operator's own affair: all is well."""
    assert loses(harmless) == ""
    assert remedies([harmless], "127.0.0.1:9092") == []
