"""The failure budget: how near a topic's webhook is to being disabled for what was not delivered.

What a provider counts, tries of one notification or failures in a row, may be open: both are
counted, and the worse is told. What never reached us cannot be counted: there are at least so many.
It may also have counted fewer, since forged requests are counted here, and since a row of failures
ends here only by what nobody can send again.
"""

from collections import Counter
from dataclasses import dataclass

from receiver.registration.signs import Failure
from receiver.registration.vitals import TopicVitals
from receiver.words import counted

EARLY = 5
"""Undeliverable ones from which on it is time to tell a person."""

_MOST_REQUESTS = 3
_OK = 200


@dataclass(frozen=True, slots=True)
class FailureBudget:
    """How much of a topic's budget is used, since it was last enabled.

    ``most`` disables it. ``tries`` are those of one notification, the one that ``digest`` (SHA-256
    of its body, in hex) names; ``in_a_row`` counts all failures since a webhook last told something
    new. ``failures`` are those known one by one, the latest last.
    """

    most: int
    tries: int
    digest: str
    in_a_row: int
    failures: tuple[Failure, ...]

    @property
    def at_least(self) -> int:
        """Return how many count at least, in the reading that is worse for us."""
        return max(self.tries, self.in_a_row)

    @property
    def reasons(self) -> dict[str, int]:
        """Return how many failures had which reason, the most frequent first."""
        return dict(Counter(map(_reason, self.failures)).most_common())

    @property
    def requests(self) -> tuple[str, ...]:
        """Return the ids of the latest requests that failed, the latest first."""
        ids = dict.fromkeys(f.request_id for f in reversed(self.failures) if f.request_id)
        return tuple(ids)[:_MOST_REQUESTS]

    @property
    def told(self) -> str:
        """Return all of it for people, in one line."""
        words = [f"at least {self.at_least} of {self.most} undeliverable"]
        if self.in_a_row:
            words.append(f"{self.in_a_row} since a webhook last told something new")
        if self.tries:
            words.append(f"{counted(self.tries, 'try', 'tries')} of one notification")
        words += [f"{count} because of {reason}" for reason, count in self.reasons.items()]
        if self.requests:
            words.append(f"latest requests {', '.join(self.requests)}")
        return "; ".join(words)

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "at_least": self.at_least,
            "most": self.most,
            "tries_of_one": self.tries,
            "sha256_of_that": self.digest or None,
            "in_a_row": self.in_a_row,
            "reasons": self.reasons,
            "latest_requests": list(self.requests),
        }


def budget_of(known: TopicVitals, enabled_at: float | None, most: int) -> FailureBudget:
    """Return the budget of a topic that was enabled at ``enabled_at``, in seconds since 1970.

    What failed before that counts no more; None counts all that is known.
    """
    since = float("-inf") if enabled_at is None else enabled_at
    failures = tuple(failure for failure in known.failures if failure.at >= since)
    uncounted = known.more_since is not None and known.more_since >= since
    tries = {digest: sum(at >= since for at in times) for digest, times in known.tries.items()}
    digest = max(tries, key=lambda each: (tries[each], each), default="")
    return FailureBudget(
        most,
        tries.get(digest, 0),
        digest if tries.get(digest) else "",
        len(failures) + (known.more_failures if uncounted else 0),
        failures,
    )


def _reason(failure: Failure) -> str:
    if failure.status == _OK:
        return "200 too late"
    status = "no answer" if failure.status is None else str(failure.status)
    return f"{status}, {failure.why}" if failure.why else status
