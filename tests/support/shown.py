"""What SmartPay's stand-in has and what it showed, as facts by which the checker can judge.

Nothing here is taken from the program that is judged, nor from the ids of its handler.
"""

from collections.abc import Mapping
from typing import Any

from handlers.smartpay.sandbox import SmartPaySandbox
from handlers.smartpay.sandbox.shop import Told
from tests.chaos.story import Fact


def shown(sandbox: SmartPaySandbox, account: str) -> set[Fact]:
    """Return each fact in a notification that got its 200, and in a row that was read."""
    told = sandbox._deliveries.told | sandbox._merchant.listings.told
    facts = {_fact(each, account) for each in told}
    caused = {str(id) for id in sandbox.caused(account)}  # noqa: A001 - as the field
    assert caused == {fact.id for fact in facts}, "the ids of what was shown are others"
    return facts


def true_of(sandbox: SmartPaySandbox, account: str) -> dict[Fact, int | None]:
    """Return what is true of all orders and invoices, each fact with its amount in cents."""
    shop = sandbox._merchant.shop
    fields = [order.fields() for order in shop.orders.values()]
    fields += [invoice.fields() for invoice in shop.invoices.values()]
    return {
        fact: amount for each in fields for fact, amount in facts_of(each, account=account).items()
    }


def dummies_of(sandbox: SmartPaySandbox, account: str) -> dict[Fact, int | None]:
    """Return what SmartPay may have told of what it made up for tests."""
    facts: dict[Fact, int | None] = {}
    for number in range(1, sandbox._merchant.shop.tests + 1):
        for action in ("created", "paid", "cancelled"):
            facts[Fact(f"smartpay/{account}/test/invoice/test-{number}", action)] = 1_000
            facts[Fact(f"smartpay/{account}/test/order/test-{number}", action)] = None
    return facts


def facts_of(fields: Mapping[str, Any], *, account: str) -> dict[Fact, int | None]:
    """Return what the fields of an order or invoice show, each fact with its amount in cents."""
    kind = "invoice" if "invoice_id" in fields else "order"
    test = "test/" if fields["is_dummy"] else ""
    key = f"smartpay/{account}/{test}{kind}/{fields[f'{kind}_id']}"
    facts = [Fact(key, "created")]
    if not fields["is_enabled"]:
        facts.append(Fact(key, "cancelled"))
    if fields.get("date_failed") is not None:
        facts.append(Fact(key, "failed", fields["date_failed"]))
    if fields.get("date_paid") is not None:
        facts.append(Fact(key, "paid"))
    amount = fields.get("amount_discounted") or fields.get("amount")
    return dict.fromkeys(facts, None if amount is None else round(float(amount) * 100))


def _fact(told: Told, account: str) -> Fact:
    test = "test/" if told.is_test else ""
    key = f"smartpay/{account}/{test}{told.kind}/{told.id}"
    return Fact(key, told.action, told.discriminator or "")
