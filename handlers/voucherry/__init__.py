"""Voucherry: transfers and requests of cherries, polled until they are confirmed.

Source of all that is claimed about it: Voucherry's API documentation (``/api/v1``).
"""

from handlers.provider import Provider
from handlers.sandbox import Sandbox
from handlers.voucherry.handler import bind
from handlers.voucherry.settings import VoucherrySettings


def _sandbox() -> Sandbox:
    # A service never needs it: it is imported by whoever does.
    from handlers.voucherry.sandbox import VoucherrySandbox

    return VoucherrySandbox()


provider = Provider("voucherry", VoucherrySettings, bind, _sandbox)
"""The provider, as the entry point ``payevents.providers`` names it."""

__all__ = ["provider"]
