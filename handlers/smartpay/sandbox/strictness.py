"""How unkind the sandbox is. SmartPay's documents say that there are limits, but not which."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Strictness:
    """The limits: of calls, of a page, and of a webhook that does not answer 200.

    More than ``calls`` in ``calls_per`` are throttled, and whoever goes on after
    ``throttled_most`` throttled calls in a row is disabled. Page size and the number of
    undeliverable notifications are SmartPay's own.
    """

    calls: int = 200
    calls_per: timedelta = timedelta(minutes=1)
    throttled_most: int = 20
    page_size: int = 100
    token_lifetime: timedelta = timedelta(hours=1)
    undeliverable_most: int = 20
    first_retry: timedelta = timedelta(seconds=10)
    longest_retry: timedelta = timedelta(hours=1)
