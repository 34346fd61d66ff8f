"""What a provider warned of beside its answers, for as long as it goes on warning."""

from collections.abc import Mapping

_FORGOTTEN_AFTER = 3 * 24 * 3600.0
"""Seconds: a version that retires is warned of with every answer, and some accounts rest a day."""

_MOST = 20


class Warnings:
    """The latest warnings of one account: each text with when it was last heard."""

    __slots__ = ("heard",)

    def __init__(self, heard: Mapping[str, float]) -> None:
        self.heard = dict(heard)

    def take(self, told: set[str], now: float) -> None:
        """Take those that were just told, which ends in ``told`` being empty, and forget old ones.

        ``now`` is in seconds since 1970. What was heard in the future was heard now: some clock was
        set, and the warning must end one day all the same.
        """
        kept = {text: min(at, now) for text, at in self.heard.items()}
        kept |= dict.fromkeys(told, now)
        told.clear()
        latest = sorted(kept.items(), key=lambda warning: (-warning[1], warning[0]))[:_MOST]
        self.heard = {text: at for text, at in latest if now - at < _FORGOTTEN_AFTER}
