"""Checks of a provider's settings, and of how a handler is bound to them."""

import re

import pytest
from pydantic import ValidationError

from config.account import AccountSettings
from handlers.provider import Provider
from tests.conformance.secrets import secrets_of, shown_in
from tests.conformance.world import ACCOUNT, BASE_URL, World

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class SettingsChecks:
    """The settings of an account at the sandbox are like any other account's."""

    def test_the_name_can_stand_in_ids_and_keys(self, provider: Provider) -> None:
        """The provider's name is a plain word: it is part of every id, source and key."""
        assert _NAME.fullmatch(provider.name)

    def test_the_settings_are_those_of_an_account(self, provider: Provider) -> None:
        """The settings extend what all accounts have in common."""
        assert issubclass(provider.settings, AccountSettings)

    def test_the_sandbox_gives_the_account_that_was_asked_for(self, world: World) -> None:
        """The sandbox's account has the given name and place, and the provider's own settings."""
        settings = world.settings
        assert type(settings) is world.provider.settings
        assert (settings.name, settings.base_url) == (ACCOUNT, BASE_URL)
        assert settings.provider == world.provider.name

    def test_a_handler_is_bound_to_its_account(self, world: World) -> None:
        """The handler knows the very settings that it was bound to."""
        assert world.provider.bind(world.settings).account == world.settings

    def test_another_providers_settings_are_refused(self, provider: Provider) -> None:
        """A handler is never bound to settings of another provider."""
        other = AccountSettings(name=ACCOUNT, provider="other", base_url=BASE_URL)
        with pytest.raises(TypeError):
            provider.bind(other)

    def test_the_settings_cannot_be_changed(self, world: World) -> None:
        """Settings are frozen: nothing changes under a running service."""
        for name in type(world.settings).model_fields:
            with pytest.raises(ValidationError, match="frozen"):
                setattr(world.settings, name, getattr(world.settings, name))

    def test_an_unknown_key_is_refused(self, world: World) -> None:
        """A misspelt key is an error, not a setting that is silently missing."""
        with pytest.raises(ValidationError, match="no_such_key"):
            world.provider.settings.model_validate({**dict(world.settings), "no_such_key": 1})

    def test_no_secret_is_shown(self, world: World) -> None:
        """Neither the settings nor the handler show a secret when they are printed."""
        secrets = list(secrets_of(world.settings))
        assert shown_in(" ".join(secrets), secrets) == secrets, "too short to be looked for"
        for shown in (world.settings, world.handler):
            assert shown_in(f"{shown!r} {shown}", secrets) == []
        assert shown_in(world.settings.model_dump_json(), secrets) == []

    def test_the_first_watches_are_the_accounts_own(self, world: World) -> None:
        """The watches from the beginning are watches of this account, each under its own key."""
        watches = list(world.handler.watches())
        assert all(watch.account == ACCOUNT for watch in watches)
        assert len({watch.key for watch in watches}) == len(watches)
