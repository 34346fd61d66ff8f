"""Closing a librdkafka consumer, which may never come back from it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

PATIENCE = 10.0
"""Seconds that a consumer is given to close."""


class Closeable(Protocol):
    """What can be closed, as a consumer."""

    def close(self) -> None:
        """Close it."""


C = TypeVar("C", bound=Closeable)


@contextmanager
def closing_in_time(consumer: C, patience: float = PATIENCE) -> Iterator[C]:
    """Lend ``consumer`` and close it; one that has not closed after ``patience`` s is left behind.

    Where brokers were killed or frozen, librdkafka now and then keeps a reference to one and waits
    for its thread for ever (confluentinc/librdkafka, issues 4131 and 4674). All that was wanted of
    the consumer has been read by then.
    """
    try:
        yield consumer
    finally:
        closing = threading.Thread(target=consumer.close, name="closing", daemon=True)
        closing.start()
        closing.join(patience)
