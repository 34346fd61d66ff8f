"""All checks together, over one provider."""

import pytest

from handlers.provider import Provider
from tests.conformance.accounts import AccountChecks
from tests.conformance.failures import FailureChecks
from tests.conformance.readings import ReadingChecks
from tests.conformance.reconciliation import ReconciliationChecks
from tests.conformance.registration import RegistrationChecks
from tests.conformance.sandbox import SandboxChecks
from tests.conformance.settings import SettingsChecks
from tests.conformance.webhooks import WebhookChecks
from tests.conformance.world import World


class ProviderConformance(
    SettingsChecks,
    AccountChecks,
    ReadingChecks,
    WebhookChecks,
    SandboxChecks,
    FailureChecks,
    ReconciliationChecks,
    RegistrationChecks,
):
    """Every check that a provider must pass. A subclass gives the fixture ``provider``."""

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls) -> Provider:
        """Return the provider that is checked."""
        raise NotImplementedError("override this fixture with the provider to be checked")

    @pytest.fixture(scope="class")
    @classmethod
    def world(cls, provider: Provider) -> World:
        """Return a world in which all that the sandbox can cause has happened, and was read."""
        world = World(provider)
        world.play_story()
        world.cause_everything()
        return world
