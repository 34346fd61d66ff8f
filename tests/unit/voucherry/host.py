"""A host for conversations that has no sockets: the sandbox or a given answer serves a poll."""

from datetime import UTC, datetime, timedelta

from handlers.exchange import Conversation, Request, Response
from handlers.fact import Reading
from handlers.jsontext import Json, JsonObject, compact
from handlers.observation import Observation, Origin
from handlers.provider import Polled, Session, Watch
from handlers.voucherry.handler import VoucherryHandler
from handlers.voucherry.sandbox import VoucherrySandbox
from handlers.voucherry.settings import VoucherrySettings

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
BASE_URL = "http://127.0.0.1:8080/api/v1"
YOUNG = timedelta()


class Cherries:
    """The account "cherries" at a sandbox; ``requests`` is all that was asked there."""

    def __init__(self) -> None:
        self.sandbox = VoucherrySandbox()
        self.settings = self.sandbox.account("cherries", BASE_URL)
        self.handler = VoucherryHandler(self.settings)
        self.requests: list[Request] = []

    def cause(self, control: str, **arguments: str) -> JsonObject:
        """Run one of the sandbox's controls, and return the resource it shows."""
        shown = self.sandbox.controls[control].run(arguments, NOW)
        assert isinstance(shown, dict)
        return shown

    def poll(self, watch: Watch, age: timedelta = YOUNG) -> Polled:
        """Poll once at the sandbox."""
        conversation = start(self.handler, watch, age)
        request = next(conversation)
        self.requests.append(request)
        return finish(conversation, self.sandbox.handle(request, NOW))


def start(handler: VoucherryHandler, watch: Watch, age: timedelta = YOUNG) -> Conversation[Polled]:
    """Return the conversation of one poll, not yet begun."""
    return handler.poll(watch, age, Session(lambda: NOW))


def finish(conversation: Conversation[Polled], response: Response) -> Polled:
    """Give the only answer of a conversation, and return what it comes to."""
    try:
        conversation.send(response)
    except StopIteration as end:
        polled: Polled = end.value
        return polled
    raise AssertionError("a second request was made")


def answered(response: Response, watch: Watch, age: timedelta = YOUNG) -> Polled:
    """Return what a poll makes of one answer."""
    conversation = start(VoucherryHandler(settings()), watch, age)
    next(conversation)
    return finish(conversation, response)


def settings(**changed: object) -> VoucherrySettings:
    """Return good settings, but for what is ``changed``."""
    given = {"name": "cherries", "base_url": BASE_URL, "auth_token": "s3cret"}
    return VoucherrySettings.model_validate({**given, **changed})


def observed(body: Json, topic: str) -> Observation:
    """Return what a poll that showed ``body`` puts into the inbox."""
    return Observation("cherries", Origin.POLL, topic, NOW, compact(body))


def reading(body: Json, topic: str) -> Reading:
    """Return what ``body``, from the collection ``topic``, is read as."""
    found = VoucherryHandler(settings()).interpret(observed(body, topic)).reading
    assert found is not None
    return found
