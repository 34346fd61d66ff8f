"""Consumers that will not close, with stand-ins for them."""

import threading

import pytest

from tests.kafka.closing import closing_in_time


class Consumer:
    """It closes when ``may_close`` is set."""

    def __init__(self) -> None:
        self.may_close = threading.Event()
        self.closed = threading.Event()

    def close(self) -> None:
        """Wait, and be closed."""
        self.may_close.wait()
        self.closed.set()


def test_whoever_lent_a_consumer_goes_on_when_it_is_closed() -> None:
    """A consumer that can be closed is closed."""
    consumer = Consumer()
    consumer.may_close.set()
    with closing_in_time(consumer):
        assert not consumer.closed.is_set()
    assert consumer.closed.is_set()


def test_nobody_waits_for_ever_for_a_consumer_to_close() -> None:
    """A consumer that hangs in its close is left behind."""
    consumer = Consumer()
    with closing_in_time(consumer, patience=0.01):
        pass
    assert not consumer.closed.is_set()
    consumer.may_close.set()


def test_a_consumer_is_closed_after_an_error_too() -> None:
    """What went wrong while it was lent is raised, and the consumer closed."""
    consumer = Consumer()
    consumer.may_close.set()
    with pytest.raises(LookupError), closing_in_time(consumer):
        raise LookupError
    assert consumer.closed.is_set()
