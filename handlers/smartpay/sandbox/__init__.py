"""A stand-in for SmartPay that behaves as its documents say."""

from handlers.smartpay.sandbox.site import SmartPaySandbox
from handlers.smartpay.sandbox.strictness import Strictness, Twenty

__all__ = ["SmartPaySandbox", "Strictness", "Twenty"]
