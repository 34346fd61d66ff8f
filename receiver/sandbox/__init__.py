"""The one host of all sandboxes: it serves a provider's stand-in over real HTTP."""

from receiver.sandbox.host import SandboxHost

__all__ = ["SandboxHost"]
