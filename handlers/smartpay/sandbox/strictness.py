"""How unkind the sandbox is. SmartPay's documents say that there are limits, but not which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Twenty(StrEnum):
    """What is counted up to 20 before a webhook is disabled: the documents can be read as either.

    "If a webhook notification is undeliverable 20 times" may mean all failures since the webhook
    was enabled, which is never kinder, or the tries of one notification.
    """

    IN_ALL = "in all"
    OF_ONE = "of one"


@dataclass(frozen=True, slots=True)
class Strictness:
    """The limits: of calls, of a page, and of a webhook that does not answer 200.

    More than ``calls`` in ``calls_per`` are throttled, and whoever goes on after
    ``throttled_most`` throttled calls in a row, or after ``errors_most`` errors within
    ``errors_per``, is disabled. Page size and the number of undeliverable notifications are
    SmartPay's own; ``twenty`` says of what. A webhook must answer within ``answer_within``; None
    leaves that to the host. ``modify_enables`` says whether a modified webhook is enabled again.

    A row is listed as it was ``listing_lag`` ago; with ``newest_first`` those that arrive move the
    others to later pages. With a seed as ``disorder`` each notification is sent up to
    ``disorder_within`` late, and every eighth or so twice, the same way for the same seed.

    ``wording`` is what errors say, by code, where it is not what the sandbox says: the documents
    have the words of one error only.
    """

    calls: int = 200
    calls_per: timedelta = timedelta(minutes=1)
    throttled_most: int = 20
    errors_most: int = 100
    errors_per: timedelta = timedelta(hours=1)
    page_size: int = 100
    token_lifetime: timedelta = timedelta(hours=1)
    undeliverable_most: int = 20
    twenty: Twenty = Twenty.IN_ALL
    answer_within: timedelta | None = None
    modify_enables: bool = True
    first_retry: timedelta = timedelta(seconds=10)
    longest_retry: timedelta = timedelta(hours=1)
    listing_lag: timedelta = timedelta()
    newest_first: bool = False
    disorder: int | None = None
    disorder_within: timedelta = timedelta(seconds=30)
    wording: Mapping[int, str] = field(default_factory=dict)
