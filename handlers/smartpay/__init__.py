"""SmartPay: signed webhooks about invoices and orders, and listings to look things up in.

Source of all that is claimed about it: SmartPay's API documents, versions 1-2 and 2-0, and what
its public shop plug-ins show of the bodies that arrive in the field.
"""

from handlers.provider import Provider
from handlers.sandbox import Sandbox
from handlers.smartpay.handler import bind
from handlers.smartpay.settings import SmartPaySettings


def _sandbox() -> Sandbox:
    # A service never needs it: it is imported by whoever does.
    from handlers.smartpay.sandbox import SmartPaySandbox

    return SmartPaySandbox()


provider = Provider("smartpay", SmartPaySettings, bind, _sandbox)
"""The provider, as the entry point ``payevents.providers`` names it."""

__all__ = ["provider"]
