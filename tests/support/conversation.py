"""A host for conversations that has no sockets: whoever is given answers each request."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from handlers.exchange import CallFailed, Conversation, Request, Response

T = TypeVar("T")

Answerer: TypeAlias = Callable[[Request], Response | None]
"""Answers a request; None is a call that got no response."""


def converse(conversation: Conversation[T], answer: Answerer) -> T:
    """Run a conversation to its end, as the service's own host does, and return its result."""
    try:
        request = next(conversation)
        while True:
            response = answer(request)
            if response is None:
                request = conversation.throw(CallFailed("no answer in time"))
            else:
                request = conversation.send(response)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        conversation.close()


def script(*answers: Response | None) -> Answerer:
    """Return an answerer that gives each of ``answers`` once, in order, whatever is asked."""
    left = iter(answers)
    return lambda _: next(left)
