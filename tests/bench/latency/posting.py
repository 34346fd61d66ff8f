"""Posting webhooks when they are due, however long the answers take."""

import time
from collections.abc import Iterable, Sequence
from contextlib import closing

from tests.bench.receive.pool import Answered, Pool
from tests.bench.receive.wire import OK

_CONNECTIONS = 64
_ANSWER_WITHIN = 20.0
"""Seconds."""


class NotAccepted(RuntimeError):
    """A webhook was not answered 200."""


def post(address: tuple[str, int], requests: Sequence[bytes], rate: float) -> list[float]:
    """Send each request once, ``rate`` a second; return when each was due, in monotonic time.

    Raises:
        OSError: nobody listens at ``address``.
        NotAccepted: one was not answered 200.
    """
    with closing(Pool(address, _CONNECTIONS)) as pool:
        start = time.monotonic()
        due = [start + number / rate for number in range(len(requests))]
        for number, request in enumerate(requests):
            while (wait := due[number] - time.monotonic()) > 0 or not pool.free:
                _check(pool.receive(wait if wait > 0 else _ANSWER_WITHIN))
            pool.send(number, request, due[number])
        deadline = time.monotonic() + _ANSWER_WITHIN
        while pool.unanswered and time.monotonic() < deadline:
            _check(pool.receive(_ANSWER_WITHIN))
        _check(pool.unanswered)
    return due


def _check(answers: Iterable[Answered]) -> None:
    for answer in answers:
        if answer.status != OK:
            raise NotAccepted(f"webhook {answer.request} was answered {answer.status}")
