"""What keys a webhook, found without reading all of it."""

import hmac
import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from handlers.jsontext import parse_object
from handlers.smartpay.body import find, keyed_by
from handlers.smartpay.keys import SigningKey

NAMES = ("invoice_id", "order_id", "data", "invoice", "order", "result", "amount", "is_dummy")
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
def test_the_key_is_of_what_is_found(body: dict[str, Any]) -> None:
    """The receiver keys a body by the very resource that the router will find in it."""
    parsed = parse_object(json.dumps(body).encode())
    found = find(parsed)
    assert keyed_by(parsed) == (None if found is None else (found.kind, found.id))


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
