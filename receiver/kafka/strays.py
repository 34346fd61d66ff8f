"""Cancellations that are nobody's: aiokafka cancels connections that others still wait for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError


class WaitedInVain(KafkaError):  # type: ignore[misc]  # aiokafka is untyped
    """What was waited for was cancelled, and not whoever waited."""


def is_cancelled() -> bool:
    """Tell whether the current task was asked to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def end_if_cancelled() -> None:
    """End here if the current task was asked to end, and aiokafka kept that to itself.

    It suppresses CancelledError where it waits for tasks of its own that it has cancelled.
    """
    if is_cancelled():
        raise asyncio.CancelledError


@contextmanager
def strays_are_errors() -> Iterator[None]:
    """Let a CancelledError pass only where the current task was asked to end.

    Whoever took another one's for their own would end by it, and the process with them: nobody
    starts anew what has ended as it was told to.

    Raises:
        WaitedInVain: instead of any other CancelledError.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        if is_cancelled():
            raise
        raise WaitedInVain("aiokafka cancelled what was waited for") from error
