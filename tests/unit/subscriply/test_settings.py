"""The settings of a Subscriply account."""

import pytest
from pydantic import ValidationError

from handlers.subscriply import provider
from handlers.subscriply.settings import SubscriplySettings

from .host import settings


def test_the_provider_names_its_settings() -> None:
    """The provider is called subscriply and is set with SubscriplySettings."""
    assert (provider.name, provider.settings) == ("subscriply", SubscriplySettings)


def test_only_what_is_needed_must_be_given() -> None:
    """The sign-in path and the budget of calls have the documented defaults."""
    made = settings()
    assert made.sign_in_path == "/authentication/sign_in"
    assert (made.calls, made.calls_per.total_seconds()) == (600, 60)


def test_a_token_serves_instead_of_the_password() -> None:
    """An account may be set with a token alone."""
    assert settings(password=None, token="abc").token is not None


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"password": None}, "both missing"),
        ({"token": "abc"}, "both set"),
        ({"password": ""}, "password: is empty"),
        ({"password": None, "token": "a b"}, "token: is empty or holds"),
        ({"password": None, "token": "a\r\nx: y"}, "token: is empty or holds"),
        ({"email": "ada"}, "email: is not"),
        ({"email": "ada@x\r\ny: z"}, "email: is not"),
        ({"currency": "USB"}, "did you mean USD"),
        ({"currency": "cherries"}, "currency: is not known"),
        ({"sign_in_path": "sign_in"}, "sign_in_path: is not"),
        ({"sign_in_path": "/../admin"}, "sign_in_path: is not"),
        ({"sign_in_path": "/sign_in?x=1"}, "sign_in_path: is not"),
        ({"base_url": "http://elsewhere.example"}, "plain http"),
    ],
)
def test_a_mistake_is_named(changed: dict[str, object], named: str) -> None:
    """Each mistake in the settings is refused in words that name it."""
    with pytest.raises(ValidationError, match=named):
        settings(**changed)


def test_no_secret_is_shown() -> None:
    """Neither the settings nor an error about them shows the password."""
    assert "hunter2" not in repr(settings())
    with pytest.raises(ValidationError) as refused:
        settings(email="no", currency="no")
    assert "hunter2" not in str(refused.value)


def test_a_handler_is_bound_to_its_own_settings_only() -> None:
    """Another provider's settings are refused when a handler is bound."""
    assert provider.bind(settings()).account == settings()
    with pytest.raises(TypeError):
        provider.bind(None)  # type: ignore[arg-type]  # the mistake that is tested
