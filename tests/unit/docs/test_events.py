"""What the page for consumers says of events is what the code does."""

import json
import re
from datetime import UTC, datetime

from handlers.event import PaymentData, PaymentEvent
from handlers.fact import RANKS, Fact, Reading
from handlers.ledger import Publication, settle
from handlers.resource import ResourceKey
from handlers.schema import event_json_schema
from tests.unit.docs.pages import ROOT

TEXT = (ROOT / "docs" / "events.md").read_text("utf-8")
CHARGE = ResourceKey("subscriply", "members", "charge", "7")
CREATED = datetime(2026, 1, 1, 12, tzinfo=UTC)


def published(*facts: Fact) -> list[Publication]:
    """Return what is published of one resource's facts, learned of one by one."""
    told: list[Publication] = []
    entry = None
    for fact in facts:
        reading = Reading(fact.resource, (fact,))
        settled = settle(entry, reading, CREATED)
        entry = settled.entry
        told += settled.publications
    return told


def test_every_field_is_in_the_table() -> None:
    """The table has each attribute of the envelope and each field of the data, and no other."""
    _, _, below = TEXT.partition("\n| field | holds | null |\n")
    told = [
        name
        for row in re.findall(r"^\| ([^|]+) \|", below.partition("\n\n")[0], re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    ]
    attributes = [name for name in PaymentEvent.model_fields if name not in {"specversion", "data"}]
    fields = [f"data.{name}" for name in PaymentData.model_fields]
    assert sorted(told) == sorted(attributes + fields)


def test_the_table_says_what_may_be_null() -> None:
    """The last column says something of each field that the schema lets be null, and no other."""
    rows = re.findall(r"^\| `data\.(\w+)` \|.*\| ([^|]*)\|$", TEXT, re.MULTILINE)
    told = {name for name, null in rows if null.strip()}
    data = event_json_schema()["$defs"]["PaymentData"]["properties"]
    nullable = {name for name, field in data.items() if {"type": "null"} in field.get("anyOf", [])}
    assert told == nullable | {"resource"}


def test_the_natural_order_is_that_of_the_ranks() -> None:
    """Each kind's actions come in the order of their ranks, and those of one rank with "and"."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (`.+`) \| \w+ \|$", TEXT, re.MULTILINE)
    assert {kind for kinds, _ in rows for kind in re.findall(r"`(\w+)`", kinds)} == RANKS.keys()
    for kinds, order in rows:
        told = [sorted(re.findall(r"`(\w+)`", place)) for place in order.split(", ")]
        for kind in re.findall(r"`(\w+)`", kinds):
            ranks = RANKS[kind]
            places = sorted(set(ranks.values()))
            assert told == [sorted(a for a, rank in ranks.items() if rank == at) for at in places]


def test_a_charge_first_seen_pending_stays_updated() -> None:
    """The example under Status is what is published."""
    told = published(
        Fact(CHARGE, "updated", discriminator="pending"), Fact(CHARGE, "succeeded", CREATED)
    )
    _, _, below = TEXT.partition("| `sequence` | `action` | `status` | `late` |\n")
    rows = re.findall(r"^ +\| (\d) \| `(\w+)` \| `(\w+)` \| (\w+) \|$", below, re.MULTILINE)
    assert rows == [
        (str(one.sequence), one.fact.action, one.status, json.dumps(one.late)) for one in told
    ]


def test_what_is_dated_alike_has_one_status_for_everyone() -> None:
    """Declined and succeeded, both dated by the creation: the same status in either order."""
    facts = [Fact(CHARGE, "declined", CREATED), Fact(CHARGE, "succeeded", CREATED)]
    assert published(*facts)[-1].status == published(*reversed(facts))[-1].status


def test_a_paid_invoice_can_show_failed() -> None:
    """Between a payment and a failure the provider's date decides."""
    invoice = ResourceKey("smartpay", "shop", "invoice", "aBc123")
    paid = Fact(invoice, "paid", CREATED)
    later = CREATED.replace(hour=13)
    failed = Fact(invoice, "failed", later, discriminator="2026-01-01 13:00:00")
    assert [one.status for one in published(paid, failed)] == ["paid", "failed"]
