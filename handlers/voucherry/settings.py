"""The settings of a Voucherry account."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, SecretStr

from config.account import AccountSettings
from config.problems import Mistake
from config.urls import BaseUrl


class VoucherrySettings(AccountSettings):
    """One Voucherry user: known by an API token, or by user name and password."""

    provider: Literal["voucherry"] = Field(
        default="voucherry", description="The provider that this account is at."
    )
    base_url: BaseUrl = Field(
        default="https://voucherry.com/api/v1",
        description="Where the provider's API is, without a trailing slash. https, unless the host"
        " is this machine or `allow_http` is set.",
    )
    auth_token: SecretStr | None = Field(default=None, description="The user's API token.")
    username: str | None = Field(
        default=None, description="The user's name, instead of `auth_token`; needs `password`."
    )
    password: SecretStr | None = Field(default=None, description="The password of `username`.")
    calls: int = Field(
        default=600, ge=1, description="How many requests the provider gets at most in `calls_per`."
    )

    def credentials(self) -> tuple[str, ...]:
        """The token, or the user's name and password."""
        secrets = (self.auth_token, self.password)
        told = ("" if each is None else each.get_secret_value() for each in secrets)
        return (self.username or "", *told)

    def mistakes(self) -> Iterable[Mistake]:
        """No way or two ways to be known, or what HTTP Basic cannot carry."""
        yield from super().mistakes()
        token = None if self.auth_token is None else self.auth_token.get_secret_value()
        named = self.username is not None or self.password is not None
        if token is None and not named:
            yield Mistake("auth_token", "is missing", "set it, or username and password")
        if token is not None and named:
            yield Mistake("auth_token", "is set beside username or password", "leave one out")
        if named and (self.username is None or self.password is None):
            missing = "username" if self.username is None else "password"
            yield Mistake(missing, "is missing", "username and password go together")
        if token is not None and not _is_user_id(token):
            yield Mistake("auth_token", "is empty or not a token", "copy it again")
        if self.username is not None and not _is_user_id(self.username):
            yield Mistake("username", "is empty or holds a colon", "HTTP Basic cannot carry it")


def _is_user_id(text: str) -> bool:
    """Tell whether HTTP Basic can carry ``text`` as the user's name (RFC 7617, section 2)."""
    return bool(text.strip()) and ":" not in text and text.isprintable()
