"""Two providers' settings, with every form of secret, for the tests of this folder."""

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, model_validator

from config.account import AccountSettings
from config.group import Group
from config.loading import load
from config.problems import ConfigError, Problem
from config.settings import Settings


class FormerKey(Group):
    """A key that ends, written as a table or as text."""

    key: SecretStr = Field(description="The key itself.")
    until: date | None = Field(default=None, description="The last day it counts.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, written: object) -> object:
        return {"key": written} if isinstance(written, str) else written


class SignedAccount(AccountSettings):
    """An account whose webhooks are signed."""

    base_url: str = "https://signed.example"
    api_key: SecretStr = Field(description="The key that signs.")
    former_keys: tuple[FormerKey, ...] = Field(default=(), description="Keys still accepted.")
    labels: tuple[str | FormerKey, ...] = Field(default=(), description="Text or tables.")
    version: int = Field(default=1, description="The version of the API.")

    def signing_key_fingerprints(self) -> frozenset[str]:
        """Fingerprint the key and the former ones."""
        secrets = [self.api_key, *(former.key for former in self.former_keys)]
        return frozenset(sha256(s.get_secret_value().encode()).hexdigest() for s in secrets)


class PolledAccount(AccountSettings):
    """An account that is polled."""

    token: SecretStr | None = Field(default=None, description="The token, if there is one.")
    codes: tuple[SecretStr, ...] = Field(default=(), description="Codes, each a secret.")
    tags: tuple[str, ...] = Field(default=(), description="No secrets.")


MODELS: Mapping[str, type[AccountSettings]] = {"signed": SignedAccount, "polled": PolledAccount}


def load_text(
    tmp_path: Path, text: str, environ: Mapping[str, str] | None = None, **options: Any
) -> Settings:
    """Load settings from a file with this text."""
    path = tmp_path / "payevents.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ or {}, MODELS, **options)


def problems_of(
    tmp_path: Path, text: str, environ: Mapping[str, str] | None = None
) -> dict[str, Problem]:
    """Load a text that is refused, and return its problems by their place."""
    try:
        load_text(tmp_path, text, environ)
    except ConfigError as error:
        return {problem.where: problem for problem in error.problems}
    return {}
