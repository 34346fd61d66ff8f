"""What the guard knows of an account's subscriptions: what it did, and what proved it.

It is the memory of the watch :data:`REGISTRATION`. Times are seconds since 1970.
"""

import msgspec

REGISTRATION = "registration"
"""The kind of the one watch of an account that looks after its subscriptions."""


class Listed(msgspec.Struct, array_like=True, frozen=True):
    """A subscription as the provider listed it."""

    id: str
    topic: str
    url: str


class Call(msgspec.Struct, array_like=True, frozen=True):
    """A call of ours that makes the provider call us: from before it was made to its answer."""

    action: str
    began_at: float
    ended_at: float


class TopicRegistration(msgspec.Struct, array_like=True, frozen=True):
    """What was done for one topic.

    ``enabled_at`` is when it was last created or modified, which enables it; ``proven_at`` when
    something arrived that ``call`` explains. ``failures`` counts steps that failed in a row, after
    which the next is made no sooner than ``not_before``; ``recreations`` those in a row that did
    not help.
    """

    id: str | None = None
    call: Call | None = None
    enabled_at: float | None = None
    proven_at: float | None = None
    problem: str | None = None
    failures: int = 0
    not_before: float = 0.0
    recreations: int = 0


class Done(msgspec.Struct, array_like=True, frozen=True):
    """What became of an operator's order: the steps that were made, and what stood in the way."""

    order: str
    at: float
    steps: tuple[str, ...] = ()
    problem: str | None = None


class Registered(msgspec.Struct, array_like=True, frozen=True):
    """What is known of an account's subscriptions.

    ``listed`` is what the provider had at ``listed_at``, ours and others'. ``ours`` are the ids of
    those that we made or moved. ``suspected`` says since when a topic is probably disabled.
    ``swept_at`` is when everything was last read again because of a gap.
    """

    url: str = ""
    listed: tuple[Listed, ...] = ()
    listed_at: float | None = None
    topics: dict[str, TopicRegistration] = {}
    ours: tuple[str, ...] = ()
    suspected: dict[str, float] = {}
    swept_at: float | None = None
    problem: str | None = None
    done: tuple[Done, ...] = ()

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


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Registered)
