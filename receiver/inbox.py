"""The inbox: where observations become durable, before anything else happens to them."""

from handlers.observation import Observation
from receiver.kafka.appender import Appender
from receiver.kafka.batching import Told

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
        value = _value(observation)
        await self._appender.append(self._topic, key.encode(), value, headers=observation.headers())

    def begin(self, key: str, observation: Observation, told: Told) -> None:
        """Begin to append ``observation`` under its resource's ``key``, as :meth:`append` does.

        ``told`` is called once, with how that ended.

        Raises:
            NotDurable: Kafka takes nothing now, and ``told`` is not called.
            TooLarge: it can never be durable.
        """
        value = _value(observation)
        self._appender.begin(self._topic, key.encode(), value, observation.headers(), told)


def _value(observation: Observation) -> bytes:
    body = observation.body
    if len(body) > MOST_BYTES:
        raise TooLarge(f"{len(body)} bytes are more than {MOST_BYTES}")
    return body
