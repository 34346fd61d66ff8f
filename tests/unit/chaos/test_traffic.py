"""The traffic: seeded, of every shape, and never in conflict with itself."""

import json
from collections import Counter, defaultdict
from itertools import islice, pairwise

from tests.chaos.story import RANKS, Fact
from tests.chaos.traffic import Notification, traffic


def first(count: int, seed: int = 7) -> list[Notification]:
    """Return the first notifications of a seed."""
    return list(islice(traffic(seed), count))


def test_the_same_seed_gives_the_same_traffic() -> None:
    """Traffic can be sent again, to its last byte; another seed gives another."""
    assert first(500) == first(500)
    assert first(500) != first(500, seed=8)


def test_every_shape_is_sent() -> None:
    """Invoices and orders are created, paid, failed, failed again and cancelled; some are tests."""
    facts = {fact for sent in first(5000) for fact in sent.facts}
    kinds = {(fact.key.split("/")[-2], fact.action) for fact in facts}
    assert kinds == {
        *(("invoice", action) for action in ("created", "paid", "failed", "cancelled")),
        *(("order", action) for action in ("created", "cancelled")),
    }
    failures = Counter(fact.key for fact in facts if fact.action == "failed")
    assert max(failures.values()) == 2
    assert any("/test/" in fact.key for fact in facts)


def test_some_come_twice() -> None:
    """Bodies are repeated, at once and later."""
    bodies = [each.webhook.body for each in first(5000)]
    at_once = sum(1 for one, other in pairwise(bodies) if one == other)
    repeated = len(bodies) - len(set(bodies))
    assert at_once > 200
    assert repeated - at_once > 100


def test_some_come_too_early() -> None:
    """Payments and cancellations come before what they follow, told for the first time."""
    most: dict[str, int] = defaultdict(int)
    told = set()
    early = 0
    for each in first(5000):
        rank = max(RANKS[fact.key.split("/")[-2]][fact.action] for fact in each.facts)
        key = next(iter(each.facts)).key
        early += rank < most[key] and each.webhook.body not in told
        most[key] = max(most[key], rank)
        told.add(each.webhook.body)
    assert early > 100


def test_a_fact_is_never_sent_with_two_amounts() -> None:
    """What is expected of an event does not depend on which notification came first."""
    amounts: dict[Fact, int | None] = {}
    for sent in first(20_000):
        for fact, amount in sent.facts.items():
            assert amounts.setdefault(fact, amount) == amount


def test_a_topic_claims_nothing_beyond_its_body() -> None:
    """No notification makes the service ask a provider that is not there."""
    for sent in first(2000):
        shown = {f"{fact.key.split('/')[-2]}/{fact.action}" for fact in sent.facts}
        assert sent.webhook.topic in shown


def test_amounts_are_those_of_the_bodies() -> None:
    """What the payer is to pay: the discounted amount where there is one."""
    for sent in first(2000):
        body = json.loads(sent.webhook.body)
        text = body.get("amount_discounted", body.get("amount"))
        expected = None if text is None else int(text.replace(".", ""))
        assert set(sent.facts.values()) == {expected}
