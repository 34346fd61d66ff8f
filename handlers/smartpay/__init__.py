"""SmartPay: signed webhooks about invoices and orders, and listings to look things up in.

Source of all that is claimed about it: SmartPay's API documents, versions 1-2 and 2-0, and what
its public shop plug-ins show of the bodies that arrive in the field.
"""

from handlers.provider import Provider
from handlers.smartpay.handler import bind
from handlers.smartpay.sandbox import SmartPaySandbox
from handlers.smartpay.settings import SmartPaySettings

provider = Provider("smartpay", SmartPaySettings, bind, SmartPaySandbox)
"""The provider, as the entry point ``payevents.providers`` names it."""

__all__ = ["provider"]
