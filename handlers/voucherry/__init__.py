"""Voucherry: transfers and requests of cherries, polled until they are confirmed.

Source of all that is claimed about it: Voucherry's API documentation (``/api/v1``).
"""

from handlers.provider import Provider
from handlers.voucherry.handler import bind
from handlers.voucherry.sandbox import VoucherrySandbox
from handlers.voucherry.settings import VoucherrySettings

provider = Provider("voucherry", VoucherrySettings, bind, VoucherrySandbox)
"""The provider, as the entry point ``payevents.providers`` names it."""

__all__ = ["provider"]
