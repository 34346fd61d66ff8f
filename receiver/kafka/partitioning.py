"""Which partition a key belongs to: as Kafka's own default partitioner says, and faster.

Source: ``org.apache.kafka.common.utils.Utils.murmur2``. aiokafka has it too, byte by byte; every
record and every ledger entry passes here, and no library in use has it in C.
"""

from functools import lru_cache
from struct import Struct

_SEED = 0x9747B28C
_FACTOR = 0x5BD1E995
_WORD = 0xFFFF_FFFF
_POSITIVE = 0x7FFF_FFFF
_HEADS = 16_384
"""What keys begin with, by length: an account has some ten of these, and there may be thousands."""
_words = Struct("<I").iter_unpack


def key_hash(key: bytes) -> int:
    """Return Kafka's hash of ``key``: 31 bits, never negative."""
    size = len(key)
    # The keys of an account's resources differ after their last slash, and what comes before it
    # is hashed once for all keys of one length.
    shared = key.rfind(b"/") + 1 & ~3
    whole = size & ~3
    mixed = _mixed(_begun(key[:shared], size), key[shared:whole])
    if whole < size:
        mixed = (mixed ^ int.from_bytes(key[whole:], "little")) * _FACTOR & _WORD
    mixed = (mixed ^ mixed >> 13) * _FACTOR & _WORD
    return (mixed ^ mixed >> 15) & _POSITIVE


def partition_for(key: bytes, partitions: int) -> int:
    """Return the partition of ``key`` among so many, as Kafka's own default partitioner chooses."""
    return key_hash(key) % partitions


class Hashes:
    """The hashes of the keys of one batch, each worked out once."""

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}

    def partition_for(self, key: bytes, partitions: int) -> int:
        """Return what :func:`partition_for` does."""
        hashed = self._known.get(key)
        if hashed is None:
            hashed = self._known[key] = key_hash(key)
        return hashed % partitions


@lru_cache(_HEADS)
def _begun(head: bytes, size: int) -> int:
    return _mixed(_SEED ^ size, head)


def _mixed(mixed: int, words: bytes) -> int:
    for (word,) in _words(words):
        scrambled = word * _FACTOR & _WORD
        mixed = (mixed * _FACTOR ^ (scrambled ^ scrambled >> 24) * _FACTOR) & _WORD
    return mixed
