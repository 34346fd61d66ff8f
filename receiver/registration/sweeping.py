"""Sweeping: after a gap, everything is read again at once instead of when it is due.

A gap is a time in which webhooks may have been lost: nobody looked after the account, or what came
was not taken.
"""

from receiver.registration.registered import Registered
from receiver.registration.vitals import Vitals

_MISSED_LOOKS = 3
"""Of the times at which the guard looks, so many were missed: nobody looked."""

_QUIET = 300.0
"""Seconds without a failure after which what failed before is over, and worth reading."""

_APART = 3600.0
"""Seconds between sweeps, which cost a call for each window."""

_APART_FOR_FAILURES = 6 * 3600.0
"""The same for sweeps because of failures: a flood from outside can cause some."""

_UNAVAILABLE = 503
"""What we answer to a webhook that is durable nowhere. Other refusals anyone can cause, or mean
that it will be refused again."""


def is_sweep_due(
    registered: Registered, vitals: Vitals, now: float, interval: float, gap: float
) -> bool:
    """Tell whether webhooks may have been lost since everything was last read.

    ``gap`` is for how many seconds nobody had the account before the one who has it now looked for
    the first time, ``interval`` how often the guard looks. A guard that had to wait is no gap:
    reading everything is what it may have waited for.
    """
    if registered.swept_at is None:
        # All windows are new: they are due anyway.
        return False
    since = now - registered.swept_at
    if gap > _MISSED_LOOKS * interval:
        return since >= _APART
    failures = [
        failure.at
        for known in vitals.topics.values()
        for failure in known.failures
        if failure.status == _UNAVAILABLE
    ]
    failed_at = max(failures, default=0.0)
    return since >= _APART_FOR_FAILURES and registered.swept_at < failed_at < now - _QUIET
