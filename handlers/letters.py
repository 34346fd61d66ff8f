"""Dead letters: why an observation could not become events, and the name of such a letter."""

from enum import StrEnum
from uuid import UUID, uuid5

from handlers.observation import Observation
from handlers.resource import encode

_NAMESPACE = UUID("0b9f5f0e-8f0c-5b57-8a3b-6ad0f6a1a7c4")


class Reason(StrEnum):
    """The short words in ``payevents-reason``; docs/operations.md says what to do about each."""

    NOT_JSON = "not-json"
    """The body is not a JSON object in UTF-8."""
    NO_ID = "no-id"
    """The body names no resource."""
    BAD_FIELD = "bad-field"
    """A field that matters (amount, date, state) is missing or cannot be read."""
    TOPIC_BEYOND_BODY = "topic-beyond-body"
    """The topic claims what the body does not show (or is unknown), and nobody can be asked."""
    CLAIM_NOT_CONFIRMED = "claim-not-confirmed"
    """The topic claimed what the provider, asked, did not bear out."""
    CONTRADICTS_LEDGER = "contradicts-ledger"
    """A live read denies what was published before."""
    EXPIRED = "expired"
    """What it shows may have been published already, in an entry that the ledger has forgotten."""
    UNKNOWN_ACCOUNT = "unknown-account"
    """The account is not, or no longer, in the configuration."""
    NOT_AN_OBSERVATION = "not-an-observation"
    """The inbox record was not written by payevents."""
    INTERNAL_ERROR = "internal-error"
    """The code that reads it failed; please report it. The letter can be redriven once mended."""


def letter_id(observation: Observation, reason: str) -> str:
    """Return the letter's id, made from account, topic, reason and the bytes.

    So the same again counts up one letter instead of adding another. A topic that anyone can write
    is first brought to one of a few words (:meth:`handlers.provider.Handler.letter_topic`).
    """
    parts = (observation.account, observation.topic, reason, observation.digest)
    return str(uuid5(_NAMESPACE, "/".join(map(encode, parts))))
