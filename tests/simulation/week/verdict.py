"""The verdict on a week: what must hold when everything has worked again for a while."""

import json
from collections import Counter
from collections.abc import Mapping

from handlers.smartpay.sandbox.shop import Told
from tests.chaos.checker import Sent
from tests.chaos.story import Fact
from tests.simulation.cluster import Cluster
from tests.simulation.programs import ACCOUNT
from tests.simulation.verdict import assert_exactly_once, assert_positions_sound, event_records
from tests.simulation.week.shop import facts_of
from tests.simulation.week.smartpay import SmartPay


def assert_published(
    cluster: Cluster, smartpay: SmartPay, facts: Mapping[Fact, int | None]
) -> None:
    """Assert that what answers showed is published exactly once; ``facts`` are the shop's own."""
    shown = {_fact(told) for told in _told(smartpay)}
    caused = {str(id) for id in smartpay.sandbox.caused(ACCOUNT)}  # noqa: A001 - as the field
    assert caused == {fact.id for fact in shown}, "the ids of what was shown are others"
    known = {**facts, **_made_by_smartpay(smartpay)}
    acknowledged = {fact: known[fact] for fact in shown}
    assert_exactly_once(cluster, Sent(acknowledged, unsure=known))
    assert_positions_sound(cluster)


def origins(cluster: Cluster) -> Counter[str]:
    """Return how many events were published by which kind of observation."""
    documents = (json.loads(record.value or b"") for record in event_records(cluster))
    return Counter(document["data"]["origin"] for document in documents)


def _told(smartpay: SmartPay) -> set[Told]:
    merchant = smartpay.sandbox._merchant
    return smartpay.sandbox._deliveries.told | merchant.listings.told


def _fact(told: Told) -> Fact:
    test = "test/" if told.is_test else ""
    key = f"smartpay/{ACCOUNT}/{test}{told.kind}/{told.id}"
    return Fact(key, told.action, told.discriminator or "")


def _made_by_smartpay(smartpay: SmartPay) -> dict[Fact, int | None]:
    """Return the facts of what came between two pages, and of what SmartPay made up for tests."""
    shop = smartpay.sandbox._merchant.shop
    fields = [order.fields() for order in shop.orders.values()]
    fields += [invoice.fields() for invoice in shop.invoices.values()]
    facts = {fact: amount for each in fields for fact, amount in facts_of(each).items()}
    for number in range(1, shop.tests + 1):
        for action in ("created", "paid", "cancelled"):
            facts[Fact(f"smartpay/{ACCOUNT}/test/invoice/test-{number}", action)] = 1_000
            facts[Fact(f"smartpay/{ACCOUNT}/test/order/test-{number}", action)] = None
    return facts
