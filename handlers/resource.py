"""The name of one provider resource, and the strings made from it."""

from dataclasses import dataclass
from urllib.parse import quote

from handlers.jsontext import Json

_TEST = "test"
"""Stands after the account's name in the keys of test data. No kind is called so."""

LONGEST_ID = 255
"""Characters. An id is in the record's key, its headers and several fields: one of any length would
make a record that Kafka refuses, again and again."""


def encode(text: str) -> str:
    """Percent-encode ``text`` injectively, so that it cannot run into its neighbours."""
    return quote(text, safe="")


@dataclass(frozen=True, slots=True)
class ResourceKey:
    """One invoice, order, transaction or transfer of one account.

    Test data is a resource of its own: a test can never hide or alter a live fact.
    """

    provider: str
    account: str
    kind: str
    id: str
    test: bool = False

    @property
    def source(self) -> str:
        """Return the CloudEvents ``source``, for example ``/smartpay/shop``."""
        return f"/{self._owner}"

    @property
    def subject(self) -> str:
        """Return the CloudEvents ``subject``, for example ``invoice/aBc123``."""
        return f"{self.kind}/{encode(self.id)}"

    @property
    def partition_key(self) -> str:
        """Return the key of this resource's events and ledger entry."""
        return f"{self._owner}/{self.subject}"

    @property
    def inbox_key(self) -> str:
        """Return the key of this resource's observations.

        Test and live data of one id share it, so that the receiver need not tell them apart.
        """
        return f"{self.provider}/{self.account}/{self.subject}"

    @property
    def _owner(self) -> str:
        owner = f"{self.provider}/{self.account}"
        return f"{owner}/{_TEST}" if self.test else owner


def inbox_key_of(partition_key: str) -> str:
    """Return the inbox key of the resource whose events have ``partition_key``."""
    provider, account, *others = partition_key.split("/")
    if others[0] == _TEST:
        others = others[1:]
    return "/".join((provider, account, *others))


def unknown_key(provider: str, account: str, digest: str) -> str:
    """Return the inbox key of an observation that names no resource; ``digest`` is its SHA-256."""
    return f"{provider}/{account}/unknown/{digest}"


def usable_id(value: Json) -> str | None:
    """Return a provider's id as text, or None where there is none that could name a resource.

    Providers send ids as strings and as whole numbers; ``7`` and ``"7"`` name the same resource.
    What is longer than :data:`LONGEST_ID` is none.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= LONGEST_ID else None
