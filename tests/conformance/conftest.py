"""What the suite says where a provider that was asked for is not there."""

import pytest

from receiver.accounts.providers import installed_providers


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fail where ``-k`` leaves nothing of all that there is: a provider that is not installed."""
    asked = session.config.getoption("keyword")
    if asked and not session.items:
        known = ", ".join(sorted(installed_providers()))
        raise pytest.UsageError(
            f"no test is called {asked!r}; the installed providers are {known}. A new entry point"
            " counts once its distribution is installed again: here, by `make setup`"
        )
