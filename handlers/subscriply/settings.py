"""The settings of a Subscriply account: one user at one Subscriply site."""

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, SecretStr

from config.account import HistorySettings
from config.problems import Mistake, nearest
from handlers.money import DECIMALS

_CURRENCIES = sorted(set(DECIMALS) - {"cherries"})
_EMAIL = re.compile(r"[!-~]+@[!-~]+")
_PATH = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_HEADER_VALUE = re.compile(r"[!-~]+")


class SubscriplySettings(HistorySettings):
    """One user of a Subscriply site, and how to sign in as that user."""

    provider: Literal["subscriply"] = Field(
        default="subscriply", description="The provider that this account is at."
    )
    email: str = Field(description="The user's e-mail address.")
    password: SecretStr | None = Field(
        default=None, description="The user's password, with which tokens are fetched."
    )
    token: SecretStr | None = Field(
        default=None,
        description="An authentication token of the user, instead of the password. When Subscriply"
        " no longer accepts it, polling stops with an alarm.",
    )
    currency: str = Field(
        description="The currency of all amounts, since Subscriply states none: "
        + ", ".join(_CURRENCIES)
        + "."
    )
    sign_in_path: str = Field(
        default="/authentication/sign_in",
        description="Where to sign in, below `base_url`. Sites differ from the documents here.",
    )
    calls: int = Field(
        default=600, ge=1, description="How many requests the provider gets at most in `calls_per`."
    )

    def credentials(self) -> tuple[str, ...]:
        """The user, and the password or token; where to sign in matters too."""
        given = (self.password, self.token)
        secrets = ("" if each is None else each.get_secret_value() for each in given)
        return (self.email, self.sign_in_path, *secrets)

    def mistakes(self) -> Iterable[Mistake]:
        """No way or two ways to sign in, what cannot be sent, or an unknown currency."""
        yield from super().mistakes()
        if (self.password is None) == (self.token is None):
            said = "are both missing" if self.password is None else "are both set"
            yield Mistake("password", f"and token {said}", "set exactly one of the two")
        if self.password is not None and not self.password.get_secret_value():
            yield Mistake("password", "is empty", "write the user's password")
        if self.token is not None and not sendable(self.token.get_secret_value()):
            yield Mistake("token", "is empty or holds white space", "copy it again")
        if not _EMAIL.fullmatch(self.email):
            yield Mistake("email", "is not an e-mail address", "write it as user@host")
        if not _PATH.fullmatch(self.sign_in_path):
            yield Mistake(
                "sign_in_path", "is not a plain path", "write it as /authentication/sign_in"
            )
        if self.currency not in _CURRENCIES:
            meant = nearest(self.currency.upper(), _CURRENCIES)
            fix = f"did you mean {meant}?" if meant else f"use one of {', '.join(_CURRENCIES)}"
            yield Mistake("currency", "is not known", fix)


def sendable(token: str) -> bool:
    """Tell whether a token can travel in a header: visible ASCII, and not empty."""
    return _HEADER_VALUE.fullmatch(token) is not None
