"""What of an account's secrets is kept where others can read it."""

import hashlib
from typing import Any

import pytest
from pydantic import SecretStr

from config.account import AccountSettings
from handlers.smartpay.settings import SmartPaySettings
from handlers.subscriply.settings import SubscriplySettings
from handlers.voucherry.settings import VoucherrySettings
from receiver.polling.sealing import Seal, fingerprint

from .world import settings

KEY = "k3y-of-the-merchant"


def merchant(**changed: object) -> SmartPaySettings:
    """Return a SmartPay account, but for what is ``changed``."""
    return SmartPaySettings.model_validate({"name": "shop", "api_key": KEY, **changed})


def test_a_token_is_read_only_with_the_credentials_that_sealed_it() -> None:
    """Another key, another account and another place cannot; nor can it be seen."""
    sealed = Seal(merchant()).close("the-token")
    assert sealed is not None
    assert b"the-token" not in sealed
    assert Seal(merchant(calls=7)).open(sealed) == "the-token"
    for other in (
        merchant(api_key="another"),
        merchant(name="other"),
        merchant(base_url="https://sandbox.example"),
    ):
        assert Seal(other).open(sealed) is None
    assert Seal(merchant()).open(b"no token") is None


def test_a_token_that_stays_is_sealed_once() -> None:
    """What is kept changes only with the token, though each sealing looks different."""
    seal = Seal(merchant())
    assert seal.close("one") == seal.close("one")
    assert seal.close("one") != seal.close("two")


MEMBERS = SubscriplySettings.model_validate(
    {"name": "s", "base_url": "https://s.example", "email": "a@b", "password": "p"}
    | {"currency": "CAD"}
)
VOUCHERS = VoucherrySettings.model_validate({"name": "v", "auth_token": "t"})


@pytest.mark.parametrize("account", [MEMBERS, VOUCHERS])
def test_what_a_password_would_open_is_not_sealed(account: AccountSettings) -> None:
    """Whoever reads the topic could try passwords on it, as many as they like."""
    assert Seal(account).close("the-token") is None
    assert Seal(account).open(b"a token") is None


def test_without_a_secret_nothing_is_sealed() -> None:
    """A key made of nothing would be anyone's."""
    assert Seal(settings()).close("the-token") is None


@pytest.mark.parametrize(
    ("account", "field", "changed"),
    [
        (merchant(), "api_key", SecretStr("another")),
        (merchant(), "base_url", "https://sandbox.example"),
        (merchant(api_version="2-0", iframe_key="i"), "iframe_key", SecretStr("j")),
        (MEMBERS, "password", SecretStr("q")),
        (VOUCHERS, "auth_token", SecretStr("u")),
    ],
)
def test_a_fingerprint_changes_with_the_credentials_alone(
    account: AccountSettings, field: str, changed: object
) -> None:
    """It shows that they changed, and not what they are."""
    assert fingerprint(account) == fingerprint(account.model_copy(update={"calls": 7}))
    assert fingerprint(account) != fingerprint(account.model_copy(update={field: changed}))
    assert len(fingerprint(account)) == 16
    assert KEY not in fingerprint(account)


def test_a_fingerprint_is_made_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """By scrypt, with a salt of the account's own: passwords cannot be tried by the million."""
    asked: dict[str, Any] = {}

    def scrypt(secret: bytes, **given: Any) -> bytes:
        asked.update(given, secret=secret)
        return b"12345678"

    monkeypatch.setattr(hashlib, "scrypt", scrypt)
    assert fingerprint(MEMBERS) == b"12345678".hex()
    assert 128 * asked["n"] * asked["r"] >= 8 * 2**20
    assert b'"s"' in asked["salt"]
