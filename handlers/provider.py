"""The provider protocol: what one folder of knowledge offers to the machine.

A provider is a :class:`Provider`, found by the entry point ``payevents.providers``. Bound to the
settings of one account it gives a :class:`Handler`; what a provider cannot do it leaves to the
defaults of :class:`BaseHandler`. All of it is pure: requests go out as values, responses come in
as values, the time is told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from config.account import AccountSettings
from handlers.exchange import Conversation
from handlers.fact import Claim, Fact, Interpretation
from handlers.jsontext import JsonObject
from handlers.observation import Observation
from handlers.registration import Registration
from handlers.sandbox import Sandbox
from handlers.watching import (
    RECONCILIATION,
    Discovery,
    Ending,
    LookedUp,
    Polled,
    Resource,
    Session,
    Watch,
)

__all__ = [
    "RECONCILIATION",
    "BadSignature",
    "BaseHandler",
    "Discovery",
    "Ending",
    "Handler",
    "LookedUp",
    "Polled",
    "Provider",
    "Resource",
    "Session",
    "Verified",
    "Watch",
]


class BadSignature(Exception):
    """The webhook is not signed with a key of this account. ``str()`` never holds a secret."""


class Verified(NamedTuple):
    """What is known of a webhook once its signature was found right.

    ``topic`` is the provider's word for it, as sent. ``signed_with`` names the key that signed it
    and tells nothing of it: :meth:`AccountSettings.signing_key_names` has the name for people.
    """

    topic: str
    signed_with: str


class Handler(Protocol):
    """One provider's knowledge, bound to one account."""

    @property
    def account(self) -> AccountSettings:
        """Return the account's settings."""

    @property
    def import_start(self) -> datetime | None:
        """Return the time before which the account's facts are history; None if none are."""

    def verify(self, headers: Mapping[str, str], body: bytes, received_at: datetime) -> Verified:
        """Return the webhook's topic, and which key signed it, if it is one of the account's.

        Header names are in lower case; ``body`` is raw; a key may hold only until some time.

        Raises:
            BadSignature: it is not, or the provider calls no webhooks.

        """

    def delivery_topic(self, headers: Mapping[str, str]) -> str | None:
        """Return the topic of a request that is the provider's by its headers; None if it is not.

        The provider may hold it against us if such a request is not answered with 200. Header names
        are in lower case. Anyone can write them: the topic is one of a few words. Never raises.
        """

    def inbox_key(self, topic: str, body: bytes) -> str:
        """Return the key that brings all observations of one resource to one partition.

        Never raises: what names no resource is keyed by its digest.
        """

    def interpret(self, observation: Observation) -> Interpretation:
        """Say which facts an observation asserts.

        Raises:
            Uninterpretable: it cannot become events.

        """

    def letter_topic(self, observation: Observation) -> str:
        """Return the observation's topic as the ids of its dead letters have it.

        Where anyone could write any topic, it is one of a few words: else whoever holds one signed
        body could make dead letters without end. Never raises.
        """

    def watches(self) -> Sequence[Watch]:
        """Return the watches that an account of this kind has from the beginning."""

    def watch(self, kind: str, id: str) -> Watch:  # noqa: A002 - the public API's word
        """Return the watch to register for a resource.

        Raises:
            ValueError: no such kind, or an id that could not be one; ``str()`` says which.

        """

    def watch_resource(self, resource: JsonObject, kind: str | None) -> Watch:
        """Return the watch to register for a resource as the provider returned it.

        Raises:
            ValueError: it is not this account's, or its URL is not exactly the resource's.

        """

    def reconciliation(self, since: datetime, until: datetime) -> Sequence[Watch]:
        """Return the watches that show, each read once, all that was created between two times.

        Their kind is :data:`RECONCILIATION`. What one of them leads to belongs to it: its id is
        that of the one asked for, with a slash and more behind it.

        Raises:
            ValueError: there is nothing to reconcile with; ``str()`` says what to do instead.

        """

    def poll(
        self, watch: Watch, age: timedelta, session: Session, memory: bytes = b""
    ) -> Conversation[Polled]:
        """Ask the provider for what is watched; ``age`` is how long it has been watched.

        ``memory`` is what the last look at it left behind, empty at the first.

        Raises:
            ProviderFailure: as its subclasses say.

        """

    def look_up(self, claims: Sequence[Claim], session: Session) -> Conversation[LookedUp]:
        """Ask the provider whether what webhooks claimed is so.

        Raises:
            ProviderFailure: as its subclasses say.

        """

    def can_look_up(self, claim: Claim) -> bool:
        """Tell whether the provider can be asked about this claim."""

    @property
    def registration(self) -> Registration | None:
        """Return how the provider is told where to call us; None if it calls nobody."""

    def announcing_topic(self, fact: Fact) -> str | None:
        """Return the topic whose webhook should have told of ``fact``; None if there is none."""


class BaseHandler:
    """The answers of a provider that calls no webhooks, polls nothing and looks nothing up."""

    def __init__(self, account: AccountSettings) -> None:
        self._account = account
        self._import_start = account.import_start()

    @property
    def account(self) -> AccountSettings:
        """Return the account's settings."""
        return self._account

    @property
    def import_start(self) -> datetime | None:
        """Return what the settings say."""
        return self._import_start

    def verify(
        self,
        headers: Mapping[str, str],  # noqa: ARG002
        body: bytes,  # noqa: ARG002
        received_at: datetime,  # noqa: ARG002
    ) -> Verified:
        """Refuse: nothing is signed for this account."""
        msg = f"{self._account.provider} sends no webhooks"
        raise BadSignature(msg)

    def delivery_topic(self, headers: Mapping[str, str]) -> str | None:  # noqa: ARG002
        """Return None: the provider sends no webhooks."""
        return None

    def letter_topic(self, observation: Observation) -> str:
        """Return the topic as it is: the name of a collection, or signed."""
        return observation.topic

    def watches(self) -> Sequence[Watch]:
        """Return no watches."""
        return ()

    def watch(self, kind: str, id: str) -> Watch:  # noqa: A002, ARG002
        """Refuse: nothing can be registered."""
        msg = f"watches cannot be registered for {self._account.provider}"
        raise ValueError(msg)

    def watch_resource(self, resource: JsonObject, kind: str | None) -> Watch:  # noqa: ARG002
        """Refuse: nothing can be registered."""
        msg = f"watches cannot be registered for {self._account.provider}"
        raise ValueError(msg)

    def reconciliation(self, since: datetime, until: datetime) -> Sequence[Watch]:  # noqa: ARG002
        """Refuse: either all is polled anyway, or only what is registered can be asked for."""
        provider = self._account.provider
        if self.watches():
            msg = f"{provider} is polled as a whole: the running poller finds whatever was missed"
        else:
            msg = f"{provider} has no listing: what was missed must be registered to be watched"
        raise ValueError(msg)

    def poll(
        self,
        watch: Watch,  # noqa: ARG002
        age: timedelta,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        memory: bytes = b"",  # noqa: ARG002
    ) -> Conversation[Polled]:
        """Show nothing, and end."""
        yield from ()
        return Polled(ending=Ending.DONE)

    def look_up(self, claims: Sequence[Claim], session: Session) -> Conversation[LookedUp]:  # noqa: ARG002
        """Bear nothing out."""
        yield from ()
        return LookedUp((), dict.fromkeys(claims, "the provider cannot be asked"))

    def can_look_up(self, claim: Claim) -> bool:  # noqa: ARG002
        """Answer that it cannot be asked."""
        return False

    @property
    def registration(self) -> Registration | None:
        """Return None: the provider calls nobody."""
        return None

    def announcing_topic(self, fact: Fact) -> str | None:  # noqa: ARG002
        """Return None: no webhook tells of anything."""
        return None


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: its name, what its accounts are set with, its knowledge and its stand-in."""

    name: str
    settings: type[AccountSettings]
    bind: Callable[[AccountSettings], Handler]
    sandbox: Callable[[], Sandbox]
