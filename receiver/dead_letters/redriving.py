"""Redriving: sending the observations of dead letters through the inbox again."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import msgspec

from config.topics import Topics
from handlers.letters import Reason
from handlers.observation import Observation, Position
from receiver.dead_letters.finding import Found, read_letters
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import Row

RATE = 50.0
"""Letters a second, unless told otherwise: routers and providers have other work to do."""


class RedriveStopped(NotDurable):
    """Kafka did not take one; ``str()`` says how many were sent before it."""

    def __init__(self, sent: int, of: int, why: str) -> None:
        super().__init__(
            f"{sent} of {of} letters were sent, then: {why}. Redriving them all again is safe"
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter whose observation is in the inbox again: who it was, and where it stands now."""

    letter: Found
    at: Position
    digest: str


@dataclass(slots=True)
class Redriven:
    """What became of a wish to redrive: the letters sent, and for each other one why not."""

    sent: list[Sent] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """Return the ids of the letters sent."""
        return [sent.letter.id for sent in self.sent]


class Pace:
    """Lets no more than ``rate`` through in a second; ``monotonic`` and ``sleep`` in seconds."""

    def __init__(
        self,
        rate: float,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval = 1 / rate
        self._monotonic = monotonic
        self._sleep = sleep
        self._next = monotonic()

    async def wait(self) -> None:
        """Return when it is the next one's turn."""
        pause = self._next - self._monotonic()
        if pause > 0:
            await self._sleep(pause)
        self._next = max(self._next, self._monotonic()) + self._interval


async def redrive(
    clients: Clients,
    appender: Appender,
    topics: Topics,
    letters: Sequence[Found],
    pace: Pace,
    *,
    missing: Iterable[str] = (),
    progress: Callable[[int, int], None] = lambda _sent, _of: None,
) -> Redriven:
    """Append the letters' observations to the inbox again, under the letters' ids.

    A letter goes when its observation has become events; until then it stays. One body at a time
    is in memory. ``missing`` are ids that were asked for and not found.

    Raises:
        SnapshotFailed: the topic cannot be read.
        RedriveStopped: Kafka did not take one; what was sent before it is sent.
    """
    outcome = Redriven(refused=refusals(letters, missing))
    left = {letter.id: letter for letter in letters if letter.id not in outcome.refused}
    of = len(left)
    async with aclosing(read_letters(clients, topics.dead_letters, list(left.values()))) as rows:
        async for row in rows:
            await pace.wait()
            letter = left.pop(row.key.decode())
            try:
                outcome.sent.append(await _resend(appender, topics.inbox, letter, row))
            except NotDurable as error:
                raise RedriveStopped(len(outcome.sent), of, str(error)) from None
            except ValueError as error:
                outcome.refused[letter.id] = f"its record cannot be read: {error}"
            progress(len(outcome.sent), of)
    outcome.refused |= dict.fromkeys(left, "it has gone meanwhile")
    return outcome


def unfound(ids: Collection[str] | None, letters: Collection[Found]) -> list[str]:
    """Return those of ``ids`` that are not among ``letters``."""
    found = {letter.id for letter in letters}
    return [letter_id for letter_id in dict.fromkeys(ids or ()) if letter_id not in found]


def refusals(letters: Iterable[Found], missing: Iterable[str]) -> dict[str, str]:
    """Return by id why letters cannot be sent, before one is; ``missing`` are not there at all."""
    told = "it was not written by payevents and never can be read"
    foreign = [letter.id for letter in letters if letter.reason == Reason.NOT_AN_OBSERVATION]
    return dict.fromkeys(missing, "there is no such letter") | dict.fromkeys(foreign, told)


async def _resend(appender: Appender, inbox: str, letter: Found, row: Row) -> Sent:
    observation = Observation.from_record(row.headers, row.value)
    # Without the old verdict, so that the provider is asked again.
    again = msgspec.structs.replace(observation, letter_id=letter.id, verdict=None)
    key = row.header("payevents-inbox-key").encode()
    partition, offset = await appender.append(inbox, key, again.body, headers=again.headers())
    return Sent(letter, Position(inbox, partition, offset), observation.digest)
