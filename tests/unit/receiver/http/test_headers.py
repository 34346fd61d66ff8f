"""Headers as handlers read them, without a copy of all."""

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from receiver.http.headers import Headers

NAMES = st.sampled_from(["Host", "HOST", "x-topic", "X-Topic", "X-Hmac", "traceparent"])
VALUES = st.one_of(st.text(max_size=8), st.sampled_from(["\udcff", "a\udc80\udc81", "Zoë", ""]))


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_they_read_as_a_copy_would(given_: list[tuple[str, str]]) -> None:
    """Names are in lower case, the last of two counts, and every value can be encoded."""
    copy = {name.lower(): held.encode(errors="replace").decode() for name, held in given_}
    headers = Headers(CIMultiDictProxy(CIMultiDict(given_)))
    assert dict(headers) == copy
    assert len(headers) == len(copy)
    assert [headers.get(name) for name in copy] == list(copy.values())
    assert headers.get("x-other", "none") == "none"
    assert "x-other" not in headers
