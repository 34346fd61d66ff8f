"""The keys that may sign an account's webhooks, and telling them apart without telling them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

_FINGERPRINT_BYTES = 4
_PURPOSE = b"payevents-signer"
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key, what people call it, and the last day (UTC) on which it counts, None for no end."""

    name: str
    fingerprint: str
    secret: bytes = field(repr=False)
    until: date | None = None
    _inner: "_Hash" = field(init=False, repr=False, compare=False)
    _outer: "_Hash" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Half of the work on a small body is with the key alone, and done here once: the two hashes
        # that RFC 2104 makes an HMAC of, whose copies cost a third of what one of an HMAC does.
        begun = sha256()
        secret = self.secret
        if len(secret) > begun.block_size:
            secret = sha256(secret).digest()
        block = secret.ljust(begun.block_size, b"\0")
        object.__setattr__(self, "_inner", sha256(block.translate(_INNER)))
        object.__setattr__(self, "_outer", sha256(block.translate(_OUTER)))

    def mac(self, body: bytes) -> bytes:
        """Return the HMAC-SHA256 of ``body`` under this key."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(body)
        outer.update(inner.digest())
        return outer.digest()

    def counts_at(self, at: datetime) -> bool:
        """Tell whether a webhook received at ``at`` may be signed with it."""
        return self.until is None or at.astimezone(UTC).date() <= self.until


def fingerprint(account: str, secret: bytes) -> str:
    """Return eight hex digits that stand for a key of ``account`` in headers and in the log.

    They are salted with the account's name, so that equal keys of two accounts do not show as
    such, and are too few to find a key by: countless others have the same.
    """
    salt = blake2b(account.encode(), digest_size=blake2b.SALT_SIZE).digest()
    return blake2b(secret, digest_size=_FINGERPRINT_BYTES, salt=salt, person=_PURPOSE).hexdigest()
