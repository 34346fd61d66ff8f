"""The sandbox protocol: a provider's stand-in, as a pure state machine that one host serves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from config.account import AccountSettings
from handlers.exchange import Request, Response
from handlers.jsontext import Json


@dataclass(frozen=True, slots=True)
class Notification:
    """A webhook that the sandbox wants delivered to ``url`` by POST.

    An answer that does not come ``within`` is none; how long that is may be left to the host.
    """

    id: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """An answer that waits for a notification: SmartPay calls a new webhook before it accepts it.

    ``resume`` takes the status that the notification got, None if nothing answered in time.
    """

    notification: Notification
    resume: Callable[[int | None], Response]


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that a person can make the sandbox do, for demos and tests.

    ``run`` takes the arguments by name, as text, and the time; it returns what to show.
    """

    help: str
    run: Callable[[Mapping[str, str], datetime], Json]
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a sandbox's story: ``at`` seconds after its beginning, cause something.

    With ``watch``, what the control shows is a resource that its creator registers to be watched.
    """

    at: float
    control: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    watch: bool = False


class Sandbox(Protocol):
    """A provider's stand-in. It is as strict and as unkind as the provider's documents say."""

    def handle(self, request: Request, now: datetime) -> Response | Callback:
        """Answer one request to the provider's API."""

    def due(self, now: datetime) -> Sequence[Notification]:
        """Return the notifications to be delivered now, each once until it is answered."""

    def answered(self, notification_id: str, status: int | None, now: datetime) -> None:
        """Tell what a notification got: its HTTP status, None if nothing answered in time."""

    @property
    def controls(self) -> Mapping[str, Control]:
        """Return what can be caused here, by name."""

    @property
    def story(self) -> Sequence[Step]:
        """Return a story that shows every kind of event of this provider, in order of time.

        Each state lasts for some two seconds, so that polling once a second sees it.
        """

    def account(self, name: str, base_url: str) -> AccountSettings:
        """Return the settings of an account that the sandbox accepts when served at the URL."""

    def subscribe(self, url: str) -> None:
        """Send all notifications to ``url`` from now on; a provider without webhooks ignores it."""

    def caused(self, account: str) -> frozenset[UUID]:
        """Return the ids of the facts that the provider has told of ``account`` so far.

        Told means: in a notification that was answered 200, or in an answer of the API.
        """
