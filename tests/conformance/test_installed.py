"""The conformance suite over all installed providers, and over their sandboxes' other manners."""

from dataclasses import replace
from functools import partial

import pytest

from handlers.provider import Provider
from handlers.smartpay.sandbox import SmartPaySandbox
from handlers.smartpay.settings import SmartPaySettings
from handlers.subscriply.sandbox.server import Collections, SubscriplySandbox
from receiver.accounts.providers import installed_providers
from tests.conformance import ProviderConformance


class SmartPaySandbox20(SmartPaySandbox):
    """The sandbox of a merchant who speaks version 2-0."""

    def account(self, name: str, base_url: str) -> SmartPaySettings:
        """Return the settings of the merchant."""
        return super().account(name, base_url).model_copy(update={"api_version": "2-0"})


def variants() -> dict[str, Provider]:
    """Return the providers, each also with every manner that its sandbox has."""
    found = dict(installed_providers())
    found["smartpay-2-0"] = replace(found["smartpay"], sandbox=SmartPaySandbox20)
    for manner in Collections:
        sandbox = partial(SubscriplySandbox, manner)
        found[f"subscriply-{manner}"] = replace(found["subscriply"], sandbox=sandbox)
    return found


VARIANTS = variants()


class TestInstalledProviders(ProviderConformance):
    """Every provider that is installed conforms."""

    @pytest.fixture(scope="class", params=sorted(VARIANTS))
    @classmethod
    def provider(cls, request: pytest.FixtureRequest) -> Provider:
        """Return each provider in turn."""
        return VARIANTS[request.param]


def test_the_three_providers_are_installed() -> None:
    """The suite runs over what the distribution declares, or it would prove nothing."""
    assert {"smartpay", "subscriply", "voucherry"} <= installed_providers().keys()
