"""The first seconds of a transfer and of a request for cherries."""

from handlers.sandbox import Step

STORY = (
    Step(1.0, "create-transfer", {"amount": "50"}, watch=True),
    Step(3.5, "set-status", {"status": "held_for_review"}),
    Step(6.0, "confirm"),
    Step(7.0, "create-request", {"amount": "120"}, watch=True),
    Step(9.5, "set-status", {"status": "held_for_review"}),
    Step(12.0, "confirm"),
)
"""Each is registered to be watched by whoever created it."""
