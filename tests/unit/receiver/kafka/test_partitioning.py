"""Which partition a key belongs to."""

from aiokafka.partitioner import murmur2
from hypothesis import example, given
from hypothesis import strategies as st

from receiver.kafka.partitioning import Hashes, key_hash, partition_for

KEYS = st.binary(max_size=40) | st.lists(st.binary(max_size=9), max_size=6).map(b"/".join)


@given(KEYS, st.integers(1, 300))
@example(b"smartpay/shop/invoice/aBc123", 12)
@example(b"", 1)
def test_a_key_belongs_where_other_clients_put_it(key: bytes, partitions: int) -> None:
    """Kafka's hash to the last bit, also of keys whose beginning was hashed before."""
    expected = murmur2(key) & 0x7FFFFFFF
    assert key_hash(key) == expected
    assert partition_for(key, partitions) == expected % partitions


@given(st.lists(KEYS, max_size=9))
def test_a_hash_that_is_remembered_is_the_same(keys: list[bytes]) -> None:
    """Asked again, and for other numbers of partitions."""
    hashes = Hashes()
    for partitions in (1, 12, 200):
        for key in keys:
            assert hashes.partition_for(key, partitions) == partition_for(key, partitions)
