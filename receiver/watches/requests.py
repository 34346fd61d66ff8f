"""What travels to the poller: requests to start and stop watches, look-ups, and signs."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from handlers.fact import Claim
from handlers.observation import Observation
from handlers.provider import Watch
from handlers.resource import encode
from receiver.kafka.clients import Record, partition_for
from receiver.registration.signs import Announced, Sign

LOOK_UP = "look-up"
"""The kind of a one-shot watch that asks the provider whether a claim is so."""


class Original(msgspec.Struct, frozen=True):
    """The observation that made a claim, kept until the provider has been asked."""

    key: str
    headers: list[tuple[str, bytes]]
    body: bytes

    @classmethod
    def of(cls, key: str, observation: Observation) -> "Original":
        """Return ``observation``, as it stood in the inbox under ``key``."""
        return cls(key, observation.headers(), observation.body)

    def observation(self) -> Observation:
        """Return the observation."""
        return Observation.from_record(self.headers, self.body)

    def repeats(self, other: "Original") -> bool:
        """Tell whether it says the same: a delivery made twice has the same bytes and topic."""
        return self.body == other.body and self.said == other.said

    @property
    def said(self) -> tuple[str, str, str | None]:
        """Return its key, its topic, and the dead letter that it was."""
        observation = self.observation()
        return self.key, observation.topic, observation.letter_id


class _OfResource(msgspec.Struct, frozen=True):
    account: str
    kind: str
    id: str

    @property
    def watch(self) -> Watch:
        """Return the watch."""
        return Watch(self.account, self.kind, self.id)

    @property
    def key(self) -> str:
        """Return the key of the watch."""
        return self.watch.key


class StartWatch(_OfResource, tag="start", frozen=True):
    """Ask for a resource again and again, until it reaches its terminal state.

    ``since`` is when the watch began, in seconds since 1970; None is now.
    """

    since: float | None = None


class StopWatch(_OfResource, tag="stop", frozen=True):
    """Ask no more."""


class LookUp(msgspec.Struct, tag="look-up", frozen=True):
    """Ask once whether a claim is so."""

    account: str
    claim: Claim
    original: Original

    @property
    def watch(self) -> Watch:
        """Return the watch, one and the same for all who claim the same."""
        claim = self.claim
        parts = [claim.kind, claim.action, claim.known_by, claim.id]
        if claim.fact is not None and claim.fact.resource.test:
            parts.append("test")
        return Watch(self.account, LOOK_UP, "/".join(map(encode, parts)))

    @property
    def key(self) -> str:
        """Return the key of the watch."""
        return self.watch.key


WatchRequest = StartWatch | StopWatch | LookUp
Request = WatchRequest | Sign
"""All that travels to the poller."""

SIGNS_OF_LIFE = b"signs-of-life"
"""The key of a record that several accounts' signs of life share."""

_MOST_TOGETHER = 100
"""Signs in one record: a few milliseconds' work for a poller."""

_MOST_ACCOUNTS = 10_000
"""Accounts whose partition is remembered: those of a large service all have signs all the time."""

_decoder: msgspec.json.Decoder[Request | tuple[Announced, ...]] = msgspec.json.Decoder(
    Request | tuple[Announced, ...]
)


def to_record(request: Request) -> Record:
    """Return the record of ``request``, keyed by its watch, or by the account it is a sign of."""
    return Record(request.key.encode(), msgspec.json.encode(request))


def together(signs: Sequence[Announced]) -> Iterator[Record]:
    """Yield the records of signs of life that go to one partition, a hundred in each at most.

    Where accounts are many, every other observation has such a sign: a record each would be dear.
    """
    for first in range(0, len(signs), _MOST_TOGETHER):
        yield Record(SIGNS_OF_LIFE, msgspec.json.encode(signs[first : first + _MOST_TOGETHER]))


def from_value(value: bytes) -> Sequence[Request]:
    """Return what is in a record: one request, or the signs of life that share it.

    Raises:
        msgspec.MsgspecError: it is neither.
    """
    found = _decoder.decode(value)
    return found if isinstance(found, tuple) else (found,)


def partition_key(account: str) -> bytes:
    """Return what decides a watch's partition: its account, so that one shard has all of it."""
    return account.encode()


@lru_cache(_MOST_ACCOUNTS)
def home_of(account: str, partitions: int) -> int:
    """Return the partition that all of an account's requests go to, among so many."""
    return partition_for(partition_key(account), partitions)
