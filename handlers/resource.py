"""The name of one provider resource, and the strings made from it."""

import re
from urllib.parse import quote

import msgspec

from handlers.jsontext import Json
from handlers.once import once

_TEST = "test"
"""Stands after the account's name in the keys of test data. No kind is called so."""

LONGEST_ID = 255
"""Characters. An id is in the record's key, its headers and several fields: one of any length would
make a record that Kafka refuses, again and again."""

_is_plain = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch


def encode(text: str) -> str:
    """Percent-encode ``text`` injectively, so that it cannot run into its neighbours."""
    # Most ids are letters and digits, of which Python tells sooner than an expression does.
    if text.isalnum() and text.isascii():
        return text
    return text if _is_plain(text) else quote(text, safe="")


class Names(msgspec.Struct, frozen=True, gc=False):
    """The names that are made of a resource's key: as its properties say."""

    source: str
    subject: str
    partition_key: str


class ResourceKey(msgspec.Struct, frozen=True, dict=True):
    """One invoice, order, transaction or transfer of one account.

    Test data is a resource of its own: a test can never hide or alter a live fact.
    """

    provider: str
    account: str
    kind: str
    id: str
    test: bool = False

    @once
    def names(self) -> Names:
        """Return what it is called in events, records and the ledger."""
        owner = f"{self.provider}/{self.account}"
        if self.test:
            owner = f"{owner}/{_TEST}"
        subject = f"{self.kind}/{encode(self.id)}"
        return Names(f"/{owner}", subject, f"{owner}/{subject}")

    @property
    def source(self) -> str:
        """Return the CloudEvents ``source``, for example ``/smartpay/shop``."""
        return self.names.source

    @property
    def subject(self) -> str:
        """Return the CloudEvents ``subject``, for example ``invoice/aBc123``."""
        return self.names.subject

    @property
    def partition_key(self) -> str:
        """Return the key of this resource's events and ledger entry."""
        return self.names.partition_key

    @property
    def inbox_key(self) -> str:
        """Return the key of this resource's observations.

        Test and live data of one id share it, so that the receiver need not tell them apart.
        """
        return inbox_key(self.provider, self.account, self.kind, self.id)


def inbox_key(provider: str, account: str, kind: str, id: str) -> str:  # noqa: A002
    """Return the key of the observations of the resource that is called so."""
    return f"{provider}/{account}/{kind}/{encode(id)}"


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
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
    else:
        return None
    return text if 0 < len(text) <= LONGEST_ID else None
