"""Visits of the head and of closed windows: what is cut, how it goes on, when it is over."""

from datetime import datetime, timedelta
from math import log
from random import Random

import pytest

from handlers.exchange import AccountFailed, Response
from handlers.jsontext import Json
from handlers.observation import Origin
from handlers.provider import RECONCILIATION, Ending, Polled, Watch
from handlers.smartpay.progress import Progress
from handlers.smartpay.reconciliation import FULL
from handlers.smartpay.windows import OVERLAP, Window
from tests.unit.smartpay.host import NOW, Answer, Shop, converse, handler
from tests.unit.smartpay.watching import Invoice, Machine

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
INTERVAL, LOOKBACK = timedelta(minutes=15), timedelta(days=30)
POLL = timedelta(minutes=1)
HEAD = Watch("shop", RECONCILIATION, "invoices")


def visited(shop: Shop, watch: Watch, memory: bytes = b"", answer: Answer | None = None) -> Polled:
    """Make one visit."""
    return converse(shop.handler.poll(watch, timedelta(), shop.session, memory), answer or shop.ask)


def lasting(since: datetime, until: datetime) -> Watch:
    """Return the watch of a closed window of invoices."""
    return Window("invoices", since, until).watch("shop")


def test_every_account_reads_both_collections_from_the_beginning() -> None:
    """Nobody has to ask for it: the heads are watches that an account has."""
    kinds = {(watch.kind, watch.id) for watch in handler().watches()}
    assert kinds == {(RECONCILIATION, "invoices"), (RECONCILIATION, "orders")}


def test_the_first_visit_leaves_the_past_to_a_window() -> None:
    """All of the lookback is one closed window, to be cut as it needs, and the head begins now."""
    shop = Shop()
    shop.cause("create-invoice")
    shop.wait(minutes=1)
    first = visited(shop, HEAD)
    assert [found.watch for found in first.discovered] == [lasting(shop.now - LOOKBACK, shop.now)]
    assert len(first.resources) == 1
    assert (first.origin, first.ending) == (Origin.RECONCILIATION, None)
    assert first.pace == INTERVAL / POLL
    assert Progress.decode(first.memory or b"").since == shop.now


def test_the_head_grows_until_it_spans_a_day() -> None:
    """A quiet shop's head is one call a visit, and is cut once a day."""
    shop = Shop()
    memory = visited(shop, HEAD).memory or b""
    begun = shop.now
    for _ in range(95):
        shop.wait(minutes=15)
        polled = visited(shop, HEAD, memory)
        memory = polled.memory or b""
        assert polled.discovered == ()
        assert Progress.decode(memory).since == begun
    shop.wait(minutes=15)
    polled = visited(shop, HEAD, memory)
    assert [found.watch for found in polled.discovered] == [lasting(begun, begun + DAY)]
    assert Progress.decode(polled.memory or b"").since == begun + DAY


@pytest.mark.parametrize(
    ("rows", "pages", "is_cut"), [(FULL - 1, 1, False), (FULL, 1, True), (1, 2, True)]
)
def test_a_full_head_is_cut(rows: int, pages: int, *, is_cut: bool) -> None:
    """It is cut before it has a second page, and when it has one; what was read is handed on."""
    shop = Shop()
    memory = visited(shop, HEAD).memory or b""
    shop.wait(minutes=30)
    listed: list[Json] = [{"invoice_id": f"i{number}"} for number in range(rows)]
    page = Response.json(200, {"total_pages": pages, "result": listed})
    polled = visited(shop, HEAD, memory, lambda _: page)
    assert bool(polled.discovered) == is_cut
    assert len(polled.resources) == rows
    after = Progress.decode(polled.memory or b"")
    # What was on the second page has not been read.
    assert after.read_at == (shop.now if pages == 1 else None)


def test_after_an_outage_the_head_begins_where_it_was() -> None:
    """However long nobody looked, nothing of that time is left out, be it beyond the lookback."""
    shop = Shop()
    memory = visited(shop, HEAD).memory or b""
    begun = shop.now
    shop.wait(days=50)
    polled = visited(shop, HEAD, memory)
    assert [found.watch for found in polled.discovered] == [lasting(begun, shop.now)]


def test_a_clock_that_was_set_back_cuts_nothing() -> None:
    """The head waits where it is; what comes to be until then is in the window before it."""
    shop = Shop()
    memory = visited(shop, HEAD).memory or b""
    shop.wait(hours=-3)
    polled = visited(shop, HEAD, memory)
    assert polled.discovered == ()
    assert Progress.decode(polled.memory or b"").since == NOW


@pytest.mark.parametrize("memory", [b"garbage", b'{"since":"soon"}', b'{"since":7,"page":-1}'])
def test_a_memory_that_cannot_be_read_is_a_beginning(memory: bytes) -> None:
    """The worst that comes of it is that everything is read again."""
    assert visited(Shop(), HEAD, memory) == visited(Shop(), HEAD)


@pytest.mark.parametrize(
    ("age", "control", "pause"),
    [
        (HOUR, None, INTERVAL),
        (16 * HOUR, None, 2 * HOUR),
        (16 * HOUR, "pay", 8 * HOUR),
        (16 * HOUR, "cancel-invoice", 8 * HOUR),
        (16 * HOUR, "fail", 2 * HOUR),
        (20 * MINUTE, "pay", INTERVAL),
    ],
)
def test_a_window_rests_in_proportion_to_its_age(
    age: timedelta, control: str | None, pause: timedelta
) -> None:
    """An eighth of it while an invoice is open, half of it else, the interval at least."""
    shop = Shop()
    shop.cause("create-invoice")
    if control is not None:
        shop.cause(control)
    shop.now += age
    polled = visited(shop, lasting(NOW - HOUR, NOW))
    assert polled.pace == pause / POLL
    assert (polled.ending, polled.discovered) == (None, ())


def test_a_test_invoice_is_not_waited_for() -> None:
    """A window whose only open invoice is a dummy rests as long as one without."""
    shop = Shop()
    shop.cause("create-invoice", dummy="yes")
    shop.now += 16 * HOUR
    assert visited(shop, lasting(NOW - HOUR, NOW)).pace == 8 * HOUR / POLL


def test_a_window_older_than_the_lookback_is_read_once_more() -> None:
    """Whatever changed before it grew too old is in its last reading."""
    shop = Shop()
    shop.cause("create-invoice")
    watch = lasting(NOW - HOUR, NOW)
    shop.now = NOW + LOOKBACK - MINUTE
    assert visited(shop, watch).pace == (LOOKBACK - MINUTE) / 8 / POLL
    shop.now = NOW + LOOKBACK + 3 * DAY
    late = visited(shop, watch)
    assert (late.ending, late.pace, len(late.resources)) == (None, LOOKBACK / POLL, 1)
    shop.now += LOOKBACK
    last = visited(shop, watch, late.memory or b"")
    assert (last.ending, len(last.resources)) == (Ending.DONE, 1)


def test_a_clock_that_was_ahead_ends_no_window() -> None:
    """A window that seemed too old, and is not, goes on in proportion to its age as before."""
    shop = Shop()
    shop.cause("create-invoice")
    watch = lasting(NOW - HOUR, NOW)
    shop.now = NOW + 500 * DAY
    late = visited(shop, watch)
    assert late.ending is None
    shop.now = NOW + 8 * DAY
    right = visited(shop, watch, late.memory or b"")
    assert (right.ending, right.pace) == (None, DAY / POLL)
    shop.now = NOW + LOOKBACK
    assert visited(shop, watch, right.memory or b"").ending is None


def test_a_window_that_is_read_once_disturbs_no_lasting_one() -> None:
    """The same span asked for by the command is another watch, which ends by itself."""
    shop = Shop()
    [asked, _] = shop.handler.reconciliation(NOW - DAY, NOW)
    assert asked.key != lasting(NOW - DAY, NOW).key
    assert visited(shop, asked).ending == Ending.DONE
    assert visited(shop, lasting(NOW - DAY, NOW)).ending is None


def test_news_are_no_older_than_the_last_complete_reading() -> None:
    """First by the window's beginning, then by the last reading, each less what clocks differ."""
    shop = Shop()
    watch = lasting(NOW - DAY, NOW)
    first = visited(shop, watch)
    assert first.news_since == NOW - DAY - 2 * OVERLAP
    shop.wait(hours=5)
    second = visited(shop, watch, first.memory or b"")
    assert second.news_since == NOW - OVERLAP


def test_a_reading_of_several_visits_counts_from_its_beginning() -> None:
    """What changed on a page while a later one was read is news of the next reading."""
    machine = Machine(handler(), NOW, page_size=1)
    machine.invoices = [Invoice(f"i{number}", NOW, NOW) for number in range(8)]
    watch = lasting(NOW - MINUTE, NOW + MINUTE)
    machine.memories[watch] = b""
    assert machine.visit(watch).pace == 0.0
    machine.now += HOUR
    assert machine.visit(watch).pace == INTERVAL / POLL
    machine.now += HOUR
    assert machine.visit(watch).news_since == NOW - OVERLAP


def test_a_failure_leaves_no_trace() -> None:
    """Nothing of a visit counts that could not be made: the memory is what it was."""
    shop = Shop()
    with pytest.raises(AccountFailed):
        visited(shop, HEAD, answer=lambda _: Response(500))


@pytest.mark.parametrize(("share", "paid_at"), [(8, None), (2, NOW)])
def test_the_cost_of_a_window_is_logarithmic(share: int, paid_at: datetime | None) -> None:
    """It is read as often as the module says, for lookbacks from a day to ten years."""
    for days in (1, 30, 3_650):
        lookback = days * DAY
        machine = Machine(handler(reconcile_lookback=lookback), NOW)
        machine.invoices = [Invoice("i1", NOW, NOW, paid_at)]
        watch = lasting(NOW - HOUR, NOW)
        machine.memories[watch] = b""
        while (pace := machine.visit(watch).pace) is not None:
            machine.now += pace * POLL
        growth = log(1 + 1 / share)
        said = share + log(lookback / (share * INTERVAL)) / growth
        assert len(machine.visits) == pytest.approx(said, abs=4)


@pytest.mark.parametrize(("is_paid", "least", "most"), [(True, 240, 270), (False, 280, 320)])
def test_a_quiet_shop_costs_a_fifth_of_the_budget(*, is_paid: bool, least: int, most: int) -> None:
    """An invoice a day, paid at once or never: the calls are those of docs/operations.md."""
    rng = Random(7)
    machine = Machine(handler(), NOW, jitter=lambda: rng.uniform(0.9, 1.1))
    for day in range(35):
        at = NOW + day * DAY + HOUR
        machine.invoices.append(Invoice(f"i{day}", at, at, at + MINUTE if is_paid else None))
    machine.run(NOW + 32 * DAY)
    before = machine.requests()
    machine.run(NOW + 34 * DAY)
    assert least < (machine.requests() - before) / 2 < most


def test_a_busy_shop_stays_within_the_budget() -> None:
    """A thousand invoices a day, one in fifty never paid: a day costs what operations.md says.

    It is counted with a lookback of a day; what the other 29 add is at most the windows of a day,
    each read so often while it grows so old.
    """
    machine = Machine(handler(reconcile_lookback=DAY), NOW)
    for number in range(2_000):
        at = NOW + number * DAY / 1_000
        machine.invoices.append(Invoice(f"i{number}", at, at, at + MINUTE if number % 50 else None))
    machine.run(NOW + DAY)
    before, visits = machine.requests(), len(machine.visits)
    machine.run(NOW + 2 * DAY)
    discovered = [found for v in machine.visits[visits:] for found in v.polled.discovered]
    windows = sum(found.watch.id.startswith("invoices/") for found in discovered)
    assert 10 <= windows <= 14
    older = windows * log(LOOKBACK / DAY) / log(1 + 1 / 8)
    assert 700 < machine.requests() - before + older < 1_100
