"""The settings of a SmartPay account."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Literal

from pydantic import Field, SecretStr

from config.account import HistorySettings
from config.group import Group
from config.problems import Mistake
from config.types import Interval
from config.urls import BaseUrl
from handlers.smartpay.keys import SigningKey, fingerprint

_CALLS_OF_A_RECONCILIATION = 2
"""One for the invoices, one for the orders, while nothing older is due."""


class PreviousKey(Group):
    """An API key that was replaced, and the last day on which its signatures count."""

    key: SecretStr = Field(description="The key.")
    until: date = Field(description="The last day (UTC) on which webhooks may be signed with it.")


class SmartPaySettings(HistorySettings):
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
    backoff_min: Interval = Field(
        default=timedelta(minutes=1),
        description="The shortest pause after a failure; it doubles with each that follows, up to"
        " `backoff_max`.",
    )
    backoff_max: Interval = Field(
        default=timedelta(hours=6),
        description="The longest pause between tries while the provider fails. SmartPay disables"
        " accounts that go on calling after errors.",
    )
    concurrency: int = Field(
        default=1, ge=1, description="How many requests to the provider are under way at once."
    )
    api_key: SecretStr = Field(
        description="The merchant's API key: it signs in at the API, and signs the webhooks."
    )
    next_api_key: SecretStr | None = Field(
        default=None,
        description="The API key that is about to be set at SmartPay: its signatures are accepted"
        " already, and it is used for nothing else. docs/smartpay.md has the steps.",
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
        description="How often the listings are read for what no webhook told: two calls each"
        " time, and more for changes of what is older.",
    )
    reconcile_lookback: Interval = Field(
        default=timedelta(days=30),
        description="How old an invoice or order may be for its changes to be found, and how far"
        " back the first reading goes. What is older is read by `payevents reconcile`.",
    )
    trust_topic_header: bool = Field(
        default=False,
        description="Believe what a webhook's topic claims where its body is silent. The topic is"
        " not signed: whoever has seen one signed body could then forge a payment with it.",
    )

    def accepted_keys(self) -> Iterator[SigningKey]:
        """Yield each key that may ever have signed a webhook of this account."""
        yield self._signing_key("api_key", self.api_key)
        if self.next_api_key is not None:
            yield self._signing_key("next_api_key", self.next_api_key)
        for index, previous in enumerate(self.previous_api_keys):
            name = f"previous_api_keys[{index}]"
            if isinstance(previous, SecretStr):
                yield self._signing_key(name, previous)
            else:
                until = previous.until
                yield self._signing_key(f"{name} (until {until})", previous.key, until)
        for index, key in enumerate(self.signing_keys):
            yield self._signing_key(f"signing_keys[{index}]", key)

    def credentials(self) -> tuple[str, ...]:
        """The key that signs in, and in version 2-0 the iframe key beside it."""
        named = self.iframe_key if self.api_version == "2-0" else None
        iframe = "" if named is None else named.get_secret_value()
        return (self.api_version, self.api_key.get_secret_value(), iframe)

    def has_strong_credentials(self) -> bool:
        """Both are keys that SmartPay makes up."""
        return True

    def needs_public_url(self) -> bool:
        """Whether the webhooks are registered by us."""
        return self.manage_webhooks

    def signing_key_fingerprints(self) -> frozenset[str]:
        """The sha256, in hexadecimal, of every key that may sign this account's webhooks."""
        return frozenset(sha256(key.secret).hexdigest() for key in self.accepted_keys())

    def signing_key_names(self, at: datetime | None = None) -> Mapping[str, str]:
        """What people call each key that may sign at ``at``, or ever, by its fingerprint.

        A key that is there twice goes by its first name.
        """
        names: dict[str, str] = {}
        for key in self.accepted_keys():
            if at is None or key.counts_at(at):
                names.setdefault(key.fingerprint, key.name)
        return names

    def warnings(self) -> list[str]:
        """What works but should be known, and after "; " what to do; without the account's name."""
        told = super().warnings()
        if self.trust_topic_header:
            told.append(
                "trust_topic_header is set: the topic is not signed, so anyone who has seen one"
                " signed body can forge a payment with it; leave it out, unless bodies are silent"
            )
        told += self._warnings_of_previous_keys(datetime.now(UTC).date())
        if 2 * _CALLS_OF_A_RECONCILIATION * self.calls_per > self.calls * self.reconcile_interval:
            told.append(
                "reconcile_interval takes more than half of calls: what is older is then read late;"
                " lengthen it, or raise calls if SmartPay lets you"
            )
        return told

    def mistakes(self) -> Iterable[Mistake]:
        """An empty key, with which anyone could sign, or no iframe key where it is needed."""
        yield from super().mistakes()
        if self.api_version == "2-0" and self.iframe_key is None:
            yield Mistake(
                "iframe_key", "is missing", 'version 2-0 needs it; set it, or api_version = "1-2"'
            )
        if self.next_api_key == self.api_key:
            yield Mistake(
                "next_api_key",
                "is the same key as api_key",
                "leave it out: it is for a key that SmartPay does not use yet",
            )
        if self.reconcile_lookback < self.reconcile_interval:
            yield Mistake(
                "reconcile_lookback",
                "is shorter than reconcile_interval",
                "what happens in between would never be read: make it a day at least",
            )
        for field, keys in self._keys_by_field().items():
            if any(not key.get_secret_value().strip() for key in keys):
                yield Mistake(field, "holds an empty key", "copy the key again, or leave it out")

    def _warnings_of_previous_keys(self, today: date) -> Iterator[str]:
        for index, previous in enumerate(self.previous_api_keys):
            name = f"previous_api_keys[{index}]"
            if isinstance(previous, SecretStr):
                yield f'{name} has no last day; write {{ key = "...", until = 2026-12-31 }}'
            elif previous.until < today:
                yield f"{name} counted until {previous.until}; leave it out"

    def _signing_key(self, name: str, key: SecretStr, until: date | None = None) -> SigningKey:
        secret = key.get_secret_value().encode()
        return SigningKey(name, fingerprint(self.name, secret), secret, until)

    def _keys_by_field(self) -> dict[str, list[SecretStr]]:
        previous = (k if isinstance(k, SecretStr) else k.key for k in self.previous_api_keys)
        return {
            "api_key": [self.api_key],
            "next_api_key": [] if self.next_api_key is None else [self.next_api_key],
            "previous_api_keys": list(previous),
            "signing_keys": self.signing_keys,
            "iframe_key": [] if self.iframe_key is None else [self.iframe_key],
        }
