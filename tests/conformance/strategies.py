"""Anything a provider, or anyone else, could send."""

from hypothesis import strategies as st

from handlers.exchange import Response
from handlers.jsontext import Json, Unreadable, compact, parse

any_text = st.text(st.characters(exclude_categories=()), max_size=20)
"""Text as a header may hold it, lone surrogates included."""

json_values: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["2018-01-01 12:00:00", "0001-01-01T00:00:00+14:00", "10.00", "", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)

garbage = st.sampled_from(
    [
        *(b"", b"garbage", b"<html></html>", b"null", b"true", b"1", b'"x"', b"[]", b"{}", b"[[]]"),
        *(b"\xff\xfe", b'{"a":NaN}', b'"\\ud800"', b"[" * 100_000, b'{"result":' * 1000),
    ]
)
"""Bodies that no provider should send, and some day one does."""


# Strategies are made once, here: to make one within another's draw takes longer than to draw.
_statuses = st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503])
_bodies = garbage | json_values.map(compact) | st.none()
_whether = st.booleans()
_mostly = st.booleans() | st.just(value=True)
_places = st.integers(0, 10**6)
_one_in_six = st.integers(0, 5).map(lambda number: number == 0)


@st.composite
def spoiled(draw: st.DrawFn, body: bytes) -> bytes:
    """Draw ``body`` with one of its values, at whatever depth, replaced or left out."""
    try:
        value = parse(body)
    except Unreadable:
        return draw(garbage)
    return compact(_spoiled(draw, value))


@st.composite
def bad_answers(draw: st.DrawFn, good: Response) -> Response:
    """Draw an answer that is wrong somewhere: its status, its body, or one value in its body."""
    if draw(_whether):
        body = draw(_bodies)
        return Response(draw(_statuses), good.body if body is None else body)
    return Response(good.status, draw(spoiled(good.body)))


def _spoiled(draw: st.DrawFn, value: Json) -> Json:
    if isinstance(value, dict) and value and draw(_mostly):
        name = list(value)[draw(_places) % len(value)]
        if draw(_one_in_six):
            return {other: inner for other, inner in value.items() if other != name}
        return {**value, name: _spoiled(draw, value[name])}
    if isinstance(value, list) and value and draw(_mostly):
        at = draw(_places) % len(value)
        return [*value[:at], _spoiled(draw, value[at]), *value[at + 1 :]]
    return draw(json_values)
