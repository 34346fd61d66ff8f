"""The bytes of ledger entries: small, read for ever, and nothing lost in them."""

import random
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from handlers.clock import microseconds
from handlers.entry import KINDS, Entry, Published
from handlers.fact import RANKS
from handlers.published import ACTIONS

ID = bytes.fromhex("c0b1d7e63f525d0b9a550d3a5b8f6e21")
PAID_AT = microseconds(datetime(2018, 1, 1, 12, tzinfo=UTC))
SEEN_AT = microseconds(datetime(2026, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC))
CREATED = Published(ID, "created", None, SEEN_AT, 1000)
PAID = Published(ID, "paid", PAID_AT, SEEN_AT, 1000)
UNTOLD = Entry("invoice", (CREATED, replace(PAID, unannounced=True)), since=PAID_AT)
ODD = Entry("transfer_request", (Published(ID, "requested", -1, SEEN_AT + 1, None, silent=True),))

IN_HEX = "c0b1d7e63f525d0b9a550d3a5b8f6e21"
WRITTEN_BEFORE = {
    "92a7696e766f6963659195c410" + IN_HEX + "a470616964cf000561b5b8be3000"
    "cf0006474846222078cd03e8": Entry("invoice", (PAID,)),
    "93a7696e766f6963659297c410" + IN_HEX + "a763726561746564c0cf0006474846222078cd03e8c2c2"
    "97c410" + IN_HEX + "a470616964cf000561b5b8be3000cf0006474846222078cd03e8c2c3"
    "cf000561b5b8be3000": UNTOLD,
}
WRITTEN_NOW = {
    "0002" + IN_HEX + "7ba8da769b01c1224a5ae90300": Entry("invoice", (PAID,)),
    "400030beb8b561050000" + IN_HEX + "7ba8da769b0100000000e90300"
    "82" + IN_HEX + "7ba8da769b01c1224a5ae90300": UNTOLD,
    "2549" + IN_HEX + "7920224648470600ffffffffffffffff0000000000000080": ODD,
}

LONG_TIME = 1 << 70
EDGES = [0, 1, -1, 999, 1000, -1000, -1_000_000, (1 << 24) - 2, (1 << 24) - 1, 1 << 24]
EDGES += [((1 << 32) - 2) * 10**6, ((1 << 32) - 1) * 10**6, ((1 << 48) - 1) * 1000, 1 << 63]
EDGES += [(1 << 48) * 1000, (1 << 63) - 1, -(1 << 63), -(1 << 63) - 1]

numbers = st.one_of(
    st.sampled_from(EDGES),
    st.integers(-LONG_TIME, LONG_TIME),
    st.integers(0, 1 << 32).map(lambda seconds: seconds * 1_000_000),
    st.integers(0, 1 << 41).map(lambda milliseconds: milliseconds * 1_000),
    st.integers(0, 1 << 25),
)
stored = numbers.filter(lambda n: -(1 << 63) <= n < 1 << 64)
"""What MessagePack can hold, and so could always be held."""

published = st.builds(
    Published,
    id=st.binary(min_size=16, max_size=16) | st.binary(max_size=20),
    action=st.sampled_from(ACTIONS) | st.text(),
    occurred_at=st.none() | stored,
    observed_at=stored,
    minor_units=st.none() | stored,
    silent=st.booleans(),
    unannounced=st.booleans(),
)
entries = st.builds(
    Entry,
    kind=st.sampled_from(KINDS) | st.text(),
    published=st.lists(published, max_size=4).map(tuple),
    since=st.none() | stored,
)


@given(entries)
def test_nothing_is_lost_in_an_entrys_bytes(entry: Entry) -> None:
    """Whatever an entry holds, its bytes give it back."""
    assert Entry.decode(entry.encode()) == entry


@pytest.mark.parametrize("field", ["occurred_at", "observed_at", "minor_units"])
@pytest.mark.parametrize("number", [n for n in EDGES if -(1 << 63) <= n < 1 << 64])
def test_a_number_at_the_edge_of_what_fits_is_kept(number: int, field: str) -> None:
    """Where one number is not as usual and all else is, that number is not cut either."""
    entry = Entry("invoice", (CREATED, replace(PAID, **{field: number})), since=number)
    assert Entry.decode(entry.encode()) == entry


@given(entries)
def test_entries_written_before_are_read_for_ever(entry: Entry) -> None:
    """The MessagePack array, as which entries were written before, is read whatever it holds."""
    assert Entry.decode(msgspec.msgpack.encode(entry)) == entry


@pytest.mark.parametrize("raw", [*WRITTEN_BEFORE, *WRITTEN_NOW])
def test_bytes_that_are_in_ledgers_keep_their_meaning(raw: str) -> None:
    """These very bytes, of each form and layout, are read as what they were written for."""
    assert Entry.decode(bytes.fromhex(raw)) == (WRITTEN_BEFORE | WRITTEN_NOW)[raw]


@pytest.mark.parametrize("raw", WRITTEN_NOW)
def test_entries_are_written_in_the_same_bytes(raw: str) -> None:
    """Codes and layouts do not change: an older process at least reads what is like this."""
    assert WRITTEN_NOW[raw].encode().hex() == raw


def test_an_entry_is_small() -> None:
    """Facts as payments have them take 30 bytes each, and one byte is all around them."""
    assert [len(Entry("invoice", (CREATED, PAID)[:n]).encode()) for n in (1, 2)] == [31, 61]


def test_every_kind_and_action_that_we_know_has_a_code() -> None:
    """None of our own is written out as text."""
    assert RANKS.keys() <= set(KINDS)
    assert {action for ranks in RANKS.values() for action in ranks} <= set(ACTIONS)


def test_codes_fit_beside_the_flags() -> None:
    """No kind's and no action's code can be taken for a flag."""
    assert len(KINDS) <= 0x20
    assert len(ACTIONS) <= 0x40


@pytest.mark.parametrize(
    "entry",
    [
        Entry("voucher", (PAID,)),
        Entry("invoice", (CREATED, replace(PAID, action="charged-back"))),
        Entry("invoice", (replace(PAID, minor_units=(1 << 64) - 1),)),
        Entry("invoice", (replace(PAID, id=b"short"),)),
    ],
)
def test_what_no_layout_has_room_for_is_kept_all_the_same(entry: Entry) -> None:
    """A kind or action of the future, a sum beyond 64 bits' half, another id: nothing is cut."""
    assert Entry.decode(entry.encode()) == entry


def test_what_is_cut_off_or_unknown_is_refused() -> None:
    """Bytes that are no whole entry raise msgspec's own error, whatever they begin with."""
    whole = UNTOLD.encode()
    broken = [whole[:length] for length in range(len(whole)) if length not in {9, 39}]
    broken += [whole + b"\0", b"\x1f" + whole[1:], b"\0\x3f" + whole[10:39]]
    for raw in broken:
        with pytest.raises(msgspec.MsgspecError):
            Entry.decode(raw)


def test_random_bytes_are_an_entry_or_refused() -> None:
    """Nothing but msgspec's own error comes of bytes that are none of ours."""
    rng = random.Random(6)
    for _ in range(2_000):
        raw = rng.randbytes(rng.randrange(70))
        try:
            Entry.decode(raw)
        except msgspec.MsgspecError:
            continue
