"""The settings of a Voucherry account."""

import pytest
from pydantic import ValidationError

from handlers.voucherry import provider
from handlers.voucherry.settings import VoucherrySettings

from .host import settings


def test_the_provider_names_its_settings() -> None:
    """The provider is called voucherry and is set with VoucherrySettings."""
    assert (provider.name, provider.settings) == ("voucherry", VoucherrySettings)


def test_the_documented_place_is_the_default() -> None:
    """Without a base_url the documented one is used; the budget is 600 calls a minute."""
    made = VoucherrySettings.model_validate({"name": "cherries", "auth_token": "x"})
    assert made.base_url == "https://voucherry.com/api/v1"
    assert (made.calls, made.calls_per.total_seconds()) == (600, 60)


def test_a_user_name_and_password_serve_instead_of_the_token() -> None:
    """An account may be set with user name and password."""
    assert settings(auth_token=None, username="ada", password="p:w").username == "ada"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"auth_token": None}, "auth_token: is missing"),
        ({"username": "ada", "password": "x"}, "beside username"),
        ({"password": "x"}, "beside username"),
        ({"auth_token": None, "username": "ada"}, "password: is missing"),
        ({"auth_token": None, "password": "x"}, "username: is missing"),
        ({"auth_token": ""}, "auth_token: is empty"),
        ({"auth_token": "a:b"}, "auth_token: is empty or not"),
        ({"auth_token": "a\nb"}, "auth_token: is empty or not"),
        ({"auth_token": None, "username": "a:b", "password": "x"}, "holds a colon"),
        ({"base_url": "http://voucherry.example"}, "plain http"),
        ({"provider": "smartpay"}, "provider"),
    ],
)
def test_a_mistake_is_named(changed: dict[str, object], named: str) -> None:
    """Each mistake in the settings is refused in words that name it."""
    with pytest.raises(ValidationError, match=named):
        settings(**changed)


def test_no_secret_is_shown() -> None:
    """Neither the settings nor an error about them shows the token."""
    assert "s3cret" not in repr(settings())
    with pytest.raises(ValidationError) as refused:
        settings(username="ada")
    assert "s3cret" not in str(refused.value)


def test_a_handler_is_bound_to_its_own_settings_only() -> None:
    """Another provider's settings are refused when a handler is bound."""
    assert provider.bind(settings()).account == settings()
    with pytest.raises(TypeError):
        provider.bind(None)  # type: ignore[arg-type]  # the mistake that is tested
