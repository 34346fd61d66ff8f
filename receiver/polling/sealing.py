"""What may be kept of an account's secrets where others can read it.

The watchlist is a topic of Kafka. A token in it can be read only with the account's credentials,
and of the credentials themselves there is but a fingerprint.
"""

import base64
import json

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.account import AccountSettings

_TOKEN, _FINGERPRINT = b"payevents token", b"payevents fingerprint"
_FERNET_KEY, _FINGERPRINT_BYTES = 32, 8


def fingerprint(account: AccountSettings) -> str:
    """Return what tells whether the credentials, or where they are used, have changed."""
    return _derived(account, _FINGERPRINT, _FINGERPRINT_BYTES).hex()


class Seal:
    """Encrypts the tokens of one account with a key that follows from its credentials."""

    def __init__(self, account: AccountSettings) -> None:
        self._account = account
        self._sealed: tuple[str, bytes] | None = None

    def close(self, token: str) -> bytes | None:
        """Return the token encrypted, the same each time; None if the account has no secret."""
        if not any(self._account.credentials()):
            return None
        if self._sealed is None or self._sealed[0] != token:
            self._sealed = (token, self._fernet().encrypt(token.encode()))
        return self._sealed[1]

    def open(self, sealed: bytes) -> str | None:
        """Return the token, None if it was not sealed with these credentials."""
        try:
            return self._fernet().decrypt(sealed).decode()
        except (InvalidToken, UnicodeDecodeError):
            return None

    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(_derived(self._account, _TOKEN, _FERNET_KEY)))


def _derived(account: AccountSettings, purpose: bytes, length: int) -> bytes:
    """Return bytes that follow from the credentials of this account at this place (RFC 5869)."""
    salt = json.dumps([account.provider, account.name, account.base_url]).encode()
    secret = json.dumps(account.credentials()).encode()
    return HKDF(SHA256(), length, salt, purpose).derive(secret)
