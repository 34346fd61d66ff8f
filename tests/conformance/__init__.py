"""The conformance suite: what every provider must do, whoever wrote it.

It runs over all providers that are installed (the entry points ``payevents.providers``), so a new
one is covered as soon as its distribution is installed beside payevents::

    pytest tests/conformance -k acme

To run it over a provider that is not installed, or over another sandbox of one, hand it in::

    import acme
    import pytest

    from handlers.provider import Provider
    from tests.conformance import ProviderConformance

    class TestAcme(ProviderConformance):
        @pytest.fixture(scope="class")
        @classmethod
        def provider(cls) -> Provider:
            return acme.provider

A provider needs nothing beyond :class:`handlers.provider.Provider`: its sandbox stands for the real
service, its sandbox's controls and story cause all that can happen, and what the sandbox says it
has told (``caused``) is what the handler must have understood. No sockets, no Kafka, no waiting.
"""

import pytest

_CHECKS = (
    "accounts",
    "failures",
    "judged",
    "readings",
    "reconciliation",
    "registration",
    "requests",
    "sandbox",
    "settings",
    "transcript",
    "webhooks",
    "world",
)
pytest.register_assert_rewrite(*(f"{__name__}.{checks}" for checks in _CHECKS))

from tests.conformance.suite import ProviderConformance  # noqa: E402 - rewritten first

__all__ = ["ProviderConformance"]
