"""The names of dead letters."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from handlers.letters import Reason, letter_id
from handlers.observation import Observation, Origin

OBSERVATION = Observation(
    "shop", Origin.WEBHOOK, "invoice/paid", datetime(2026, 1, 1, tzinfo=UTC), b"{}", "r1"
)
PARTS = st.tuples(st.text("a/%", max_size=3), st.text("a/%", max_size=3), st.sampled_from(Reason))


def test_the_same_again_is_the_same_letter() -> None:
    """When, how and under which request it came makes no other letter."""
    again = replace(
        OBSERVATION,
        received_at=OBSERVATION.received_at + timedelta(days=1),
        origin=Origin.POLL,
        request_id="r2",
        verdict="no",
        letter_id="l",
    )
    assert letter_id(again, Reason.NO_ID) == letter_id(OBSERVATION, Reason.NO_ID)


def test_other_bytes_are_another_letter() -> None:
    """The bytes are part of the name."""
    assert letter_id(replace(OBSERVATION, body=b"{ }"), Reason.NO_ID) != letter_id(
        OBSERVATION, Reason.NO_ID
    )


@given(PARTS, PARTS)
def test_account_topic_and_reason_tell_letters_apart(
    one: tuple[str, str, Reason], other: tuple[str, str, Reason]
) -> None:
    """The name is injective in account, topic and reason."""
    names = [
        letter_id(replace(OBSERVATION, account=account, topic=topic), reason)
        for account, topic, reason in (one, other)
    ]
    assert (names[0] == names[1]) == (one == other)


def test_reasons_are_short_words() -> None:
    """Each reason is lower-case words joined by hyphens, as the header shows it."""
    for reason in Reason:
        assert all(word.isalpha() and word.islower() for word in reason.split("-"))
