"""Watching ``accounts_dir``: accounts that come, change and go while the service runs."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from config.account import AccountSettings
from config.accounts import AccountModels, DirectoryAccounts, read_accounts_dir, shared_keys
from config.problems import ConfigError, Problem
from receiver.accounts.registry import Accounts
from receiver.observability.alarms import Alarms

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

REFUSED = "account-file-refused"
UNREADABLE = "accounts-dir-unreadable"
_FULL_READ_EVERY = 12
"""Rounds after which everything is read anew: a secret in a file of its own may have changed."""

Stamps = Mapping[str, tuple[int, int, int]]


class AccountsDirectory:
    """Keeps the accounts as the folder says, beside the ``inline`` ones of the main file."""

    def __init__(
        self,
        directory: Path,
        models: AccountModels,
        inline: Mapping[str, AccountSettings],
        accounts: Accounts,
        alarms: Alarms,
        *,
        present: Mapping[str, AccountSettings],
    ) -> None:
        self._directory = directory
        self._models = models
        self._inline = inline
        self._accounts = accounts
        self._alarms = alarms
        self._present = dict(present)
        self._refused: frozenset[str] = frozenset()
        self._stamps: Stamps | None = None
        self._rounds = 0

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the accounts that come from the folder."""
        return frozenset(self._present)

    async def run(self, interval: float) -> None:
        """Follow the folder until cancelled, looking every ``interval`` seconds."""
        while True:
            await self.look()
            await asyncio.sleep(interval)

    async def look(self) -> None:
        """Look once, and take over what changed."""
        try:
            found = await asyncio.to_thread(self._read)
        except ConfigError as error:
            self._alarms.sound("", UNREADABLE, why=str(error), remedy="make it readable again")
            return
        self._alarms.over("", UNREADABLE)
        if found is not None:
            self._take_over(found)

    def _read(self) -> DirectoryAccounts | None:
        """Return what the folder holds, None if no file of it changed since the last time."""
        stamps = _stamps(self._directory)
        self._rounds += 1
        if stamps == self._stamps and self._rounds % _FULL_READ_EVERY:
            return None
        found = read_accounts_dir(self._directory, self._models, self._inline)
        self._stamps = stamps
        return found

    def _take_over(self, found: DirectoryAccounts) -> None:
        kept = self._kept(found)
        before, self._present = self._present, {**found.accounts, **kept}
        for name in sorted(before.keys() - self._present.keys()):
            log.info("an account is gone", account=name)
        for name in sorted(self._present):
            if name not in before:
                log.info("an account came", account=name)
            elif before[name] != self._present[name]:
                log.info("an account changed", account=name)
        for name in self._refused - found.refused.keys():
            self._alarms.over(name, REFUSED)
        for name, problems in found.refused.items():
            self._alarms.sound(name, REFUSED, why=_why(problems), remedy=_remedy(kept=name in kept))
        self._refused = frozenset(found.refused)
        self._accounts.replace({**self._inline, **self._present})

    def _kept(self, found: DirectoryAccounts) -> dict[str, AccountSettings]:
        """Return the last good settings of accounts whose files cannot be used now."""
        kept = {
            name: account
            for name, account in self._present.items()
            if name in found.refused and name not in self._inline
        }
        everyone = [*self._inline.values(), *found.accounts.values(), *kept.values()]
        # An old key of one may be another's by now: a body must never count at both.
        for name, _ in list(shared_keys(everyone)):
            kept.pop(name, None)
        return kept


def _stamps(directory: Path) -> Stamps:
    """Return what changes with a file; empty, so that reading tells why, if it cannot be had."""
    stamps = {}
    try:
        for path in directory.glob("[!.]*.toml"):
            status = path.stat()
            stamps[path.name] = (status.st_mtime_ns, status.st_size, status.st_ino)
    except OSError:
        return {}
    return stamps


def _why(problems: Sequence[Problem]) -> str:
    return "; ".join(str(problem) for problem in problems)


def _remedy(*, kept: bool) -> str:
    if kept:
        return "mend the file: until then the account goes on with its last good settings"
    return "mend the file: until then there is no such account"
