"""Sweeping: after a gap, everything is read again at once instead of when it is due.

A gap is a time in which webhooks may have been lost: nobody looked after the account, or what came
was not taken, or a webhook was disabled.
"""

import msgspec

from receiver.registration.registered import Registered
from receiver.registration.situation import Situation
from receiver.registration.vitals import Vitals

_MISSED_LOOKS = 3
"""Of the times at which the guard looks, so many were missed: nobody looked."""

_QUIET = 300.0
"""Seconds without a failure after which what failed before is over, and worth reading."""

_APART = 3600.0
"""Seconds between sweeps, which cost a call for each window."""

_APART_FOR_FAILURES = 6 * 3600.0
"""The same for sweeps because of failures: a flood from outside can cause some."""

_LONGEST_APART = 24 * 3600.0
"""The most that sweeps because of suspicions are apart, each twice as long as the one before: there
may be changes that are never announced."""

_LONG_AGO = 2 * _LONGEST_APART
"""Seconds without a sweep after which a suspicion is the first again."""

_MOST_DOUBLINGS = 5

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


def noticing(situation: Situation) -> Registered:
    """Return what is known with it noted whether a topic is suspect for which nothing was swept.

    One that is being created anew counts as long as that lasts; one that lives again does not.
    """
    registered, now = situation.registered, situation.now
    times = [situation.suspect_at(topic) for topic in situation.registration.topics]
    suspect = [at for at in times if at is not None and at <= now]
    is_open = bool(suspect) or any(one.is_renewed for one in registered.topics.values())
    is_new = max(suspect, default=0.0) > (registered.swept_at or 0.0)
    is_unswept = is_new or (registered.is_unswept and is_open)
    return msgspec.structs.replace(registered, is_unswept=is_unswept)


def is_suspicion_due(registered: Registered, now: float) -> bool:
    """Tell whether everything is to be read again for a suspicion, whatever can be done about it.

    It waits while something is being done: reading everything uses up the calls for that.
    """
    if not registered.is_unswept or registered.swept_at is None:
        return False
    doublings = min(max(0, _suspicions(registered, now) - 1), _MOST_DOUBLINGS)
    return now - registered.swept_at >= min(_APART * 2.0**doublings, _LONGEST_APART)


def swept_for_suspicion(registered: Registered, now: float) -> Registered:
    """Return what is known once everything is being read again for a suspicion."""
    suspicions = _suspicions(registered, now) + 1
    return msgspec.structs.replace(
        registered, swept_at=now, is_unswept=False, suspicions=suspicions
    )


def _suspicions(registered: Registered, now: float) -> int:
    """Return how often in a row everything was read again because of one."""
    is_long_ago = registered.swept_at is not None and now - registered.swept_at > _LONG_AGO
    return 0 if is_long_ago else registered.suspicions
