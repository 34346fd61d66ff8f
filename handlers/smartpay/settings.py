"""The settings of a SmartPay account."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Literal

from pydantic import Field, SecretStr

from config.account import AccountSettings
from config.group import Group
from config.problems import Mistake
from config.types import Interval
from config.urls import BaseUrl

_NOT_YET = {
    "manage_webhooks": "subscribe the topics at SmartPay by hand",
    "import_since": "older facts are published like any other",
}
"""Keys of parts still to come, and what holds meanwhile."""


class PreviousKey(Group):
    """An API key that was replaced, and the last day on which its signatures count."""

    key: SecretStr = Field(description="The key.")
    until: date = Field(description="The last day (UTC) on which webhooks may be signed with it.")


class SmartPaySettings(AccountSettings):
    """One SmartPay merchant.

    The budget of calls is low because SmartPay disables accounts that call its API too often.
    """

    provider: Literal["smartpay"] = Field(
        default="smartpay", description="The provider that this account is at."
    )
    base_url: BaseUrl = Field(
        default="https://api.smartpay.curexe.com",
        description="Where the provider's API is, without a trailing slash. https, unless the host"
        " is this machine or `allow_http` is set.",
    )
    calls: int = Field(
        default=60,
        ge=1,
        description="How many requests the provider gets at most in `calls_per`. SmartPay disables"
        " accounts that call too often.",
    )
    calls_per: Interval = Field(
        default=timedelta(hours=1), description="The time in which `calls` are counted."
    )
    concurrency: int = Field(
        default=1, ge=1, description="How many requests to the provider are under way at once."
    )
    api_key: SecretStr = Field(
        description="The merchant's API key: it signs in at the API, and signs the webhooks."
    )
    previous_api_keys: list[SecretStr | PreviousKey] = Field(
        default=[],
        description="API keys that were replaced and whose signatures are still accepted, each the"
        ' key or { key = "...", until = 2026-12-31 }.',
    )
    signing_keys: list[SecretStr] = Field(
        default=[],
        description="Further keys that webhooks may be signed with, such as the iframe key, which"
        " some of SmartPay's integrations use.",
    )
    api_version: Literal["1-2", "2-0"] = Field(
        default="1-2", description="The version of SmartPay's API to speak."
    )
    iframe_key: SecretStr | None = Field(
        default=None, description="The merchant's iframe key; version 2-0 signs in with it."
    )
    manage_webhooks: bool = Field(
        default=False,
        description="Register this service's URL at SmartPay, and keep it registered.",
    )
    webhook_check_interval: Interval = Field(
        default=timedelta(minutes=10), description="How often the registration is looked at."
    )
    reconcile_interval: Interval = Field(
        default=timedelta(minutes=15),
        description="How often the listings are read for what no webhook told.",
    )
    reconcile_lookback: Interval = Field(
        default=timedelta(days=30), description="How far back a reconciliation looks."
    )
    trust_topic_header: bool = Field(
        default=False,
        description="Believe what a webhook's topic claims where its body is silent. The topic is"
        " not signed: whoever has seen one signed body could then forge a payment with it.",
    )
    import_since: date | None = Field(
        default=None,
        description="Facts from before this day (UTC) are only remembered, never published.",
    )

    def accepted_keys(self, received_at: datetime | None = None) -> Iterator[bytes]:
        """Yield each key that may have signed a webhook received at ``received_at``.

        Without a time no previous key has run out.
        """
        yield _bytes(self.api_key)
        for previous in self.previous_api_keys:
            if isinstance(previous, SecretStr):
                yield _bytes(previous)
            elif received_at is None or received_at.astimezone(UTC).date() <= previous.until:
                yield _bytes(previous.key)
        for key in self.signing_keys:
            yield _bytes(key)

    def signing_key_fingerprints(self) -> frozenset[str]:
        """The sha256, in hexadecimal, of every key that may sign this account's webhooks."""
        return frozenset(sha256(key).hexdigest() for key in self.accepted_keys())

    def warnings(self) -> list[str]:
        """What works but should be known: a sentence each, without the account's name."""
        told = super().warnings()
        if self.trust_topic_header:
            told.append(
                "trust_topic_header is set: the topic is not signed, so anyone who has seen one"
                " signed body can forge a payment with it"
            )
        told += [
            f"{key} has no effect yet: {instead}"
            for key, instead in _NOT_YET.items()
            if getattr(self, key)
        ]
        return told

    def mistakes(self) -> Iterable[Mistake]:
        """An empty key, with which anyone could sign, or no iframe key where it is needed."""
        yield from super().mistakes()
        if self.api_version == "2-0" and self.iframe_key is None:
            yield Mistake(
                "iframe_key", "is missing", 'version 2-0 needs it; set it, or api_version = "1-2"'
            )
        for field, keys in self._keys_by_field().items():
            if any(not key.get_secret_value().strip() for key in keys):
                yield Mistake(field, "holds an empty key", "copy the key again, or leave it out")

    def _keys_by_field(self) -> dict[str, list[SecretStr]]:
        previous = (k if isinstance(k, SecretStr) else k.key for k in self.previous_api_keys)
        return {
            "api_key": [self.api_key],
            "previous_api_keys": list(previous),
            "signing_keys": self.signing_keys,
            "iframe_key": [] if self.iframe_key is None else [self.iframe_key],
        }


def _bytes(key: SecretStr) -> bytes:
    return key.get_secret_value().encode()
