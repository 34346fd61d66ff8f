"""A stand-in for Subscriply that behaves as its documents say."""

from handlers.subscriply.sandbox.server import SubscriplySandbox

__all__ = ["SubscriplySandbox"]
