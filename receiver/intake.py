"""Taking webhooks in: Kafka first, the spool while Kafka does not acknowledge, else a refusal."""

from handlers.observation import Observation, Position
from receiver.inbox import Inbox
from receiver.kafka.appender import NotDurable
from receiver.spool.errors import SpoolFailed, SpoolFull, SpoolSlow
from receiver.spool.file import Spooled
from receiver.spool.spool import Spool


class Intake:
    """Makes a webhook's observation durable, wherever that can be done."""

    def __init__(self, inbox: Inbox, spool: Spool) -> None:
        self._inbox = inbox
        self._spool = spool

    async def accept(self, key: str, observation: Observation) -> Position | None:
        """Return once ``observation`` is durable: where in the inbox it is, None in the spool.

        Raises:
            NotDurable: neither Kafka nor the disk took it.
            TooLarge: neither ever will.
        """
        try:
            return await self._inbox.append(key, observation)
        except NotDurable as unavailable:
            spooled = Spooled(key.encode(), observation.headers(), observation.body)
            try:
                await self._spool.append(spooled)
            except (SpoolFull, SpoolFailed, SpoolSlow) as error:
                raise NotDurable(f"{unavailable}; {error}") from error
            return None
