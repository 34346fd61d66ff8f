"""Whatever is created and changed, whenever: it is shown soon, and never dated too late."""

from datetime import datetime, timedelta
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.jsontext import compact
from handlers.smartpay.windows import OVERLAP
from tests.unit.smartpay.host import NOW, handler
from tests.unit.smartpay.watching import Invoice, Machine

INTERVAL, LOOKBACK = timedelta(hours=1), timedelta(days=2)
JITTER = 1.1
SECOND = timedelta(seconds=1)


def _shop(seed: int, invoices: int, within: timedelta, skew: timedelta) -> list[Invoice]:
    """Return invoices created ``within`` a time that ends no sooner than the first visit.

    Some are in heaps, as after a newsletter. ``skew`` is how far the provider's clock is ahead.
    """
    rng = Random(seed)
    heaps = [rng.uniform(-1.0, 1.0) for _ in range(3)]
    shop = []
    for number in range(invoices):
        place = rng.choice([rng.uniform(-1.0, 1.0), rng.choice(heaps) + rng.uniform(0, 0.002)])
        at = _whole(NOW + place * within)
        paid = _whole(at + rng.random() ** 3 * LOOKBACK)
        lag = rng.random() * OVERLAP
        shop.append(Invoice(f"i{number}.", at, at + skew, rng.choice([None, paid, paid]), lag))
    return sorted(shop, key=lambda invoice: invoice.created_at)


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    invoices=st.integers(1, 60),
    within=st.timedeltas(timedelta(minutes=1), LOOKBACK),
    page_size=st.integers(1, 12),
    skew=st.integers(-240, 240),
    newest_first=st.booleans(),
)
@example(seed=1, invoices=60, within=timedelta(minutes=1), page_size=1, skew=0, newest_first=True)
@example(seed=2, invoices=60, within=LOOKBACK, page_size=1, skew=-240, newest_first=False)
def test_every_change_is_shown_in_time_and_dated_in_time(
    *,
    seed: int,
    invoices: int,
    within: timedelta,
    page_size: int,
    skew: int,
    newest_first: bool,
) -> None:
    """However windows are cut, with clocks that differ and a listing that lags.

    A creation is shown within the interval; a payment within an eighth of the invoice's age, or the
    interval; and the lower bound told with what is shown first is never later than the truth.
    """
    rng = Random(seed)
    machine = Machine(
        handler(reconcile_interval=INTERVAL, reconcile_lookback=LOOKBACK),
        NOW,
        _shop(seed, invoices, within, skew * SECOND),
        page_size,
        newest_first,
        jitter=lambda: rng.uniform(2 - JITTER, JITTER),
    )
    machine.run(NOW + 5 * LOOKBACK)
    for invoice in machine.invoices:
        born, paid = invoice.happened_at, invoice.paid_at
        _assert_told(machine, f'"{invoice.id}"', born, invoice.lag, timedelta())
        if paid is not None and paid - NOW + LOOKBACK > timedelta():
            row = compact(invoice.row(paid + invoice.lag)).decode()
            _assert_told(machine, row, paid, invoice.lag, paid - born)


def _assert_told(machine: Machine, text: str, at: datetime, lag: timedelta, age: timedelta) -> None:
    """Assert that ``text``, true since ``at``, was shown in time, and at first with a true bound.

    What was created before the first visit's lookback is beyond it.
    """
    first = next(machine.showing(text), None)
    assert first is not None, f"{text} was never shown"
    slack = lag + 2 * OVERLAP
    latest = max(NOW, at + slack + JITTER * max(INTERVAL, (age + slack) / 8))
    assert first.at <= latest, f"{text} was shown {first.at - at} late, at an age of {age}"
    assert first.polled.news_since is not None
    assert first.polled.news_since <= at, f"{text} is said to be newer than it is"


def test_what_changes_as_late_as_the_lookback_is_shown() -> None:
    """The last reading of a window comes after the last change that counts."""
    paid = NOW + LOOKBACK - SECOND
    machine = Machine(handler(reconcile_interval=INTERVAL, reconcile_lookback=LOOKBACK), NOW)
    machine.run(NOW + timedelta(minutes=1))
    machine.invoices = [Invoice("i1", NOW, NOW, paid)]
    machine.run(NOW + 2 * LOOKBACK)
    assert any(machine.showing("2026-01-03 11:59:59"))


def test_windows_do_not_grow_in_number() -> None:
    """What is older than two lookbacks is over: only their windows are left."""
    machine = Machine(handler(reconcile_interval=INTERVAL, reconcile_lookback=LOOKBACK), NOW)
    machine.run(NOW + 20 * LOOKBACK)
    assert len(machine.memories) <= 2 * (1 + 2 * 2 + 2)
