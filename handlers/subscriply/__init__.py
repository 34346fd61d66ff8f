"""Subscriply: the transactions of one user's subscriptions, polled.

Source of all that is claimed about it: Subscriply's API documentation (``/api/v1``).
"""

from handlers.provider import Provider
from handlers.subscriply.handler import bind
from handlers.subscriply.sandbox import SubscriplySandbox
from handlers.subscriply.settings import SubscriplySettings

provider = Provider("subscriply", SubscriplySettings, bind, SubscriplySandbox)
"""The provider, as the entry point ``payevents.providers`` names it."""

__all__ = ["provider"]
