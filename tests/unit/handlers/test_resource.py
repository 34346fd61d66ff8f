"""The names of resources: no two resources share one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.fact import RANKS
from handlers.jsontext import Json
from handlers.resource import ResourceKey, encode, inbox_key_of, unknown_key, usable_id

NAMES = st.sampled_from(["acme", "shop", "test", "a-b", "invoice", "unknown"])
IDS = st.text(alphabet="a/%2F~. é\x00\U0001f352", max_size=6) | st.sampled_from(
    ["test", "a%2Fb", "a/b", "test/invoice/1", "created", "..", "unknown"]
)
RESOURCES = st.builds(ResourceKey, NAMES, NAMES, st.sampled_from(sorted(RANKS)), IDS, st.booleans())


def test_a_resource_has_its_names() -> None:
    """Source, subject and keys are made as the public contract shows."""
    live = ResourceKey("smartpay", "shop", "invoice", "a/b c")
    assert live.source == "/smartpay/shop"
    assert live.subject == "invoice/a%2Fb%20c"
    assert live.partition_key == "smartpay/shop/invoice/a%2Fb%20c"
    assert live.inbox_key == live.partition_key


def test_test_data_is_a_source_of_its_own() -> None:
    """Test data differ in source and partition key, and share the inbox key with live data."""
    test = ResourceKey("smartpay", "shop", "invoice", "1", test=True)
    assert test.source == "/smartpay/shop/test"
    assert test.partition_key == "smartpay/shop/test/invoice/1"
    assert test.inbox_key == "smartpay/shop/invoice/1"


@given(RESOURCES, RESOURCES)
def test_different_resources_have_different_partition_keys(
    one: ResourceKey, other: ResourceKey
) -> None:
    """The partition key is injective in provider, account, kind, id and test."""
    assert (one.partition_key == other.partition_key) == (one == other)


@given(RESOURCES, RESOURCES)
def test_inbox_keys_tell_all_but_test_and_live_apart(one: ResourceKey, other: ResourceKey) -> None:
    """The inbox key is injective in provider, account, kind and id."""
    named = [(each.provider, each.account, each.kind, each.id) for each in (one, other)]
    assert (one.inbox_key == other.inbox_key) == (named[0] == named[1])


@given(RESOURCES)
def test_the_inbox_key_follows_from_the_partition_key(resource: ResourceKey) -> None:
    """Whoever moves a ledger entry finds the partition of its observations by its own key."""
    assert inbox_key_of(resource.partition_key) == resource.inbox_key


def test_no_kind_could_be_taken_for_something_else() -> None:
    """No kind is called as the words that stand where a kind could stand."""
    assert not RANKS.keys() & {"test", "unknown"}
    assert all(encode(name) == name for kind, ranks in RANKS.items() for name in (kind, *ranks))


@given(st.text(), st.text())
def test_encoding_is_injective_and_leaves_no_separator(one: str, other: str) -> None:
    """Different texts are encoded differently, in ASCII and without a slash."""
    assert (encode(one) == encode(other)) == (one == other)
    assert encode(one).isascii()
    assert "/" not in encode(one)


def test_what_names_no_resource_is_keyed_by_its_digest() -> None:
    """The key of an observation without a resource holds its digest."""
    assert unknown_key("smartpay", "shop", "ab12") == "smartpay/shop/unknown/ab12"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("aBc123", "aBc123"),
        (" 7 ", "7"),
        (7, "7"),
        (0, "0"),
        (-1, "-1"),
        (10**30, "1" + "0" * 30),
        ("7.0", "7.0"),
        ("", None),
        (" \t\n", None),
        (None, None),
        (True, None),
        (False, None),
        (Decimal("7.0"), None),
        ([7], None),
        ({"id": 7}, None),
    ],
)
def test_an_id_is_text_or_a_whole_number(value: Json, found: str | None) -> None:
    """Ids come as text and as whole numbers, and mean the same; nothing else is an id."""
    assert usable_id(value) == found


@pytest.mark.parametrize("value", ["7" * 256, int("7" * 256), "\U0001f352" * 256])
def test_an_id_of_any_length_is_none(value: Json) -> None:
    """It would be in a record's key and headers, and Kafka would refuse the record for ever."""
    assert usable_id(value) is None
    assert usable_id("7" * 255) == "7" * 255
