"""UUIDs of version 5, as the 16 bytes they are: an object for each would cost more than its hash.

Source: RFC 9562, section 5.5.
"""

from binascii import hexlify
from hashlib import sha1
from struct import Struct

_BYTES = 16
_HASHED = ~(0xF << 76 | 0b11 << 62)
"""All bits but those that say what sort of UUID it is: version and variant."""
_VERSION_5 = 0x5 << 76 | 0b10 << 62
_groups = Struct("8s4s4s4s12s").unpack
"""Of the 32 digits."""


def uuid5(namespace: bytes, name: str) -> bytes:
    """Return the bytes of the UUID that ``name`` has in ``namespace``, as the standard library's.

    Raises:
        UnicodeEncodeError: the name holds lone surrogates.
    """
    hashed = sha1(namespace + name.encode(), usedforsecurity=False).digest()[:_BYTES]
    return (int.from_bytes(hashed) & _HASHED | _VERSION_5).to_bytes(_BYTES)


def uuid_text(raw: bytes) -> str:
    """Return the UUID of 16 bytes in its usual form."""
    return b"-".join(_groups(hexlify(raw))).decode()
