"""A guard, the sandbox that it looks after, and a receiver that tells what arrived."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec

from config.account import AccountSettings
from handlers.exchange import CallFailed, Request, Response
from handlers.provider import BadSignature
from handlers.sandbox import Callback, Notification
from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.sandbox import SmartPaySandbox, Strictness
from handlers.smartpay.settings import SmartPaySettings
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.polling.account import AccountPolling
from receiver.polling.budget import Budget
from receiver.polling.caller import Caller
from receiver.polling.guard import Guard, Look, Seen
from receiver.registration.registered import Registered
from receiver.registration.signs import Failure, Missed, Order
from receiver.registration.situation import Situation
from receiver.registration.vitals import TopicVitals, Vitals

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
PUBLIC_URL = "https://pay.example.com"
HOOK = f"{PUBLIC_URL}/webhooks/shop"
ELSEWHERE = "https://other.example.com/hook"
UP, DOWN, DEAF = 200, 503, None


class SandboxCaller(Caller):
    """Asks the stage's sandbox instead of the network."""

    def __init__(self, stage: "Stage") -> None:
        super().__init__(Metrics(stage.alarms), stage.clock, max_response=1, concurrency=1)
        self._stage = stage

    async def _call(self, account: AccountSettings, request: Request, budget: Budget) -> Response:  # noqa: ARG002
        return self._stage.answer(request)


@dataclass
class Stage:
    """Everything around one account "shop" that the guard sees. Time passes only when told.

    ``status`` is what the receiver answers, None for nothing; ``heard`` is whether it tells of
    what arrives. ``asked`` is every call but signing in.
    """

    version: str = "1-2"
    strictness: Strictness = field(default_factory=Strictness)
    managed: bool = True
    public_url: str | None = PUBLIC_URL
    now: datetime = START
    status: int | None = UP
    heard: bool = True
    unreachable: str | None = None
    answers_lost: bool = False
    sweeps: int = 0
    gap: float | None = None
    reaches: int = 0
    vitals: Vitals = field(default_factory=Vitals)
    registered: Registered = field(default_factory=Registered)
    asked: list[str] = field(default_factory=list)
    calls_of_us: list[Notification] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sandbox = SmartPaySandbox(self.strictness)
        self.alarms = Alarms(self.clock)
        self.handler = SmartPayHandler(self.settings())
        self.account = AccountPolling(self.handler, self.clock, self.alarms, Random(1))
        self.guard = Guard(SandboxCaller(self), self.clock, self.public_url, self._reach)

    def settings(self, **changed: Any) -> SmartPaySettings:
        """Return the account's settings, but for what is ``changed``."""
        given = self.sandbox.account("shop", "http://127.0.0.1:1")
        mine = {"api_version": self.version, "manage_webhooks": self.managed}
        secrets = {
            "api_key": given.api_key.get_secret_value(),
            "iframe_key": "sandbox-iframe-key",
        }
        return SmartPaySettings.model_validate({**given.model_dump(), **secrets, **mine, **changed})

    def clock(self) -> datetime:
        """Return the time."""
        return self.now

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def cause(self, control: str, **arguments: str) -> Any:
        """Run one of the sandbox's controls, and return what it shows."""
        return self.sandbox.controls[control].run(arguments, self.now)

    def answer(self, request: Request) -> Response:
        """Be the sandbox, which may call the receiver first."""
        if not request.path.endswith("authenticate"):
            self.asked.append(f"{request.method} {request.path.split('/', 2)[2]}")
        self.wait(seconds=1)
        answer = self.sandbox.handle(request, self.now)
        while isinstance(answer, Callback):
            answer = answer.resume(self.receive(answer.notification))
        if self.answers_lost and not request.path.endswith("authenticate"):
            raise CallFailed("the answer was lost")
        return answer

    def receive(self, notification: Notification) -> int | None:
        """Be the receiver and the router: verify, tell what answers us, and answer."""
        self.calls_of_us.append(notification)
        if notification.url != self.guard.url("shop"):
            return UP
        if self.status != UP:
            return self.status
        try:
            self.handler.verify(notification.headers, notification.body, self.now)
        except BadSignature:
            return 401
        if self.heard:
            self.arrive()
        return UP

    def arrive(self) -> None:
        """Have something arrived that a provider sends when told to, or that was sent again."""
        arrivals = (*self.vitals.arrivals, self.now.timestamp())
        self.vitals = msgspec.structs.replace(self.vitals, arrivals=arrivals)

    def deliver(self) -> None:
        """Deliver what the sandbox has to deliver now."""
        for notification in self.sandbox.due(self.now):
            self.sandbox.answered(notification.id, self.receive(notification), self.now)

    def miss(self, topic: str, *, ago: float = 0.0, since: float | None = 0.0) -> None:
        """Have a reconciliation find what the webhooks of ``topic`` never told.

        It found it ``ago`` seconds ago; it happened no more than ``since`` seconds before that.
        """
        at = self.now.timestamp() - ago
        happened = None if since is None else at - since
        known = self.vitals.topics.get(topic, TopicVitals())
        missed = Missed(f"fact-{len(known.missed)}", topic, "invoice/1", happened, at)
        self._set(topic, msgspec.structs.replace(known, missed=(*known.missed, missed)))

    def fail(self, topic: str) -> None:
        """Have a notification of ``topic`` been refused now."""
        known = self.vitals.topics.get(topic, TopicVitals())
        failure = Failure(topic, 503, "not durable", self.now.timestamp(), "request", "digest")
        self._set(topic, msgspec.structs.replace(known, failures=(*known.failures, failure)))

    def live(self, topic: str) -> None:
        """Have a webhook of ``topic`` told something new."""
        known = self.vitals.topics.get(topic, TopicVitals())
        self._set(topic, msgspec.structs.replace(known, alive_at=self.now.timestamp()))

    def order(self, what: str, **changed: Any) -> Order:
        """Have an operator ask for something."""
        given = Order("shop", f"order-{len(self.vitals.orders)}", what, self.now.timestamp())
        order = msgspec.structs.replace(given, **changed)
        self.vitals = msgspec.structs.replace(self.vitals, orders=(*self.vitals.orders, order))
        return order

    async def look(self) -> Look:
        """Have the guard make one visit."""
        remembered = Registered.decode(self.registered.encode())
        look = await self.guard.visit(self.account, Seen(remembered, self.vitals, self.gap))
        self.gap = None
        self.registered = look.registered
        self.sweeps += look.sweeps
        return look

    async def settle(self, most: int = 60) -> Look:
        """Have the guard make visits until it rests; the last one is returned."""
        for _ in range(most):
            look = await self.look()
            if look.next_at > self.now.timestamp():
                return look
        raise AssertionError(f"after {most} visits the guard still does not rest: {self.asked}")

    def situation(self) -> Situation:
        """Return what there is to be judged now."""
        return Situation(
            self.handler.registration,
            self.registered,
            self.vitals,
            self.guard.url("shop"),
            self.now.timestamp(),
        )

    def webhooks(self) -> dict[str, str]:
        """Return where the sandbox's topics lead."""
        return {one["topic"]: one["url"] for one in self.cause("webhooks")}

    def proven(self) -> set[str]:
        """Return the topics that are proven."""
        return {t for t, one in self.registered.topics.items() if one.proven_at is not None}

    def made(self, *endpoints: str) -> list[str]:
        """Return the calls asked so far to these endpoints, listings left out by default."""
        return [call for call in self.asked if not endpoints or call.split(" ")[1] in endpoints]

    def _set(self, topic: str, known: TopicVitals) -> None:
        topics = {**self.vitals.topics, topic: known}
        self.vitals = msgspec.structs.replace(self.vitals, topics=topics)

    async def _reach(self, _: str) -> str | None:
        self.reaches += 1
        return self.unreachable


def names(worries: Iterable[Any]) -> set[str]:
    """Return the codes of worries."""
    return {worry.code for worry in worries}
