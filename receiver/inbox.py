"""The inbox: where observations become durable, before anything else happens to them."""

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

    async def append(self, key: str, observation: Observation) -> None:
        """Append ``observation`` under its resource's ``key``; return once it is durable.

        Raises:
            NotDurable: it is not durable anywhere. Sending it again is harmless.
            TooLarge: it can never be.
        """
        if len(observation.body) > MOST_BYTES:
            raise TooLarge(f"{len(observation.body)} bytes are more than {MOST_BYTES}")
        await self._appender.append(
            self._topic, key.encode(), observation.body, headers=observation.headers()
        )
