"""What keys a webhook, found without reading all of it."""

import hmac
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.jsontext import Unreadable, parse_object
from handlers.smartpay.body import find, keyed_by
from handlers.smartpay.keys import SigningKey

NAMES = (
    "invoice_id",
    "order_id",
    "data",
    "invoice",
    "order",
    "result",
    "amount",
    "date_paid",
    "is_dummy",
)
IDS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.just("x" * 256),
)


def bodies() -> st.SearchStrategy[dict[str, Any]]:
    """Return bodies with and without ids, at any depth, and where wrappers belong."""
    names = st.sampled_from(NAMES)
    return st.recursive(
        st.dictionaries(names, IDS),
        lambda inner: st.dictionaries(names, st.one_of(IDS, inner, st.lists(inner, max_size=2))),
        max_leaves=8,
    )


@given(bodies())
@example({"invoice_id": " ", "order_id": "o"})
@example({"invoice_id": "i", "data": {"invoice_id": "inner"}})
@example({"order_id": "o", "data": {"invoice_id": "inner"}})
@example({"order_id": "o", "amount": None})
@example({"order_id": "o", "invoice_id": ""})
@example({"order_id": "o", "invoice_id": " "})
def test_the_key_is_of_what_is_found(body: dict[str, Any]) -> None:
    """The receiver keys a body by the very resource that the router will find in it."""
    raw = json.dumps(body).encode()
    found = find(parse_object(raw))
    assert keyed_by(raw) == (None if found is None else (found.kind, found.id))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"invoice_id": "a", "invoice_id": "b"}',
        b'{"invoice_id": "a", "invoice_id": 7}',
        b'{"invoice_id": "a", "invoice_id": null, "order_id": "o"}',
        b'{"invoice_id": 7.0, "order_id": "o", "is_enabled": true}',
        b'{"invoice_id": "\\u0061"}',
        b'{"invoice\\u005fid": "a"}',
        b' {"amount": 1e400, "invoice_id": "a"}',
    ],
)
def test_it_is_also_where_json_leaves_something_open(raw: bytes) -> None:
    """Equal names, escapes, and numbers that are not whole in writing."""
    try:
        found = find(parse_object(raw))
    except Unreadable:
        # Nobody will read it: any key is as good.
        assert keyed_by(raw) == ("invoice", "a")
    else:
        assert keyed_by(raw) == (None if found is None else (found.kind, found.id))


@given(st.binary(min_size=1, max_size=200), st.lists(st.binary(max_size=300), max_size=3))
def test_a_key_signs_as_the_standard_library_does(secret: bytes, sent: list[bytes]) -> None:
    """Also a key longer than a block, and one body after another."""
    key = SigningKey("k", "f", secret)
    assert [key.mac(body) for body in sent] == [hmac.digest(secret, b, "sha256") for b in sent]


def test_a_key_shows_nothing_of_itself() -> None:
    """Neither the secret nor what was worked out of it is in its text."""
    assert repr(SigningKey("k", "f", b"secret")) == (
        "SigningKey(name='k', fingerprint='f', until=None)"
    )
