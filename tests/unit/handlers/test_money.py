"""Amounts: exact, or refused."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.jsontext import Json, Unreadable, compact, parse
from handlers.money import DECIMALS, Amount, from_major, from_minor

CURRENCIES = st.sampled_from(sorted(DECIMALS))
MINOR_UNITS = st.integers(0, 10**15 - 1)


@given(st.integers(0, 10**17), CURRENCIES)
@example(1000, "CAD")
@example(0, "CAD")
@example(10**17, "cherries")
def test_a_value_has_the_currencys_decimals(minor_units: int, currency: str) -> None:
    """The value is digits with exactly the currency's decimals, never in exponent notation."""
    value = Amount(minor_units, currency).value
    whole, _, decimals = value.partition(".")
    assert (whole + decimals).isdecimal()
    assert (len(decimals), "." in value) == (DECIMALS[currency], DECIMALS[currency] > 0)
    assert int(whole + decimals) == minor_units
    assert whole == str(int(whole))


@given(MINOR_UNITS, CURRENCIES)
def test_an_amount_survives_its_value(minor_units: int, currency: str) -> None:
    """What the value says is read as the same amount, as text and as a JSON number."""
    amount = Amount(minor_units, currency)
    if minor_units < 10**13:
        assert from_major(amount.value, currency) == amount
        assert from_major(parse(amount.value.encode()), currency) == amount
    assert from_minor(minor_units, currency) == amount
    assert from_minor(str(minor_units), currency) == amount


@pytest.mark.parametrize(
    ("written", "minor_units"),
    [
        (b"10", 1000),
        (b"10.00", 1000),
        (b"10.0", 1000),
        (b"1E+1", 1000),
        (b"0.1e2", 1000),
        (b'"10.00"', 1000),
        (b'" 10 "', 1000),
        (b"10.000000000000000000000000000000000000000000", 1000),
        (b"0.29", 29),
        (b"1.15", 115),
        (b"-0", 0),
        (b"999999999999999.99", 99999999999999999),
    ],
)
def test_major_units_are_read_exactly(written: bytes, minor_units: int) -> None:
    """However a number is written, it is read as the cents that it is."""
    assert from_major(parse(written), "CAD") == Amount(minor_units, "CAD")


@pytest.mark.parametrize(
    "value",
    [
        "-0.01",
        -1,
        Decimal(-1),
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        Decimal("NaN"),
        10**15,
        "1e15",
        "1e999999",
        Decimal("1e999999"),
        "0.001",
        Decimal("10.001"),
        "1.0000000000000000000000000000000000001",
        Decimal("1E-999999999999999999"),
        "1E-9999999999999999999999999",
        "",
        " ",
        "ten",
        "10,00",
        "1 000",
        "1_000",
        "\u0661\u0660",
        "0x10",
        "$10",
        True,
        False,
        [],
        {},
        ["10"],
    ],
)
def test_what_is_no_amount_is_refused(value: Json) -> None:
    """Negative, not a number, absurdly large or small, too many decimals: refused, not rounded."""
    with pytest.raises(Unreadable):
        from_major(value, "CAD")


@pytest.mark.parametrize("value", [-1, "10.5", Decimal("0.1"), 10**15, "1_0", "x", True, []])
def test_what_is_no_number_of_minor_units_is_refused(value: Json) -> None:
    """Cents are whole, and as strictly read as dollars."""
    with pytest.raises(Unreadable):
        from_minor(value, "CAD")


def test_a_currency_without_decimals_admits_none() -> None:
    """Half a cherry and half a yen are refused."""
    assert from_major("50", "cherries") == Amount(50, "cherries")
    for currency in ("cherries", "JPY"):
        with pytest.raises(Unreadable, match="more decimals"):
            from_major("50.5", currency)


def test_null_is_no_amount() -> None:
    """Null gives none, and no error."""
    assert from_major(None, "CAD") is None
    assert from_minor(None, "CAD") is None


@given(st.text() | st.decimals() | st.integers(), CURRENCIES)
def test_anything_is_an_exact_amount_or_refused(value: str | Decimal | int, currency: str) -> None:
    """Whatever a provider sends: an amount that equals it, or Unreadable, nothing else."""
    try:
        amount = from_major(value, currency)
    except Unreadable:
        return
    assert amount is not None
    assert Decimal(amount.value) == Decimal(value)


@given(st.decimals(min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False))
def test_a_float_is_never_between(number: Decimal) -> None:
    """A JSON number reaches the amount with every digit that it was written with."""
    read = parse(compact(number))
    assert Decimal(str(read)) == number
