"""The command ``payevents``."""

from receiver.cli.app import main

__all__ = ["main"]
