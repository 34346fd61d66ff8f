"""What is watched at a provider, and what looking there showed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from handlers.fact import Claim
from handlers.observation import Origin
from handlers.resource import encode

RECONCILIATION = "reconciliation"
"""The kind of a watch that reads a listing once: see :meth:`Handler.reconciliation`."""


class Watch(msgspec.Struct, frozen=True, gc=False):
    """Something to be asked for again and again: ``kind`` is the provider's word for it."""

    account: str
    kind: str
    id: str

    @property
    def key(self) -> str:
        """Return the name of the watch, for example ``cherries/cherries_requests/123``."""
        return f"{self.account}/{self.kind}/{encode(self.id)}"


@dataclass(slots=True)
class Session:
    """What an account keeps between calls: a token and when it ends.

    For the next replica the host keeps the token encrypted, if the account has strong credentials
    (:meth:`AccountSettings.has_strong_credentials`); else it is in memory only.

    ``now`` is the host's clock, for conversations that must know whether the token still lives.
    ``warnings`` is what the provider warned of beside its answers (a version about to retire), for
    the host to report; each text is there once.
    """

    now: Callable[[], datetime]
    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    warnings: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Drop the token, so that the next conversation signs in again."""
        self.token = self.expires_at = None


class Resource(msgspec.Struct, frozen=True, gc=False):
    """One resource as a provider's API returned it; ``topic`` is the collection it came from."""

    topic: str
    body: bytes


class Ending:
    """Why a watch ends by itself."""

    DONE = "done"
    """The resource reached its terminal state."""
    GONE = "gone"
    """The provider does not know it (404)."""
    STALLED = "stalled"
    """It never reached its terminal state while it was watched."""


class Discovery(msgspec.Struct, frozen=True, gc=False):
    """A watch that another watch found, and how slowly it may go (see :attr:`Polled.pace`)."""

    watch: Watch
    pace: float = 1.0


class Polled(msgspec.Struct, frozen=True):
    """What a watch showed: its resources as they are now, changed or not; the host compares.

    ``status`` is the provider's word, for people. ``pace`` multiplies the account's
    ``poll_interval`` until the next look; None leaves it as it was. ``origin`` is what the
    observations of the resources bear. ``memory`` is what the next look at the same watch is given,
    a few hundred bytes at most; None leaves it as it was. ``news_since`` says of all that the
    resources show for the first time that it happened no earlier, and ``created_before`` of the
    resources that they came into being before then; None if nobody can say.
    """

    resources: tuple[Resource, ...] = ()
    discovered: tuple[Discovery, ...] = ()
    status: str | None = None
    pace: float | None = None
    ending: str | None = None
    origin: Origin = Origin.POLL
    memory: bytes | None = None
    news_since: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a look-up found: every row it read, and for each claim not borne out, why not."""

    resources: tuple[Resource, ...]
    refuted: Mapping[Claim, str]
