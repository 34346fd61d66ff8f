"""A subscription's first seconds: every state of a charge and of a refund."""

from handlers.sandbox import Step

STORY = (
    Step(0.0, "add-subscription"),
    Step(0.5, "charge", {"amount": "1999"}),
    Step(3.0, "void"),
    Step(3.5, "decline", {"amount": "1999"}),
    Step(4.0, "charge", {"amount": "2599", "state": "pending_review"}),
    Step(6.5, "set-state", {"state": "success"}),
    Step(7.0, "refund", {"amount": "2599"}),
    Step(9.5, "void"),
    Step(10.0, "refund", {"amount": "500"}),
    Step(12.5, "set-state", {"state": "disputed"}),
    Step(13.0, "refund", {"amount": "700"}),
    Step(13.0, "set-state", {"state": "declined"}),
)
"""A state must last a little more than a poll, to be seen."""
