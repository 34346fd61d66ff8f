"""What became of redriven letters, as the records of their topic tell it."""

from datetime import UTC, datetime

from handlers.observation import Position
from receiver.dead_letters.finding import Found
from receiver.dead_letters.outcome import Outcome, Outcomes, State, counted
from receiver.dead_letters.redriving import Sent
from receiver.kafka.clients import KafkaHeaders
from receiver.routing.letters import Refusal, removal

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def sent(letter: str, offset: int, count: int = 1) -> Sent:
    """Return a letter that was sent to partition 0 of the inbox."""
    found = Found(letter, "bad-field", count, NOW, 0, 0)
    return Sent(found, Position("inbox", 0, offset), "digest")


def letter_headers(reason: str, count: int) -> KafkaHeaders:
    """Return the headers of a letter's record, as far as they matter."""
    headers = {"reason": reason, "detail": "why", "count": str(count)}
    return [(f"payevents-{name}", value.encode()) for name, value in headers.items()]


def test_each_letter_is_told() -> None:
    """Removed is gone, counted up is failed; routed without either is a look-up."""
    outcomes = Outcomes([sent("a", 5), sent("b", 6, count=2), sent("c", 7), sent("d", 8)])
    gone = removal("a", [])
    outcomes.take(gone.key, gone.value, gone.headers)
    outcomes.take(b"b", b"body", letter_headers("bad-field", 3))
    assert not outcomes.complete
    assert [each.letter.id for each in outcomes.pending] == ["c", "d"]
    told = outcomes.told({0: 8})
    assert [outcome.state for outcome in told] == [
        State.GONE,
        State.FAILED,
        State.LOOK_UP,
        State.NOT_ROUTED,
    ]
    assert (told[1].reason, told[1].detail, told[1].letter) == ("bad-field", "why", "b")
    assert counted(told) == "1 gone, 1 failed again, 1 waiting for a look-up, 1 not routed yet"


def test_a_failure_for_another_reason_is_no_success() -> None:
    """The removal itself says which letter the observation has become, and why."""
    outcomes = Outcomes([sent("a", 5)])
    replaced = removal("a", [Refusal("b", "not-json", "no JSON")])
    outcomes.take(replaced.key, replaced.value, replaced.headers)
    assert outcomes.complete
    assert outcomes.told({}) == [Outcome("a", State.FAILED, "not-json", "no JSON", "b")]


def test_what_was_there_before_and_others_tell_nothing() -> None:
    """The record that was redriven, seen again, is no failure; nor are other letters."""
    outcomes = Outcomes([sent("a", 5)])
    outcomes.take(b"a", b"body", letter_headers("bad-field", 1))
    outcomes.take(b"other", None, [])
    assert not outcomes.complete


def test_the_first_word_counts() -> None:
    """A letter that was gone, and whose observation comes again later, was redriven well."""
    outcomes = Outcomes([sent("a", 5)])
    outcomes.take(b"a", None, [])
    outcomes.take(b"a", b"body", letter_headers("bad-field", 9))
    assert [outcome.state for outcome in outcomes.told({})] == [State.GONE]
