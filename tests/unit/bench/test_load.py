"""The load counts only what was answered 200, and times it from when it was due."""

import threading
from math import inf, isfinite

import pytest

from tests.bench.receive import load
from tests.bench.receive.load import Shape, run
from tests.bench.receive.pool import BROKEN
from tests.bench.receive.wire import OK
from tests.unit.bench.server import answer, serving

REQUESTS = [b"POST /%d HTTP/1.1\r\n\r\n" % number for number in range(50)]


def test_what_is_not_200_is_not_counted() -> None:
    """A 503 is neither accepted nor acknowledged, and its latency spoils the percentile."""
    accepted: list[int] = []

    def script(number: int) -> bytes:
        if number % 2:
            return answer(503)
        accepted.append(number)
        return answer(200)

    with serving(script) as address:
        outcome = run(address, REQUESTS, Shape(0.5, warm=0.1, rate=200, connections=4))
    assert outcome.statuses[OK] == outcome.accepted
    assert outcome.statuses[503] == outcome.refused
    assert outcome.statuses.total() == pytest.approx(100, abs=4)
    assert sum(outcome.acknowledged) == len(accepted)
    assert outcome.latency(0.99) == inf
    assert isfinite(outcome.latency(0.3))


def test_a_closed_loop_counts_the_measured_time_and_acknowledges_all_of_it() -> None:
    """What the warm-up was told counts for nothing, but is a promise all the same."""
    said: list[int] = []

    def script(number: int) -> bytes:
        said.append(number)
        return answer(200)

    with serving(script) as address:
        outcome = run(address, REQUESTS, Shape(0.3, warm=0.3, connections=2))
    assert 0 < outcome.accepted < len(said)
    assert sum(outcome.acknowledged) == len(said)
    assert max(outcome.acknowledged) - min(outcome.acknowledged) <= 1
    assert outcome.a_second == pytest.approx(outcome.accepted / outcome.seconds)
    assert outcome.seconds >= 0.3


def test_latency_runs_from_when_a_request_was_due() -> None:
    """While the only connection waits for an answer, the requests behind it grow old."""
    stall = 0.4

    def script(number: int) -> bytes:
        if number == 0:
            threading.Event().wait(stall)
        return answer(200)

    with serving(script) as address:
        outcome = run(address, REQUESTS, Shape(0.2, warm=0.0, rate=100, connections=1))
    assert outcome.accepted == 20
    # Number n was due at n/100 s, and could be sent only after the stall.
    assert outcome.latencies[10] >= stall - 0.1
    assert min(outcome.latencies) >= stall - 0.2


def test_a_connection_that_breaks_is_replaced_and_its_request_is_not_accepted() -> None:
    """The load goes on at its size."""
    with serving(lambda number: b"" if number % 10 == 5 else answer(200)) as address:
        outcome = run(address, REQUESTS, Shape(0.3, warm=0.0, rate=100, connections=2))
    assert outcome.statuses[BROKEN] == 3
    assert outcome.accepted == 27
    assert sum(outcome.acknowledged) == 27


def test_a_server_that_closes_after_each_answer_is_connected_to_anew() -> None:
    """It is not worth less for that: it answered."""
    closing = answer(200).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    with serving(lambda _: closing) as address:
        outcome = run(address, REQUESTS, Shape(0.2, warm=0.0, rate=100, connections=2))
    assert outcome.accepted == 20
    assert outcome.refused == 0


def test_what_is_never_answered_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts, and its latency has no end."""
    monkeypatch.setattr(load, "ANSWER_WITHIN", 0.2)
    with serving(lambda number: None if number == 19 else answer(200)) as address:
        outcome = run(address, REQUESTS, Shape(0.2, warm=0.0, rate=100, connections=2))
    assert (outcome.accepted, outcome.refused) == (19, 1)
    assert max(outcome.latencies) == inf


def test_a_server_that_answers_nothing_any_more_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would never end by itself."""
    monkeypatch.setattr(load, "ANSWER_WITHIN", 0.2)
    shape = Shape(5.0, warm=0.0, rate=100, connections=2)
    silent = serving(lambda number: None if number > 5 else answer(200))
    with silent as address, pytest.raises(TimeoutError):
        run(address, REQUESTS, shape)


def test_a_part_of_an_answer_is_waited_out() -> None:
    """Whoever writes head and body apart is slow, not silent."""
    shape = Shape(0.2, warm=0.0, rate=100, connections=1)
    with serving(lambda _: answer(200), pause=0.005) as address:
        outcome = run(address, REQUESTS, shape)
    assert outcome.accepted == 20


def test_nobody_listening_is_an_error() -> None:
    """It is no server that answers nothing."""
    with serving(lambda _: answer(200)) as address:
        pass
    with pytest.raises(OSError, match="refused"):
        run(address, REQUESTS, Shape(0.1))
