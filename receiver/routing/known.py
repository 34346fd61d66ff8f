"""What is known of resources: the ledger, and the ledger as it will be."""

from typing import Protocol


class Ledger(Protocol):
    """What is known of resources: the table as committed, or as a transaction will leave it."""

    def get(self, key: bytes, /) -> bytes | None:
        """Return what is held under ``key``, None if there is nothing."""


class Known:
    """The ledger as the cases so far leave it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._entered: dict[bytes, bytes] = {}

    def get(self, key: bytes, /) -> bytes | None:
        """Return what is held under ``key``, None if there is nothing."""
        return self._entered.get(key) or self._ledger.get(key)

    def enter(self, key: bytes, entry: bytes) -> None:
        """Have a resource's entry be this one."""
        self._entered[key] = entry
