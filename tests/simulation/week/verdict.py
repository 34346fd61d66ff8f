"""The verdict on a week: what must hold when everything has worked again for a while."""

import json
from collections import Counter
from collections.abc import Mapping

from tests.chaos.checker import Sent
from tests.chaos.story import Fact
from tests.simulation.cluster import Cluster
from tests.simulation.programs import ACCOUNT
from tests.simulation.verdict import assert_exactly_once, assert_positions_sound, event_records
from tests.simulation.week.smartpay import SmartPay
from tests.support.shown import dummies_of, shown, true_of


def assert_published(
    cluster: Cluster, smartpay: SmartPay, facts: Mapping[Fact, int | None]
) -> None:
    """Assert that what answers showed is published exactly once; ``facts`` are the shop's own."""
    sandbox = smartpay.sandbox
    known = {**facts, **true_of(sandbox, ACCOUNT), **dummies_of(sandbox, ACCOUNT)}
    acknowledged = {fact: known[fact] for fact in shown(sandbox, ACCOUNT)}
    assert_exactly_once(cluster, Sent(acknowledged, unsure=known))
    assert_positions_sound(cluster)


def origins(cluster: Cluster) -> Counter[str]:
    """Return how many events were published by which kind of observation."""
    documents = (json.loads(record.value or b"") for record in event_records(cluster))
    return Counter(document["data"]["origin"] for document in documents)
