"""A stand-in for Voucherry that behaves as its documents say."""

from handlers.voucherry.sandbox.server import VoucherrySandbox

__all__ = ["VoucherrySandbox"]
