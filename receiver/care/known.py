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


class CareSource(Protocol):
    """Those who know: the shards of the poller that run in this process."""

    def accounts(self) -> Mapping[str, Care]:
        """Return the care of each account that a shard of this process has, by account."""


class _Nobody:
    def accounts(self) -> Mapping[str, Care]:
        return {}


NOBODY: CareSource = _Nobody()
"""The source of a process that does not poll."""
