"""What the doctor finds at the topics: missing, of another size, not as configured, or unsafe."""

from collections.abc import Iterator, Sequence

from config.settings import Settings
from receiver.kafka.cleanup import loses, remedy
from receiver.kafka.inspection import MIN_INSYNC, is_weak, least_insync
from receiver.kafka.topics import (
    CLEANUP_POLICY,
    MAX_MESSAGE_BYTES,
    SHOW_HIDDEN,
    UNCLEAN_ELECTION,
    TopicState,
    advice_on_others,
    advice_on_shards,
)
from receiver.observability.findings import Finding, Verdict

_LEAST_MESSAGE = 1 << 20
"""Bytes. As large become the batches of a session, and the largest observation needs no less."""
_UNINTENDED = "change the topic or the configuration, if this is not intended"


def examine_topics(settings: Settings, states: Sequence[TopicState]) -> list[Finding]:
    """Return what is to be said about the topics; what the cluster does not tell is no finding."""
    found = [
        *_missing(states),
        *_partitions(settings, states),
        *_losing(settings, states),
        *_misconfigured(states),
    ]
    unsafe = [finding for state in states for finding in _unsafe(state)]
    return [*(found or [Finding("topics", Verdict.OK, "all are as wanted")]), *unsafe]


def _missing(states: Sequence[TopicState]) -> Iterator[Finding]:
    hidden = [state.spec.name for state in states if state.is_hidden]
    if hidden:
        told = f"we may not see, if they are there: {', '.join(hidden)}"
        yield Finding("topics", Verdict.WRONG, told, SHOW_HIDDEN)
    missing = [state.spec.name for state in states if not state.exists and not state.is_hidden]
    if missing:
        told = f"missing: {', '.join(missing)}"
        yield Finding("topics", Verdict.WRONG, told, "run 'payevents topics create'")


def _partitions(settings: Settings, states: Sequence[TopicState]) -> Iterator[Finding]:
    resized = [state for state in states if state.resized]
    sharded = [state for state in resized if state.spec.name in settings.topics.sharded]
    others = [state for state in resized if state not in sharded]
    if sharded:
        told = f"shards refuse to work: {_sizes(sharded)}"
        remedy = "; then ".join(advice_on_shards(settings, states))
        yield Finding("partitions", Verdict.WRONG, told, remedy)
    if others:
        remedy = "; ".join(advice_on_others(settings, states)) or _UNINTENDED
        yield Finding("partitions", Verdict.WARNING, _sizes(others), remedy)


def _sizes(states: Sequence[TopicState]) -> str:
    return ", ".join(
        f"{state.spec.name} has {state.partitions} (wanted {state.spec.partitions})"
        for state in states
    )


def _losing(settings: Settings, states: Sequence[TopicState]) -> Iterator[Finding]:
    for state in states:
        if told := loses(state):
            way_out = f"run: {remedy(state, settings.kafka.bootstrap_servers)}"
            yield Finding("clean-up", Verdict.WRONG, told, way_out)


def _misconfigured(states: Sequence[TopicState]) -> Iterator[Finding]:
    for state in states:
        told = "; ".join(
            difference
            for difference in state.misconfigured
            if not (difference.startswith(CLEANUP_POLICY) and loses(state))
        )
        if told:
            yield Finding("topics", Verdict.WARNING, f"{state.spec.name}: {told}", _UNINTENDED)


def _unsafe(state: TopicState) -> Iterator[Finding]:
    name, config = state.spec.name, state.config
    if is_weak(state):
        told = (
            f"{name}: {MIN_INSYNC} is {config[MIN_INSYNC]} with {state.replication_factor} "
            "replicas: a broker that is lost can take records along"
        )
        remedy = f"set {MIN_INSYNC} of the topic to {least_insync(state)}"
        yield Finding("durability", Verdict.WRONG, told, remedy)
    if config.get(UNCLEAN_ELECTION) == "true":
        told = f"{name}: {UNCLEAN_ELECTION} is true: acknowledged records can vanish"
        remedy = f"set {UNCLEAN_ELECTION} of the topic to false"
        yield Finding("durability", Verdict.WRONG, told, remedy)
    if MAX_MESSAGE_BYTES in config and int(config[MAX_MESSAGE_BYTES]) < _LEAST_MESSAGE:
        told = (
            f"{name}: {MAX_MESSAGE_BYTES} is {config[MAX_MESSAGE_BYTES]}: what is larger stops the "
            "draining of spools and the routing"
        )
        remedy = f"set {MAX_MESSAGE_BYTES} of the topic to {_LEAST_MESSAGE} or more"
        yield Finding("message size", Verdict.WRONG, told, remedy)
