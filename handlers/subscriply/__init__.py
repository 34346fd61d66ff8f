"""Subscriply: the transactions of one user's subscriptions, polled.

Source of all that is claimed about it: Subscriply's API documentation (``/api/v1``).
"""

from handlers.provider import Provider
from handlers.sandbox import Sandbox
from handlers.subscriply.handler import bind
from handlers.subscriply.settings import SubscriplySettings


def _sandbox() -> Sandbox:
    # A service never needs it: it is imported by whoever does.
    from handlers.subscriply.sandbox import SubscriplySandbox

    return SubscriplySandbox()


provider = Provider("subscriply", SubscriplySettings, bind, _sandbox)
"""The provider, as the entry point ``payevents.providers`` names it."""

__all__ = ["provider"]
