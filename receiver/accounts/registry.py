"""The accounts at work: each one's settings bound to its provider's knowledge."""

from collections.abc import Iterator, Mapping

from config.account import AccountSettings
from handlers.provider import Handler, Provider


class Accounts:
    """The handlers by account name; accounts may come, change and go while the service runs.

    ``generation`` grows with every change.
    """

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers
        self._handlers: dict[str, Handler] = {}
        self.generation = 0

    def __iter__(self) -> Iterator[Handler]:
        """Yield the handlers."""
        return iter(list(self._handlers.values()))

    def __len__(self) -> int:
        """Return the number of accounts."""
        return len(self._handlers)

    def get(self, name: str) -> Handler | None:
        """Return the handler of the account, None if there is no such account."""
        return self._handlers.get(name)

    def replace(self, settings: Mapping[str, AccountSettings]) -> None:
        """Make these the accounts: bind the new and the changed ones, let the rest be."""
        before = dict(self._handlers)
        for name in before.keys() - settings.keys():
            del self._handlers[name]
        for name, account in settings.items():
            known = before.get(name)
            if known is None or known.account != account:
                self._handlers[name] = self._providers[account.provider].bind(account)
        if self._handlers != before:
            self.generation += 1
