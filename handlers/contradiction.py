"""Contradictions: what a live read denies of what was published."""

from datetime import datetime, timedelta

from handlers.clock import microseconds
from handlers.fact import Reading
from handlers.ledger import Entry

CLOCK_SKEW = timedelta(seconds=5)
"""How far the clocks of two replicas may differ before a live read counts as later than a fact."""


def contradiction(entry: Entry | None, reading: Reading, observed_at: datetime) -> str | None:
    """Say how a live read contradicts what was published before it was made; None if it does not.

    A webhook is never asked about: it may be the replay of an old body. An amount contradicts only
    another amount: a provider that states none, then or now, denies nothing.
    """
    if entry is None:
        return None
    asserted = {fact.raw_id for fact in reading.facts}
    horizon = microseconds(observed_at - CLOCK_SKEW)
    minor_units = reading.amount.minor_units if reading.amount else None
    for fact in entry.published:
        if fact.silent or fact.observed_at > horizon:
            continue
        if fact.action in reading.denied and fact.id not in asserted:
            return f"{fact.action} was published, and the provider now shows otherwise"
        was, now = fact.minor_units, minor_units
        if fact.id in asserted and None not in (was, now) and was != now:
            return f"{fact.action} was published with {was} minor units, and now there are {now}"
    return None
