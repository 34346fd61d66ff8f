"""What the cluster does not let us do: its authorizer's refusals in words, and the remedy."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

_RIGHTS: Final[dict[type[KafkaError], tuple[str, str]]] = {
    TopicAuthorizationFailedError: ("topic", "Read, Write and Describe on it"),
    GroupAuthorizationFailedError: ("consumer group", "Read on it"),
    TransactionalIdAuthorizationFailed: ("transactional id", "Write on it"),
    ClusterAuthorizationFailedError: ("cluster", "Describe on it"),
}
"""What each refusal is about, and which right is missing there."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """What we may not do, and what to do about it."""

    why: str
    remedy: str


def forbidden(error: BaseException) -> Forbidden | None:
    """Return what was refused for want of a right, None if ``error`` has another cause."""
    for cause in causes(error):
        for kind, (thing, right) in _RIGHTS.items():
            if isinstance(cause, kind):
                name = f" {_name(cause)}" if cause.args else ""
                return Forbidden(
                    f"Kafka's authorizer keeps us from the {thing}{name}",
                    f"give the user {right}: see 'A secured cluster' in docs/operations.md",
                )
    return None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, the latest first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _name(refusal: BaseException) -> str:
    """Return what the refusal is about: aiokafka gives a name, or a set of them."""
    told = refusal.args[0]
    return ", ".join(sorted(map(str, told))) if isinstance(told, set | frozenset) else str(told)
