"""An account at a Subscriply sandbox, and what its observations are read as."""

from datetime import UTC, datetime, timedelta

from handlers.exchange import Conversation, Request, Response
from handlers.fact import Reading
from handlers.jsontext import Json, JsonObject, compact
from handlers.observation import Observation, Origin
from handlers.provider import Polled, Session, Watch
from handlers.subscriply.handler import SubscriplyHandler
from handlers.subscriply.sandbox.server import Collections, SubscriplySandbox
from handlers.subscriply.settings import SubscriplySettings
from tests.support.conversation import converse

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
BASE_URL = "http://127.0.0.1:8080/api/v1"
ROOT = Watch("members", "subscriptions", "all")


class Members:
    """The account "members" at a sandbox; ``requests`` is all that was asked there."""

    def __init__(self, collections: Collections = Collections.ROOTED) -> None:
        self.sandbox = SubscriplySandbox(collections)
        self.settings = self.sandbox.account("members", BASE_URL)
        self.handler = SubscriplyHandler(self.settings)
        self.session = Session(lambda: NOW)
        self.requests: list[Request] = []

    def cause(self, control: str, **arguments: str) -> JsonObject:
        """Run one of the sandbox's controls, and return the resource it shows."""
        shown = self.sandbox.controls[control].run(arguments, NOW)
        assert isinstance(shown, dict)
        return shown

    def handle(self, request: Request) -> Response:
        """Let the sandbox answer, and keep the request."""
        self.requests.append(request)
        return self.sandbox.handle(request, NOW)

    def start(self, watch: Watch) -> Conversation[Polled]:
        """Return the conversation of one poll, not yet begun."""
        return self.handler.poll(watch, timedelta(), self.session)

    def poll(self, watch: Watch) -> Polled:
        """Poll once at the sandbox."""
        return converse(self.start(watch), self.handle)

    def paths(self) -> list[str]:
        """Return the paths asked for so far."""
        return [request.path for request in self.requests]


def transactions(subscription: Json) -> Watch:
    """Return the watch on a subscription's transactions."""
    return Watch("members", "transactions", str(subscription))


def observed(body: Json, topic: str = "transactions") -> Observation:
    """Return what a poll that showed ``body`` puts into the inbox."""
    return Observation("members", Origin.POLL, topic, NOW, compact(body))


def settings(**changed: object) -> SubscriplySettings:
    """Return good settings, but for what is ``changed``."""
    given = {
        "name": "members",
        "base_url": BASE_URL,
        "email": "ada@example.com",
        "password": "hunter2",
        "currency": "USD",
    }
    return SubscriplySettings.model_validate({**given, **changed})


def reading(body: Json) -> Reading:
    """Return what the transaction ``body`` is read as."""
    found = SubscriplyHandler(settings()).interpret(observed(body)).reading
    assert found is not None
    return found
