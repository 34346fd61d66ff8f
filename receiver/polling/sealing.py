"""What may be kept of an account's secrets where others can read it.

The watchlist is a topic of Kafka. A token in it can be read only with the account's credentials,
and of the credentials themselves there is but a fingerprint. Whoever reads the topic could try
passwords on either: so there are no tokens but of accounts with keys, and a fingerprint takes long.
"""

import base64
import hashlib
import json

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.account import AccountSettings

_TOKEN = b"payevents token"
_FERNET_KEY, _FINGERPRINT_BYTES = 32, 8
_SCRYPT_COST, _SCRYPT_BLOCKS = 2**13, 8
"""8 MiB and about 25 ms: the event loop can wait so long, seldom."""


def fingerprint(account: AccountSettings) -> str:
    """Return what tells whether the credentials, or where they are used, have changed.

    It takes tens of milliseconds (RFC 7914): for where calls fail, and not for each call.
    """
    return hashlib.scrypt(
        _secret(account),
        salt=_salt(account),
        n=_SCRYPT_COST,
        r=_SCRYPT_BLOCKS,
        p=1,
        dklen=_FINGERPRINT_BYTES,
    ).hex()


class Seal:
    """Encrypts the tokens of one account with a key that follows from its credentials."""

    def __init__(self, account: AccountSettings) -> None:
        self._account = account
        self._is_strong = account.has_strong_credentials() and any(account.credentials())
        self._sealed: tuple[str, bytes] | None = None

    def close(self, token: str) -> bytes | None:
        """Return the token encrypted, the same each time; None if it could be read by guessing."""
        if not self._is_strong:
            return None
        if self._sealed is None or self._sealed[0] != token:
            self._sealed = (token, self._fernet().encrypt(token.encode()))
        return self._sealed[1]

    def open(self, sealed: bytes) -> str | None:
        """Return the token, None if it was not sealed with these credentials."""
        if not self._is_strong:
            return None
        try:
            return self._fernet().decrypt(sealed).decode()
        except (InvalidToken, UnicodeDecodeError):
            return None

    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._key()))

    def _key(self) -> bytes:
        """Return a key that follows from strong credentials (RFC 5869)."""
        derivation = HKDF(SHA256(), _FERNET_KEY, _salt(self._account), _TOKEN)
        return derivation.derive(_secret(self._account))


def _salt(account: AccountSettings) -> bytes:
    return json.dumps([account.provider, account.name, account.base_url]).encode()


def _secret(account: AccountSettings) -> bytes:
    return json.dumps(account.credentials()).encode()
