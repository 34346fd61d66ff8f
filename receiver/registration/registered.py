"""What the guard knows of an account's subscriptions: what it did, and what proved it.

It is the memory of the watch :data:`REGISTRATION`. Times are seconds since 1970.
"""

from collections.abc import Sequence

import msgspec

REGISTRATION = "registration"
"""The kind of the one watch of an account that looks after its subscriptions."""


PROBE = "probe"
"""The action of a call for a test notification that nobody ordered."""

_TESTS_COUNT_FOR = 14 * 24 * 3600.0
"""Seconds for which a test that arrived tells that tests do: a quiet topic has one a week."""


class Listed(msgspec.Struct, array_like=True, frozen=True):
    """A subscription as the provider listed it."""

    id: str
    topic: str
    url: str


class Call(msgspec.Struct, array_like=True, frozen=True):
    """A call of ours that makes the provider call us: from before it was made to its answer.

    ``action`` is the step's, or :data:`PROBE`.
    """

    action: str
    began_at: float
    ended_at: float


class TopicRegistration(msgspec.Struct, array_like=True, frozen=True):
    """What was done for one topic.

    ``enabled_at`` is since when its webhooks should arrive here, as far as we know. ``call`` waits
    for the arrival that proves it; ``proven_at`` is when the last one came. ``problem`` is why the
    last step failed, after ``failures`` in a row; the next is made no sooner than ``not_before``.
    ``order`` is the last order for which a step was made, whatever came of it.

    ``is_renewed`` says that it is being deleted and created anew, from before the one to after the
    other, whoever goes on with it. ``renewals`` counts those since it was last well for long, and
    ``blamed_since`` is since when something is missed that it should have announced.

    ``probed_at`` is when a test was last asked for that nobody ordered, whatever came of it, and
    ``heard_at`` when any test last arrived. ``unheard_at`` is when a probe was given up: the topic
    is doubted until something else that we cause arrives, and taken for disabled from then on.
    """

    id: str | None = None
    enabled_at: float | None = None
    call: Call | None = None
    proven_at: float | None = None
    problem: str | None = None
    failures: int = 0
    not_before: float = 0.0
    order: str | None = None
    is_renewed: bool = False
    renewals: int = 0
    blamed_since: float | None = None
    probed_at: float | None = None
    heard_at: float | None = None
    unheard_at: float | None = None

    @property
    def is_doubted(self) -> bool:
        """Tell whether a probe was given up, and nothing else was seen to arrive since."""
        return self.unheard_at is not None and self.proven_at is None

    @property
    def is_silent(self) -> bool:
        """Tell whether a probe was given up although something else arrives."""
        return self.unheard_at is not None and self.proven_at is not None


class Made(msgspec.Struct, array_like=True, frozen=True):
    """A step that was made, for people."""

    at: float
    told: str


class Done(msgspec.Struct, array_like=True, frozen=True):
    """What became of an operator's order: the steps that were made, and what stood in the way."""

    order: str
    at: float
    steps: tuple[str, ...] = ()
    problem: str | None = None


class Registered(msgspec.Struct, array_like=True, frozen=True):
    """What is known of an account's subscriptions.

    ``url`` is where they should lead. ``listed`` is what the provider had at ``listed_at``, ours
    and others', and what was changed since. ``ours`` are the ids of those that we made or moved.
    ``unreachable`` says why our own URL could not be reached when a step was to be made, for the
    ``unreached``-th time in a row; nothing is tried before ``reach_at``.
    ``looked_at`` is when the guard last did its work, ``swept_at`` when it last had everything read
    again. ``explained`` are the latest arrivals that proved something: each proves one thing only.
    ``made`` are its latest steps, ``done`` the latest orders, and ``listed_for`` the last order for
    which the listing was read. ``is_unswept`` says that a topic became suspect and that not
    everything was read again since; ``suspicions`` counts how often in a row it was because of one.
    ``taken_over_at`` is when whoever has the account looked for the first time.
    """

    url: str = ""
    listed: tuple[Listed, ...] = ()
    listed_at: float | None = None
    topics: dict[str, TopicRegistration] = {}
    ours: tuple[str, ...] = ()
    unreachable: str | None = None
    unreached: int = 0
    reach_at: float = 0.0
    looked_at: float | None = None
    swept_at: float | None = None
    explained: tuple[float, ...] = ()
    made: tuple[Made, ...] = ()
    done: tuple[Done, ...] = ()
    listed_for: str | None = None
    is_unswept: bool = False
    suspicions: int = 0
    taken_over_at: float | None = None

    def tests_arrive(self, now: float) -> bool:
        """Tell whether a test notification of any topic was seen to arrive in the last two weeks.

        What was seen may have been an old body that somebody sent again.
        """
        heard = (one.heard_at for one in self.topics.values())
        return any(at is not None and at > now - _TESTS_COUNT_FOR for at in heard)

    def with_topic(self, topic: str, one: TopicRegistration) -> "Registered":
        """Return it with what is known of one topic replaced."""
        return msgspec.structs.replace(self, topics={**self.topics, topic: one})

    def of(self, topic: str) -> TopicRegistration:
        """Return what was done for a topic, nothing if it is not known."""
        return self.topics.get(topic, TopicRegistration())

    def encode(self) -> bytes:
        """Return it as the watch remembers it."""
        return _encoder.encode(self)

    @staticmethod
    def decode(raw: bytes) -> "Registered":
        """Return what a watch remembers, nothing where it never looked.

        Raises:
            msgspec.MsgspecError: it is something else.
        """
        return _decoder.decode(raw) if raw else Registered()


def told(registered: Registered, topics: Sequence[str]) -> str:
    """Return in a few words how the registration stands."""
    if registered.listed_at is None:
        return "not looked at"
    present = [topic for topic in topics if registered.of(topic).id is not None]
    proven = [topic for topic in present if registered.of(topic).proven_at is not None]
    return f"{len(present)} of {len(topics)} registered, {len(proven)} proven"


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Registered)
