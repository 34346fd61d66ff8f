"""The audience: a consumer as anyone would write one, that remembers all it read."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from handlers.event import PaymentEvent
from receiver.kafka.clients import Clients
from receiver.kafka.following import follow


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as its headers tell of it."""

    account: str
    reason: str
    detail: str


@dataclass(slots=True)
class Heard:
    """What was read so far: the events in order, how often each id came, the dead letters."""

    events: list[PaymentEvent] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    letters: dict[bytes, Letter] = field(default_factory=dict)


class Audience:
    """Reads event topics and the dead letters, with ``read_committed``, from their beginning."""

    def __init__(self, clients: Clients, topics: Sequence[str], dead_letters: str) -> None:
        self.heard = Heard()
        self.arrived = asyncio.Event()
        self._clients = clients
        self._topics = topics
        self._dead_letters = dead_letters

    async def run(self) -> None:
        """Read until cancelled; ``arrived`` is set whenever there is more."""
        topics = [*self._topics, self._dead_letters]
        async for record in follow(self._clients, topics, from_beginning=True):
            if record.topic == self._dead_letters:
                self._hear_letter(record.key, record.value, record.headers)
            else:
                event = PaymentEvent.model_validate_json(record.value)
                self.heard.events.append(event)
                self.heard.ids[event.id] += 1
            self.arrived.set()

    def _hear_letter(
        self, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        if value is None:
            self.heard.letters.pop(key, None)
            return
        told = {name: raw.decode(errors="replace") for name, raw in headers}
        self.heard.letters[key] = Letter(
            told.get("payevents-account", "?"),
            told.get("payevents-reason", "?"),
            told.get("payevents-detail", ""),
        )
