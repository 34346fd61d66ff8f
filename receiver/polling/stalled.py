"""The alarm about watches that were given up before their resource reached its final state."""

from receiver.observability.alarms import Alarms

WATCH_STALLED = "watch-stalled"


class StalledWatches:
    """The stalled watches by account: each account has its alarm while it has any."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        # Each set in the order of noting: its first is the example that the alarm gives.
        self._keys: dict[str, dict[str, None]] = {}

    def note(self, account: str, key: str, *, stalled: bool) -> None:
        """Note whether a watch is stalled, and keep the account's alarm true."""
        keys = self._keys.get(account)
        if stalled == (keys is not None and key in keys):
            return
        if keys is None:
            keys = self._keys[account] = {}
        if stalled:
            keys[key] = None
        else:
            del keys[key]
        if not keys:
            del self._keys[account]
            self._alarms.over(account, WATCH_STALLED)
            return
        self._alarms.sound(
            account,
            WATCH_STALLED,
            why=f"{len(keys)} watches never reached their final state, such as {next(iter(keys))}",
            remedy="see 'payevents watches list'; remove them, or add them again",
        )

    def end_alarms(self) -> None:
        """End all alarms: the watches are no longer ours to tell of."""
        for account in self._keys:
            self._alarms.over(account, WATCH_STALLED)
