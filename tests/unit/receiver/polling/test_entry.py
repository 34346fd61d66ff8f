"""A watch as the watchlist holds it."""

import msgspec
import pytest

from handlers.fact import Claim, Fact
from handlers.provider import Resource
from handlers.resource import ResourceKey
from receiver.polling.entry import WatchEntry

from .world import original


def resource(body: str, topic: str = "things") -> Resource:
    """Return a resource with this body."""
    return Resource(topic, body.encode())


def test_an_entry_survives_the_topic() -> None:
    """What is written is read again, a look-up with its claim and observations too."""
    fact = Fact(ResourceKey("p", "a", "invoice", "7"), "paid")
    entry = WatchEntry(
        created_at=1.5,
        next_poll_at=2.5,
        state="stalled",
        last_polled_at=3.5,
        failures=4,
        pace=5.5,
        status="waiting",
        error="no answer",
        seen=b"x" * 32,
        claim=Claim("invoice", "paid", "invoice_id", "7", fact),
        originals=(original("{}"), original("\x00", letter="letter-1")),
    )
    assert WatchEntry.decode(entry.encode()) == entry
    assert WatchEntry.decode(WatchEntry(1.0, 2.0).encode()) == WatchEntry(1.0, 2.0)


def test_an_entry_without_later_fields_is_read() -> None:
    """Entries are arrays: what an earlier version did not write has its default."""
    assert WatchEntry.decode(msgspec.msgpack.encode([1.0, 2.0, "done"])).state == "done"


def test_what_is_no_entry_is_refused() -> None:
    """A record that is no watch is an error, not a guess."""
    with pytest.raises(msgspec.MsgspecError):
        WatchEntry.decode(b"{}")


def test_only_new_and_changed_resources_are_unseen() -> None:
    """A resource counts as seen as long as neither its bytes nor its collection change."""
    one, two = resource('{"id":1}'), resource('{"id":2}')
    fresh, seen = WatchEntry(0.0, 0.0).unseen([one, two, one])
    assert fresh == [one, two]
    entry = WatchEntry(0.0, 0.0, seen=seen)
    assert entry.unseen([two, one]) == ([], seen)
    changed, elsewhere = resource('{"id":1,"paid":true}'), resource('{"id":2}', "others")
    assert entry.unseen([changed, two, elsewhere])[0] == [changed, elsewhere]


def test_what_is_seen_is_what_was_shown_last() -> None:
    """A resource that was away and comes back is handed on again."""
    one, two = resource("1"), resource("2")
    _, seen = WatchEntry(0.0, 0.0).unseen([one, two])
    _, seen = WatchEntry(0.0, 0.0, seen=seen).unseen([two])
    assert WatchEntry(0.0, 0.0, seen=seen).unseen([one, two])[0] == [one]


def test_an_entry_fits_into_a_record_however_much_is_shown() -> None:
    """Beyond tens of thousands of resources some are handed on again; the entry does not grow."""
    fresh, seen = WatchEntry(0.0, 0.0).unseen(resource(str(n)) for n in range(50_000))
    assert len(fresh) == 50_000
    assert len(WatchEntry(0.0, 0.0, seen=seen).encode()) < 700_000
