"""Registration at a sandbox that calls back: how its URL answers is the test's to say."""

from collections.abc import Callable

from handlers.exchange import Request, Response
from handlers.registration import Action, Step, Subscription
from handlers.sandbox import Callback, Notification
from tests.support.conversation import Answerer, converse
from tests.unit.smartpay.host import HOOK, Shop

OTHER = "https://elsewhere.example.com/hook"


def answering(
    shop: Shop, status: int | None = 200, seen: Callable[[Notification], None] = lambda _: None
) -> Answerer:
    """Let the sandbox answer, and whatever URL it calls meanwhile answer with ``status``."""

    def answer(request: Request) -> Response:
        shop.asked.append(request)
        answered = shop.sandbox.handle(request, shop.now)
        if isinstance(answered, Callback):
            seen(answered.notification)
            answered = answered.resume(status)
        return answered

    return answer


def listed(shop: Shop) -> tuple[Subscription, ...]:
    """Return what the account reads of its subscriptions."""
    return converse(shop.handler.registration.read(shop.session), answering(shop))


def carry_out(shop: Shop, step: Step, status: int | None = 200) -> str:
    """Carry a step out."""
    return converse(
        shop.handler.registration.carry_out(step, shop.session), answering(shop, status)
    )


def create(topic: str = "invoice/paid", url: str = HOOK) -> Step:
    """Return the step that subscribes a topic."""
    return Step(Action.CREATE, topic, url)


def step_on(action: Action, one: Subscription, url: str = "") -> Step:
    """Return a step on a subscription."""
    return Step(action, one.topic, url or one.url, one.id)
