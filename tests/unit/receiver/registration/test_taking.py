"""What signs add up to: in any order, however often, and never more than fits."""

from itertools import accumulate
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from receiver.registration import taking
from receiver.registration.signs import (
    Announced,
    Arrived,
    Failure,
    Missed,
    Order,
    Sign,
    Unannounced,
    Undelivered,
)
from receiver.registration.taking import KEPT, taken
from receiver.registration.vitals import UNKNOWN, TopicVitals, Vitals

TOPICS = ("invoice/created", "invoice/paid")
LARGEST_NOTE = 300_000
"""Bytes that the vitals may come to in a flood: a record may have a million."""

topics = st.sampled_from(TOPICS)
times = st.integers(1_000, 1_030).map(float)
numbers = st.integers(0, 5).map(str)


def failure(at: float, digest: str = "", topic: str = TOPICS[0]) -> Failure:
    """Return a failure at some time."""
    return Failure(topic, 401, "signature", at, f"{at}/{digest}", digest)


def missed(fact: str, at: float, topic: str = TOPICS[0]) -> Missed:
    """Return a fact that was found at some time."""
    return Missed(fact, topic, f"invoice/{fact}", at, at)


signs = st.lists(
    st.builds(Arrived, st.just("shop"), topics, times)
    | st.builds(Announced, st.just("shop"), topics, times, signed_with=st.none() | numbers)
    | st.builds(
        lambda fact, at: Unannounced("shop", (missed(fact, at, TOPICS[int(fact) % 2]),)),
        numbers,
        st.just(1_000.0),
    )
    | st.builds(
        lambda some: Undelivered("shop", tuple(some)),
        st.lists(st.builds(failure, times, numbers, topics), max_size=4),
    )
    | st.builds(Order, st.just("shop"), numbers, st.just("list"), st.just(1_000.0)),
    max_size=12,
)


def after(some: list[Sign], vitals: Vitals = Vitals()) -> Vitals:  # noqa: B008 - it is immutable
    """Return the vitals after these signs, through the note's own bytes."""
    *_, last = accumulate(some, lambda v, s: Vitals.decode(taken(v, s).encode()), initial=vitals)
    return last


def of(vitals: Vitals, topic: str = TOPICS[0]) -> TopicVitals:
    """Return the vitals of a topic."""
    return vitals.topics.get(topic, TopicVitals())


@given(signs, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(some: list[Sign], rng: Random) -> None:
    """Signs that are taken twice, and in any order, add up to the same."""
    mixed = some + [sign for sign in some if rng.random() < 0.5]
    rng.shuffle(mixed)
    assert after(mixed) == after(some)


@given(signs)
def test_a_sign_of_life_never_goes_back(some: list[Sign]) -> None:
    """The latest counts, and no failure of before it is in a row with those after it."""
    for topic, known in after(some).topics.items():
        told = [s.received_at for s in some if isinstance(s, Announced) and s.topic == topic]
        assert known.alive_at == max(told, default=None)
        assert all(each.at > max(told, default=0.0) for each in known.failures)


def test_what_is_announced_is_missed_no_more() -> None:
    """Under whatever topic it comes: the webhook that came shows all that happened before."""
    vitals = after([Unannounced("shop", (missed("a", 1.0), missed("b", 1.0, TOPICS[1])))])
    vitals = after([Announced("shop", TOPICS[1], 2.0, facts=("a", "b"))], vitals)
    assert [of(vitals, topic).missed for topic in TOPICS] == [(), ()]
    assert of(vitals).alive_at is None
    assert of(vitals, TOPICS[1]).alive_at == 2.0


def test_a_sign_of_life_leaves_what_it_does_not_name() -> None:
    """A webhook that works does not make good what another time was lost."""
    vitals = after([Unannounced("shop", (missed("a", 1.0),)), Announced("shop", TOPICS[0], 2.0)])
    assert [each.fact for each in of(vitals).missed] == ["a"]


def test_delay_and_key_are_noted() -> None:
    """How slow webhooks are, and which key signed last when."""
    vitals = after(
        [
            Announced("shop", TOPICS[0], 9.0, delay=3.0, signed_with="new"),
            Announced("shop", TOPICS[0], 5.0, delay=4.0, signed_with="old"),
            Announced("shop", TOPICS[0], 7.0, signed_with="new"),
        ]
    )
    assert vitals.delays == (3.0, 4.0)
    assert vitals.keys == {"old": 5.0, "new": 9.0}


def test_tries_outlive_a_sign_of_life() -> None:
    """One notification may be refused again and again while others are taken."""
    tried = Undelivered("shop", (failure(1.0, "d"), failure(2.0, "d")))
    vitals = after([tried, Announced("shop", TOPICS[0], 3.0)])
    assert of(vitals).failures == ()
    assert of(vitals).tries == {"d": (1.0, 2.0)}


def test_failures_that_nobody_told_one_by_one_count_until_a_sign_of_life() -> None:
    """They came no earlier than the first that was told."""
    vitals = after([Undelivered("shop", (failure(1.0), failure(2.0)), {TOPICS[0]: 7})])
    assert (of(vitals).more_failures, of(vitals).more_since) == (7, 1.0)
    alive = after([Announced("shop", TOPICS[0], 3.0)], vitals)
    assert (of(alive).more_failures, of(alive).more_since) == (0, None)


def test_a_flood_leaves_the_vitals_small_and_what_is_latest() -> None:
    """Whoever can send requests, or whatever was missed, cannot make the note outgrow a record."""
    vitals = Vitals()
    for n in range(600):
        at, digest = float(n), f"{n:064}"
        for sign in (
            Arrived("shop", TOPICS[0], at),
            Announced("shop", TOPICS[1], at, delay=at, signed_with=f"key-{n}"),
            Unannounced("shop", (missed(str(n), at),)),
            Undelivered("shop", (failure(at, digest), failure(at, "same", f"topic-{n}"))),
            Order("shop", str(n), "list", at),
        ):
            vitals = taken(vitals, sign)
    assert len(vitals.encode()) < LARGEST_NOTE
    assert len(vitals.topics) == taking.MOST_TOPICS + 1
    assert UNKNOWN in vitals.topics
    assert max(vitals.arrivals) == max(vitals.delays) == max(vitals.keys.values()) == 599.0
    known = of(vitals)
    assert (len(known.missed), known.more_missed) == (50, 550)
    assert (len(known.failures), known.more_failures) == (40, 560)
    assert {known.missed[-1].fact, vitals.orders[-1].id} == {"599"}
    assert f"{599:064}" in known.tries


def test_a_flood_of_bodies_does_not_hide_a_notification_tried_often() -> None:
    """The tries that are nearest to disabling a webhook are the last to be forgotten."""
    signs: list[Sign] = [Undelivered("shop", (failure(1.0, "real"), failure(2.0, "real")))]
    signs += [Undelivered("shop", (failure(3.0 + n, f"forged-{n}"),)) for n in range(100)]
    assert of(after(signs)).tries["real"] == (1.0, 2.0)


def test_what_is_a_week_old_is_forgotten() -> None:
    """But for what is known only by its latest time: the sign of life, and the keys."""
    vitals = after(
        [
            Arrived("shop", TOPICS[0], 0.0),
            Announced("shop", TOPICS[0], 0.0, signed_with="key"),
            Unannounced("shop", (missed("a", 1.0),)),
            Undelivered("shop", (failure(1.0, "d"),), {TOPICS[0]: 3}),
            Order("shop", "1", "list", 1.0),
        ]
    )
    assert after([Arrived("shop", TOPICS[0], 1.0 + KEPT)], vitals).orders == vitals.orders
    later = after([Arrived("shop", TOPICS[0], 2.0 + KEPT)], vitals)
    assert of(later) == TopicVitals(alive_at=0.0)
    assert (later.arrivals, later.orders, later.keys) == ((2.0 + KEPT,), (), {"key": 0.0})


def test_an_order_is_there_once() -> None:
    """Told twice, it is to be done once."""
    order = Order("shop", "1", "ensure", 1.0)
    assert after([order, order]).orders == (order,)
    assert msgspec.structs.asdict(after([order]).orders[0])["what"] == "ensure"
