"""What each reason of a dead letter means, and what to do: docs/operations.md says the same."""

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.letters import Reason


@dataclass(frozen=True, slots=True)
class Advice:
    """What a reason means, and what a person can do about it."""

    means: str
    what_to_do: str


ADVICE: Mapping[Reason, Advice] = {
    Reason.NOT_JSON: Advice(
        "the body is not a JSON object in UTF-8",
        "show it to the provider",
    ),
    Reason.NO_ID: Advice(
        "the body names no resource",
        "show it to the provider",
    ),
    Reason.BAD_FIELD: Advice(
        "an amount, date, state or other field that matters is missing or cannot be read; the"
        " detail names it",
        "show it to the provider; redrive once a new version reads it",
    ),
    Reason.TOPIC_BEYOND_BODY: Advice(
        "the topic claims what the body does not show, or is unknown, and nobody can be asked",
        "look at the resource at the provider",
    ),
    Reason.CLAIM_NOT_CONFIRMED: Advice(
        "the provider was asked and did not bear the claim out; a forged topic looks like this",
        "compare with the provider; redriving asks again",
    ),
    Reason.CONTRADICTS_LEDGER: Advice(
        "a poll or look-up denies what was published (an amount changed, a payment is gone); what"
        " is new in it was published",
        "compare with the provider, correct your books by hand; redriving does not help",
    ),
    Reason.EXPIRED: Advice(
        "the ledger no longer remembers the resource, and what the observation shows is not dated"
        " after `ledger.retention`; a replayed old webhook looks like this. The detail names the"
        " facts",
        "compare with the provider; redriving does not help, see forgetting",
    ),
    Reason.UNKNOWN_ACCOUNT: Advice(
        "the account is not, or no longer, in the configuration",
        "add it and redrive, or leave the letter to its retention",
    ),
    Reason.NOT_AN_OBSERVATION: Advice(
        "something else wrote to the inbox",
        "find out who; it cannot be redriven",
    ),
    Reason.INTERNAL_ERROR: Advice(
        "the code failed on it; the log has the traceback",
        "report it; redrive with a version that mends it",
    ),
}
"""The advice about each reason."""

_UNKNOWN = Advice("this version does not know the reason", "look at it with the version it is from")


def advice(reason: str) -> Advice:
    """Return the advice about the reason in a letter, which another version may have written."""
    try:
        return ADVICE[Reason(reason)]
    except (ValueError, KeyError):
        return _UNKNOWN
