"""A host without sockets for SmartPay: a sandbox or a script answers each request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from handlers.exchange import Conversation, Request, Response
from handlers.fact import Claim, Interpretation
from handlers.jsontext import compact
from handlers.observation import Observation, Origin
from handlers.provider import LookedUp, Session
from handlers.sandbox import Callback, Notification
from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.sandbox import SmartPaySandbox, Strictness
from handlers.smartpay.sandbox.access import API_KEY, IFRAME_KEY
from handlers.smartpay.settings import SmartPaySettings
from handlers.smartpay.signature import TOPIC_HEADER

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
BASE_URL = "http://127.0.0.1:8080"
HOOK = "https://pay.example.com/webhooks/shop"

T = TypeVar("T")
Answer = Callable[[Request], Response]


def settings(**changed: Any) -> SmartPaySettings:
    """Return good settings, but for what is ``changed``."""
    given = {"name": "shop", "api_key": API_KEY, "iframe_key": IFRAME_KEY, **changed}
    return SmartPaySettings.model_validate(given)


def handler(**changed: Any) -> SmartPayHandler:
    """Return a handler with good settings, but for what is ``changed``."""
    return SmartPayHandler(settings(**changed))


def observed(
    body: Any, topic: str = "invoice/created", origin: Origin = Origin.WEBHOOK
) -> Observation:
    """Return the observation of a body."""
    raw = body if isinstance(body, bytes) else compact(body)
    return Observation("shop", origin, topic, NOW, raw)


def interpreted(body: Any, topic: str = "invoice/created", **changed: Any) -> Interpretation:
    """Return what the account "shop" makes of a webhook."""
    return handler(**changed).interpret(observed(body, topic))


def actions(said: Interpretation) -> list[str]:
    """Return the actions that the reading asserts, in the natural order."""
    assert said.reading is not None
    return [fact.action for fact in sorted(said.reading.facts, key=lambda fact: fact.order_key)]


def converse(conversation: Conversation[T], answer: Answer) -> T:
    """Run a conversation to its end."""
    try:
        request = next(conversation)
        while True:
            request = conversation.send(answer(request))
    except StopIteration as end:
        result: T = end.value
        return result


def script(*answers: Any) -> Answer:
    """Return an answerer that gives each of ``answers`` once, in order."""
    left = iter(answers)

    def answer(request: Request) -> Response:  # noqa: ARG001 - whatever is asked
        given = next(left)
        return given if isinstance(given, Response) else Response.json(200, given)

    return answer


@dataclass
class Shop:
    """The account "shop" at a sandbox; ``asked`` is every request that was made there."""

    version: str = "1-2"
    strictness: Strictness = field(default_factory=Strictness)
    now: datetime = NOW
    asked: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sandbox = SmartPaySandbox(self.strictness)
        account = self.sandbox.account("shop", BASE_URL)
        self.settings = account.model_copy(update={"api_version": self.version})
        self.handler = SmartPayHandler(self.settings)
        self.session = Session(lambda: self.now)

    def cause(self, control: str, **arguments: str) -> Any:
        """Run one of the sandbox's controls, and return what it shows."""
        return self.sandbox.controls[control].run(arguments, self.now)

    def ask(self, request: Request) -> Response:
        """Let the sandbox answer, and keep the request."""
        self.asked.append(request)
        answer = self.sandbox.handle(request, self.now)
        assert isinstance(answer, Response)
        return answer

    def call_back(self, request: Request) -> Callback:
        """Make a request that the sandbox only answers after a call to the webhook."""
        answer = self.sandbox.handle(request, self.now)
        assert isinstance(answer, Callback)
        return answer

    def look_up(self, *claims: Claim) -> LookedUp:
        """Look claims up."""
        return converse(self.handler.look_up(claims, self.session), self.ask)

    def endpoints(self) -> list[str]:
        """Return the endpoints asked so far, without the version."""
        return [request.path.split("/", 2)[2].removeprefix("get_") for request in self.asked]

    def deliver(self, status: int | None = 200) -> list[Notification]:
        """Deliver what is due, and answer all of it alike."""
        due = list(self.sandbox.due(self.now))
        for notification in due:
            self.sandbox.answered(notification.id, status, self.now)
        return due

    def read(self, notification: Notification) -> Interpretation:
        """Verify and read a notification."""
        topic, _ = self.handler.verify(notification.headers, notification.body, self.now)
        assert topic == notification.headers[TOPIC_HEADER]
        return self.handler.interpret(observed(notification.body, topic))

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)
