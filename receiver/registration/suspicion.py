"""Suspicion: whether a topic's webhook is probably disabled.

The provider tells nobody when it switches a webhook off, and lists it as before. What tells is that
something happened, long enough ago, that its webhook should have announced and did not. That we did
not take what was sent is an alarm, and no evidence: whoever knocks without a key causes it too.
"""

from receiver.registration.signs import Missed
from receiver.registration.vitals import Vitals

SHORTEST_DELAY = 300.0
"""Seconds that a webhook may always take; where they are slower, twice their longest delay."""

LONGEST_DELAY = 6 * 3600.0
"""Seconds beyond which no webhook is waited for, however slow others were."""


def usual_delay(vitals: Vitals) -> float:
    """Return how many seconds after a fact was found its webhook may still come."""
    longest = max(vitals.delays, default=0.0)
    return min(LONGEST_DELAY, max(SHORTEST_DELAY, 2 * longest))


def blamed(
    vitals: Vitals, topic: str, enabled_at: float | None, heard_at: float | None = None
) -> tuple[Missed, ...]:
    """Return the facts for whose silence nothing but a disabled webhook is known to blame.

    They happened after it was enabled, and since they were found it has not told anything, nor did
    a test of it arrive: one that works and has lost a notification is not disabled.
    """
    known = vitals.topics.get(topic)
    if known is None or enabled_at is None:
        return ()
    alive_at = max(known.alive_at or 0.0, heard_at or 0.0)
    return tuple(
        missed
        for missed in known.missed
        if missed.happened_since is not None
        and missed.happened_since >= enabled_at
        and missed.observed_at >= alive_at
    )
