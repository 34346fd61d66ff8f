"""The inbox: where observations become durable, before anything else happens to them."""

from collections.abc import Awaitable

from handlers.observation import Observation
from receiver.kafka.appender import Appender

MOST_BYTES = 512 * 1024
"""The largest observation, in bytes: its event must fit into one Kafka record of a megabyte."""


class TooLarge(ValueError):
    """The observation is larger than :data:`MOST_BYTES`."""


class Inbox:
    """Appends observations to the inbox topic."""

    def __init__(self, appender: Appender, topic: str) -> None:
        self._appender = appender
        self._topic = topic

    @property
    def available(self) -> bool:
        """Tell whether observations can be made durable now."""
        return self._appender.available

    @property
    def problem(self) -> str:
        """Return why they cannot; empty if they can."""
        return self._appender.problem

    def append(self, key: str, observation: Observation) -> Awaitable[object]:
        """Append ``observation`` under its resource's ``key``; it is durable once that is awaited.

        Raises:
            NotDurable: it is not durable anywhere. Sending it again is harmless. This may be raised
                at once or when it is awaited.
            TooLarge: it can never be.
        """
        if len(observation.body) > MOST_BYTES:
            raise TooLarge(f"{len(observation.body)} bytes are more than {MOST_BYTES}")
        return self._appender.begin(
            self._topic, key.encode(), observation.body, observation.headers()
        )
