"""Clean-up: whether a cluster takes away what nothing but a topic of the service remembers."""

from collections.abc import Sequence

from receiver.kafka.topics import (
    CLEANUP_POLICY,
    COMPACTED,
    DELETED,
    RETENTION_BYTES,
    RETENTION_MS,
    TopicState,
)

_ENDLESS = "-1"


def loses(state: TopicState) -> str:
    """Say what of a shard's topic is taken away; empty if nothing, or if that may not be read.

    The other topics may be cleaned up as the cluster's operator likes.
    """
    if not state.spec.sharded:
        return ""
    actual = state.config.get(CLEANUP_POLICY, "")
    policies = {policy.strip() for policy in actual.split(",")}
    told = f"{state.spec.name}: {CLEANUP_POLICY} is {actual}"
    if state.spec.config[CLEANUP_POLICY] == COMPACTED:
        if DELETED not in policies or _keeps_all(state):
            return ""
        age = state.config.get(RETENTION_MS, _ENDLESS)
        after = "" if age == _ENDLESS else f" {int(age) / 86_400_000:.3g} days after it was written"
        return f"{told}: what it remembers is deleted{after}, and then done again"
    if COMPACTED in policies:
        return f"{told}: of a key only the last record is kept, handled or not"
    return ""


def remedies(states: Sequence[TopicState], bootstrap_servers: str) -> list[str]:
    """Return, for each topic that loses records, what is lost and what to run against it."""
    return [
        f"{told}; run: {remedy(state, bootstrap_servers)}"
        for state in states
        if (told := loses(state))
    ]


def remedy(state: TopicState, bootstrap_servers: str) -> str:
    """Return what keeps the records of a topic that loses them: a command of Apache Kafka."""
    wanted = state.spec.config
    set_to = f"{CLEANUP_POLICY}={wanted[CLEANUP_POLICY]}"
    if RETENTION_MS in wanted:
        # With compaction alone the retention does not matter; from now on it does.
        set_to += f",{RETENTION_MS}={wanted[RETENTION_MS]}"
    return (
        f"kafka-configs.sh --bootstrap-server {bootstrap_servers} --alter --entity-type topics"
        f" --entity-name {state.spec.name} --add-config {set_to}"
    )


def _keeps_all(state: TopicState) -> bool:
    limits = (state.config.get(RETENTION_MS), state.config.get(RETENTION_BYTES))
    return limits == (_ENDLESS, _ENDLESS)
