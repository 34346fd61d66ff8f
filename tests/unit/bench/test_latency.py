"""What the latency benchmark makes of the times that it took."""

from itertools import pairwise

import pytest

from tests.bench.latency.benchmark import arrivals, percentile
from tests.bench.latency.posting import NotAccepted, post
from tests.bench.latency.webhooks import webhooks
from tests.bench.route.verifying import Read
from tests.unit.bench.server import answer, serving


def test_a_webhook_has_arrived_with_its_last_event() -> None:
    """Its way ends when the later of two events is read, and began when it was due."""
    sent = webhooks(2, seed=1)
    unpaid, paid = (key.encode() for key in sent.numbers)
    read = [
        Read(0, unpaid, b"", at=11.0),
        Read(0, paid, b"", at=10.5),
        Read(0, paid, b"", at=10.2),
    ]
    assert arrivals(sent, [10.0, 10.1], read) == pytest.approx([1000.0, 400.0])


def test_half_of_the_webhooks_give_two_events() -> None:
    """Of four, two are about invoices first seen unpaid and two about paid ones: six events."""
    sent = webhooks(4, seed=1)
    assert len(sent.webhooks) == len(set(sent.keys)) == 4
    assert len(sent.events) == 6


def test_the_percentile_is_one_of_the_values() -> None:
    """The 99th of a hundred is the largest but none; of one, that one."""
    assert percentile(range(100), 0.99) == 99
    assert percentile(range(1000), 0.99) == 990
    assert percentile([7.0], 0.99) == 7.0


REQUEST = b"POST / HTTP/1.1\r\nHost: here\r\n\r\n"


def test_webhooks_are_due_at_the_rate_however_long_answers_take() -> None:
    """The times that a way is counted from are those of the schedule."""
    with serving(lambda _: answer(200)) as address:
        due = post(address, [REQUEST] * 5, rate=200.0)
    gaps = [after - before for before, after in pairwise(due)]
    assert gaps == pytest.approx([0.005] * 4)


def test_a_webhook_that_was_not_accepted_is_an_error() -> None:
    """One 503 spoils the round: its events would be waited for in vain."""
    with (
        serving(lambda before: answer(503 if before else 200)) as address,
        pytest.raises(NotAccepted, match="503"),
    ):
        post(address, [REQUEST] * 2, rate=200.0)
