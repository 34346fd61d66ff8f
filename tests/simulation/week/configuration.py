"""The configuration that all replicas have, and that its operator changes while they run."""

from datetime import datetime

from handlers.smartpay import provider as smartpay
from handlers.smartpay.settings import SmartPaySettings
from receiver.accounts.registry import Accounts
from tests.simulation.loop import moment


class Configuration:
    """One account; whoever has asked for the accounts is told of each change, as from a folder.

    ``changed_at`` are the times of the changes.
    """

    def __init__(self, account: SmartPaySettings) -> None:
        self.account = account
        self.changed_at: list[datetime] = []
        self._told: list[Accounts] = []

    def accounts(self) -> Accounts:
        """Return the accounts of a process that starts now."""
        accounts = Accounts({smartpay.name: smartpay})
        accounts.replace({self.account.name: self.account})
        self._told.append(accounts)
        return accounts

    def change(self, account: SmartPaySettings) -> None:
        """Have every process use these settings from now on."""
        self.account = account
        self.changed_at.append(moment())
        for accounts in self._told:
            accounts.replace({account.name: account})
