"""UUIDs of version 5, as the 16 bytes they are: an object for each would cost more than its hash.

Source: RFC 9562, section 5.5.
"""

from hashlib import sha1

_BYTES = 16


def uuid5(namespace: bytes, name: str) -> bytes:
    """Return the bytes of the UUID that ``name`` has in ``namespace``, as the standard library's.

    Raises:
        UnicodeEncodeError: the name holds lone surrogates.
    """
    raw = bytearray(sha1(namespace + name.encode(), usedforsecurity=False).digest()[:_BYTES])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    return bytes(raw)


def uuid_text(raw: bytes) -> str:
    """Return the UUID of 16 bytes in its usual form."""
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
