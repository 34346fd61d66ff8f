"""What a visit came to, and what follows from a failed one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

import msgspec

from config.account import AccountSettings
from handlers.exchange import ProviderFailure
from handlers.provider import Discovery
from receiver.polling.breaker import backoff
from receiver.polling.entry import WatchEntry

_LONGEST_ERROR = 300


@dataclass(slots=True)
class Outcome:
    """What a visit came to: each visited watch as it is now, None where it is over."""

    entries: dict[str, WatchEntry | None]
    discovered: Sequence[Discovery] = ()
    failure: ProviderFailure | None = None
    sweeps: bool = False
    """Whether webhooks may have been lost, so that all is to be read again."""
    is_news: bool = True
    """Whether it says more than when the watches are due again."""
    asked: bool = True
    """Whether the provider was asked at all; else nothing is known of how it is."""


def failed(
    account: AccountSettings,
    entries: Mapping[str, WatchEntry],
    error: ProviderFailure,
    at: datetime,
    rng: Random,
) -> Outcome:
    """Return the outcome of a visit that failed: its watches rest, longer with each failure."""
    now = at.timestamp()
    longest, shortest = account.backoff_max.total_seconds(), account.backoff_min.total_seconds()
    after: dict[str, WatchEntry | None] = {
        key: msgspec.structs.replace(
            entry,
            last_polled_at=now,
            failures=entry.failures + 1,
            next_poll_at=now + backoff(entry.failures + 1, longest, rng, shortest),
            error=str(error)[:_LONGEST_ERROR],
        )
        for key, entry in entries.items()
    }
    return Outcome(after, failure=error)
