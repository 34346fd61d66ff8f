"""Care: all that is known of how an account fares at its provider, for those who show it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from receiver.polling.standing import Standing
from receiver.registration.registered import Registered
from receiver.registration.vitals import Vitals


@dataclass(frozen=True, slots=True)
class Care:
    """What one account's shard knows of it beside its watches.

    ``windows_read_at`` is when a listing was last read for what no webhook told, in seconds since
    1970; None if that never was.
    """

    registered: Registered = field(default_factory=Registered)
    vitals: Vitals = field(default_factory=Vitals)
    standing: Standing = field(default_factory=Standing)
    windows_read_at: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """How an account's provider is asked. Times are seconds since 1970.

    ``calls_used`` of ``calls_allowed`` were made in the last ``calls_per`` seconds. ``answered_at``
    is the last good answer, None if there was none; after ``failures`` in a row nobody asks before
    ``rests_until``, and ``stopped`` says why nobody asks at all, if that is so.
    """

    calls_used: int
    calls_allowed: int
    calls_per: float
    answered_at: float | None = None
    failures: int = 0
    rests_until: float = 0.0
    stopped: str | None = None


class CareSource(Protocol):
    """Those who know: the shards of the poller that run in this process."""

    def accounts(self) -> Mapping[str, Care]:
        """Return the care of each account that a shard of this process has and looks after."""

    def asked(self) -> Mapping[str, Asked]:
        """Return how the provider of each account that a shard of this process has is asked."""


class _Nobody:
    def accounts(self) -> Mapping[str, Care]:
        return {}

    def asked(self) -> Mapping[str, Asked]:
        return {}


NOBODY: CareSource = _Nobody()
"""The source of a process that does not poll."""
