"""What became of redriven letters: gone, failed again, or still waiting."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from receiver.dead_letters.letter import DeadLetter
from receiver.dead_letters.redriving import Sent
from receiver.kafka.clients import KafkaHeaders
from receiver.kafka.snapshot import Row
from receiver.routing.letters import REPLACED_BY

_NO_ROUTER = "no router has come to it: look at 'payevents serve' and its /readyz"


class State(StrEnum):
    """What became of a redriven letter."""

    GONE = "gone"
    """It became events, or the events that it asserts had been published already."""
    FAILED = "failed"
    """It could not become events this time either."""
    LOOK_UP = "look-up"
    """It was routed, and the provider is being asked."""
    NOT_ROUTED = "not-routed"
    """It waits in the inbox: no router has come to it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a letter; for a failure the reason, and the letter that holds it now."""

    id: str
    state: State
    reason: str = ""
    detail: str = ""
    letter: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it as the command prints it."""
        return asdict(self)


class Outcomes:
    """Learns what became of the letters sent, from the records of the dead letters' topic."""

    def __init__(self, sent: Sequence[Sent]) -> None:
        self._sent = {each.letter.id: each for each in sent}
        self._known: dict[str, Outcome] = {}

    @property
    def pending(self) -> list[Sent]:
        """Return the letters of which nothing was heard yet."""
        return [sent for letter, sent in self._sent.items() if letter not in self._known]

    @property
    def complete(self) -> bool:
        """Tell whether all is known."""
        return len(self._known) == len(self._sent)

    def take(self, key: bytes, value: bytes | None, headers: KafkaHeaders) -> None:
        """Take a record of the topic into account, in the order of its partition."""
        row = Row(key, value or b"", headers)
        letter = DeadLetter.of(row)
        sent = self._sent.get(letter.id)
        if sent is None or letter.id in self._known:
            return
        if value is None:
            self._known[letter.id] = _removed(row, letter)
        elif letter.count > sent.letter.count:
            self._known[letter.id] = _failed(letter, letter.id)

    def told(self, routed: Mapping[int, int]) -> list[Outcome]:
        """Return what is known of each letter.

        ``routed`` says of inbox partitions which offset is the next to be routed.
        """
        return [
            self._known.get(letter) or _waiting(sent, routed) for letter, sent in self._sent.items()
        ]


def counted(outcomes: Sequence[Outcome]) -> str:
    """Return how many there are of each state, in words."""
    words = {
        State.GONE: "gone",
        State.FAILED: "failed again",
        State.LOOK_UP: "waiting for a look-up",
        State.NOT_ROUTED: "not routed yet",
    }
    counts = Counter(outcome.state for outcome in outcomes)
    return ", ".join(f"{counts[state]} {word}" for state, word in words.items() if counts[state])


def _removed(row: Row, letter: DeadLetter) -> Outcome:
    replaced_by = row.header(REPLACED_BY)
    return _failed(letter, replaced_by) if replaced_by else Outcome(letter.id, State.GONE)


def _failed(letter: DeadLetter, now: str) -> Outcome:
    return Outcome(letter.id, State.FAILED, letter.reason, letter.detail, now)


def _waiting(sent: Sent, routed: Mapping[int, int]) -> Outcome:
    if sent.at.offset < routed.get(sent.at.partition, 0):
        return Outcome(sent.letter.id, State.LOOK_UP)
    return Outcome(sent.letter.id, State.NOT_ROUTED, detail=_NO_ROUTER)
