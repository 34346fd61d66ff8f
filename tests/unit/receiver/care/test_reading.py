"""What is known of an account, from the records of the watchlist."""

from handlers.provider import RECONCILIATION, Watch
from receiver.care.known import Care
from receiver.care.reading import AccountRecords, gathered, registration_key, seen
from receiver.kafka.snapshot import Row
from receiver.polling.entry import WatchEntry
from receiver.polling.standing import Standing, standing_key
from receiver.registration.registered import REGISTRATION
from receiver.registration.vitals import Vitals, vitals_key
from tests.unit.receiver.registration.shop import NOW, PROVEN


def records(*rows: tuple[str, bytes]) -> AccountRecords:
    """Return what these records tell of the account "shop"."""
    found = {key: seen(Row(key.encode(), value, []), "shop") for key, value in rows}
    return gathered("shop", {key: what for key, what in found.items() if what is not None})


def window(name: str, read_at: float | None) -> tuple[str, bytes]:
    """Return the record of a window of the reconciliation."""
    entry = WatchEntry(0.0, NOW, last_polled_at=read_at, seen=b"x" * 160)
    return Watch("shop", RECONCILIATION, name).key, entry.encode()


def test_all_of_an_account_is_found() -> None:
    """Registration, vitals, standing and the last reading of a listing each have their record."""
    vitals, standing = Vitals(arrivals=(NOW,)), Standing(heard_at=NOW)
    found = records(
        (registration_key("shop"), WatchEntry(0.0, 0.0, memory=PROVEN.encode()).encode()),
        (vitals_key("shop"), vitals.encode()),
        (standing_key("shop"), standing.encode()),
        window("invoices/a", NOW - 60),
        window("invoices/b", NOW - 30),
        window("invoices/c", None),
    )
    assert found.care == Care(PROVEN, vitals, standing, NOW - 30)
    kinds = sorted(watch.kind for watch in found.watches.values())
    assert kinds == [RECONCILIATION] * 3 + [REGISTRATION]


def test_other_accounts_and_broken_records_are_left_out() -> None:
    """An account whose name begins alike is another, and what cannot be read is not known."""
    entry = WatchEntry(0.0, 0.0, memory=PROVEN.encode()).encode()
    found = records(
        (registration_key("shop2"), entry),
        (vitals_key("shop"), b"nonsense"),
        ("shop/account/something-new", b"nonsense"),
        ("shop/invoices/1", b"nonsense"),
    )
    assert found == AccountRecords()
