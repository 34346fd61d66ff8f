"""A merchant's first seconds: every event that SmartPay's webhooks can show, and some mischief."""

from handlers.sandbox import Step

STORY = (
    Step(0.5, "create-invoice", {"amount": "49.90"}),
    Step(1.5, "pay"),
    Step(2.5, "duplicate"),
    Step(3.5, "create-invoice", {"amount": "120.00", "discounted": "99.00", "method": "e"}),
    Step(4.5, "fail", {"announce": "yes"}),
    Step(5.5, "pay"),
    Step(6.5, "create-invoice", {"amount": "1.00", "dummy": "yes"}),
    Step(7.5, "pay"),
    Step(8.0, "create-invoice", {"amount": "15.00"}),
    Step(8.5, "forge"),
    Step(9.0, "cancel-invoice"),
    Step(9.5, "cancel-order"),
    Step(10.0, "unreadable"),
    Step(10.5, "create-invoice", {"amount": "250.00"}),
    Step(11.5, "silent-body"),
)
"""The forged one must be refused; the unreadable one becomes a dead letter; the silent body's
payment is found by asking the API."""
