"""The accounts that the shards of a process own, and their budgets."""

import asyncio
from collections.abc import Iterable
from secrets import token_hex

from config.account import AccountSettings
from receiver.polling.budget import Budget
from receiver.polling.standing import Standing


class OwnedAccounts:
    """The budgets of a process. They outlive the shards and the settings they came from.

    They count by a clock that nobody can set: what this process spent itself it knows best.
    """

    def __init__(self) -> None:
        self.process = token_hex(8)
        self._budgets: dict[str, Budget] = {}
        self._owned: dict[str, Budget] = {}

    @property
    def budgets(self) -> Iterable[tuple[str, Budget]]:
        """Return the accounts that are owned here now, with their budgets."""
        return self._owned.items()

    def take(self, account: AccountSettings, standing: Standing, now: float) -> Budget:
        """Own an account from ``now`` on, in seconds since 1970; return what it may spend."""
        name = account.name
        budget = self._budgets.get(name)
        calls, per = account.calls, account.calls_per.total_seconds()
        if budget is None or standing.process not in {None, self.process}:
            budget = Budget(calls, per, monotonic=asyncio.get_running_loop().time)
            budget.resume(standing.spent, now)
        budget.allow(calls, per)
        self._budgets[name] = self._owned[name] = budget
        return budget

    def leave(self, name: str) -> None:
        """Own an account no more."""
        self._owned.pop(name, None)
