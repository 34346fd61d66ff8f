"""JSON at its edges: read exactly, or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.jsontext import Json, Unreadable, compact, parse, parse_object

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def nested(depth: int, inner: str = "1") -> bytes:
    """Return JSON with ``depth`` objects and arrays in each other, by turns."""
    opening = ['{"a":' if level % 2 else "[" for level in range(depth)]
    closing = ["}" if level % 2 else "]" for level in reversed(range(depth))]
    return "".join([*opening, inner, *closing]).encode()


@given(JSON)
def test_json_is_read_as_it_was_written(value: Json) -> None:
    """What is written compactly is read as the same, every digit of it."""
    assert parse(compact(value)) == value


@pytest.mark.parametrize(
    "written", [b"1.10", b"0.1", b"12345678901234567890.123456789", b"1E+400", b"123456789" * 9]
)
def test_numbers_are_written_again_as_they_came(written: bytes) -> None:
    """A number keeps its digits and its trailing zeros on the way through."""
    assert compact(parse(written)) == written


def test_decimals_are_never_floats() -> None:
    """A number with a fraction or an exponent is a Decimal, also deep inside."""
    read = parse_object(b'{"a": [1.10, 1E+1, 1]}')
    assert read == {"a": [Decimal("1.10"), Decimal("1E+1"), 1]}
    assert [type(number) for number in read["a"]] == [Decimal, Decimal, int]  # type: ignore[union-attr]  # a list


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b" ",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"[1, NaN]",
        b"\xef\xbb\xbf{}",
        b'{"a": 1} x',
        b"{'a': 1}",
        b'{"a": 1,}',
        b"01",
        b"1.",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud800": 1}',
        b'"\x00"',
        b"\x00",
        "{}".encode("utf-16"),
        b"1" * 5000,
        b"1E999999999999999999999",
        b"1e-99999999999999999999",
    ],
)
def test_what_is_not_json_in_utf8_is_refused(written: bytes) -> None:
    """NaN, a byte order mark, lone surrogates, other encodings, numbers beyond measure: refused."""
    with pytest.raises(Unreadable):
        parse(written)


def test_a_surrogate_pair_is_one_character() -> None:
    """An escaped pair of surrogates is the character it stands for, and NUL may be escaped."""
    assert parse(b'"\\ud83c\\udf52 \\u0000"') == "\U0001f352 \x00"


def test_of_equal_keys_the_last_counts() -> None:
    """RFC 8259 leaves equal keys open: here the last one counts."""
    assert parse_object(b'{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}


@pytest.mark.parametrize(("depth", "inner"), [(1, "1"), (99, "{}"), (100, "1"), (100, '"[{"')])
def test_a_hundred_levels_are_enough(depth: int, inner: str) -> None:
    """Up to a hundred objects and arrays may be in each other, the innermost empty or not."""
    assert compact(parse(nested(depth, inner))) == nested(depth, inner)


@pytest.mark.parametrize("depth", [100, 101, 500, 100_000])
@pytest.mark.parametrize("inner", ["1", "{}"])
def test_deeper_json_is_refused(depth: int, inner: str) -> None:
    """The limit does not depend on how deep the caller's own stack is."""
    with pytest.raises(Unreadable):
        parse(nested(depth + 1 if inner == "1" else depth, inner))


def test_long_json_is_not_deep_json() -> None:
    """Any number of objects beside each other is no depth."""
    assert len(parse_object(compact({"a": [{"b": [1]}] * 1000}))["a"]) == 1000  # type: ignore[arg-type]  # a list


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"null", "null"),
        (b"true", "a boolean"),
        (b"1", "a number"),
        (b"1.5", "a number"),
        (b'"x"', "a string"),
        (b"[{}]", "an array"),
    ],
)
def test_a_body_that_is_no_object_is_refused_by_its_name(written: bytes, told: str) -> None:
    """Where an object is expected, the refusal says what came instead."""
    with pytest.raises(Unreadable, match=f"not {told}$"):
        parse_object(written)


@given(st.binary())
def test_any_bytes_are_json_or_unreadable(raw: bytes) -> None:
    """Whatever comes: a value or Unreadable, nothing else."""
    try:
        value = parse(raw)
    except Unreadable:
        return
    assert parse(compact(value)) == value
