"""Checks of what an account's settings say of its secrets, and of where they cannot be right."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from pydantic import SecretStr

from config.account import AccountSettings
from handlers.exchange import ProviderFailure, Request
from handlers.provider import BadSignature, Handler, Session, Watch
from handlers.sandbox import Notification
from tests.conformance.secrets import secrets_of, shown_in
from tests.conformance.webhooks import genuine
from tests.conformance.world import NOW, World
from tests.support.conversation import converse

ELSEWHERE = "http://api.example.com"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class AccountChecks:
    """What the machine asks an account's settings is answered as its handler behaves."""

    def test_a_key_that_signs_has_a_fingerprint(self, world: World) -> None:
        """Where another secret would have webhooks refused, its fingerprints are others too.

        Two accounts with one key are found by them.
        """
        ours = world.settings.signing_key_fingerprints()
        assert all(_SHA256.fullmatch(each) for each in ours)
        signed = genuine(world)
        assert bool(ours) >= bool(signed), "webhooks are signed with keys that have no fingerprint"
        for name, other in with_another_secret(world.settings):
            handler = world.provider.bind(other)
            if not all(accepts(handler, notification) for notification in signed):
                assert not ours <= other.signing_key_fingerprints(), f"{name} signs webhooks"

    def test_a_key_that_signs_has_a_name(self, world: World) -> None:
        """People are told which key signed a webhook, and nothing of the key itself."""
        names = world.settings.signing_key_names(NOW)
        assert names.items() <= world.settings.signing_key_names().items()
        for notification in genuine(world):
            verified = world.handler.verify(notification.headers, notification.body, NOW)
            assert names[verified.signed_with]
        told = " ".join([*names, *names.values()])
        assert shown_in(told, secrets_of(world.settings)) == []

    def test_what_signs_in_is_among_the_credentials(self, world: World) -> None:
        """Where another secret changes what is sent to sign in, the credentials are others too.

        Else an account that was refused would not be tried again once it is corrected.
        """
        ours = world.settings.credentials()
        assert ours or not world.settings.has_strong_credentials()
        for name, other in with_another_secret(world.settings):
            handler = world.provider.bind(other)
            for watch in world.looked_at.values():
                if first_request(handler, watch) != first_request(world.handler, watch):
                    assert ours != other.credentials(), f"{name} signs in"

    def test_who_registers_needs_a_public_url(self, world: World) -> None:
        """A public URL is needed just where webhooks are registered by us."""
        for settings in with_each_switch(world.settings):
            registration = world.provider.bind(settings).registration
            is_managed = registration is not None and registration.managed
            assert settings.needs_public_url() == is_managed

    def test_mistakes_are_found(self, world: World) -> None:
        """The sandbox's account has none, and what all accounts have in common is still checked."""
        assert list(world.settings.mistakes()) == []
        exposed = world.settings.model_copy(update={"base_url": ELSEWHERE, "allow_http": False})
        assert "base_url" in [mistake.key for mistake in exposed.mistakes()]
        meant = exposed.model_copy(update={"allow_http": True})
        assert list(meant.mistakes()) == []
        assert any("plain http" in warning for warning in meant.warnings())

    def test_nothing_that_is_said_of_an_account_shows_a_secret(self, world: World) -> None:
        """Mistakes and warnings are logged."""
        for settings in with_each_switch(world.settings):
            said = [*settings.warnings(), *map(str, settings.mistakes())]
            assert shown_in(" ".join(said), secrets_of(settings)) == []


def with_another_secret(settings: AccountSettings) -> Iterator[tuple[str, AccountSettings]]:
    """Yield the settings with one secret changed, for each that is set, and the name of its key."""
    for name in type(settings).model_fields:
        secret = getattr(settings, name)
        if isinstance(secret, SecretStr):
            text = secret.get_secret_value()
            # Of the same letters and length, so that whatever its form is, it has it still.
            other = text[1:] + text[:1]
            assert other != text, f"the sandbox's {name} is too plain to be changed"
            yield name, settings.model_copy(update={name: SecretStr(other)})


def with_each_switch(settings: AccountSettings) -> Iterator[AccountSettings]:
    """Yield the settings, and each with one of its switches set or unset."""
    yield settings
    for name, field in type(settings).model_fields.items():
        if field.annotation is bool:
            yield settings.model_copy(update={name: not getattr(settings, name)})


def accepts(handler: Handler, notification: Notification) -> bool:
    """Tell whether the handler accepts a notification."""
    try:
        handler.verify(notification.headers, notification.body, NOW)
    except BadSignature:
        return False
    return True


def first_request(handler: Handler, watch: Watch) -> Request | None:
    """Return what a look at a watch asks first, when nobody has signed in yet; None if nothing."""
    asked: list[Request] = []

    def keep(request: Request) -> None:
        asked.append(request)

    with suppress(ProviderFailure):
        converse(handler.poll(watch, timedelta(), Session(lambda: NOW)), keep)
    return asked[0] if asked else None
