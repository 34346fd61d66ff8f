"""What fails again and again, told without flooding the log."""

import asyncio

import structlog

from receiver.kafka.rights import causes

_AGAIN_AFTER = 60.0
"""Seconds after which the same trouble is told once more."""


class Troubles:
    """The failures of one thing that starts again after each.

    One that comes at every start is logged as ``message`` when it is new, and once a minute then.
    """

    def __init__(self, log: structlog.stdlib.BoundLogger, message: str) -> None:
        self._log = log
        self._message = message
        self._told: tuple[type[BaseException], ...] = ()
        self._told_at = 0.0

    def met(self, error: Exception, *, expected: tuple[type[Exception], ...]) -> None:
        """Tell of a failure, with its traceback unless it is of an ``expected`` kind."""
        kinds, now = tuple(map(type, causes(error))), asyncio.get_running_loop().time()
        if kinds != self._told or now - self._told_at >= _AGAIN_AFTER:
            self._told, self._told_at = kinds, now
            unexpected = not isinstance(error, expected)
            self._log.warning(self._message, why=repr(error), exc_info=unexpected)
