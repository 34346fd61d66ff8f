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


def is_sweep_due(registered: Registered, vitals: Vitals, now: float, interval: float) -> bool:
    """Tell whether there was a gap since everything was last read; ``interval`` in seconds."""
    if registered.looked_at is None or registered.swept_at is None:
        # All windows are new: they are due anyway.
        return False
    if now - registered.swept_at < _APART:
        return False
    if now - registered.looked_at > _MISSED_LOOKS * interval:
        return True
    failures = [f.at for known in vitals.topics.values() for f in known.failures]
    failed_at = max(failures, default=0.0)
    return registered.swept_at < failed_at < now - _QUIET
