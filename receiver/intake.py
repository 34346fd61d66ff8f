"""Taking webhooks in: Kafka first, the spool while Kafka does not acknowledge, else a refusal."""

import structlog

from handlers.observation import Observation
from receiver.inbox import Inbox
from receiver.kafka.appender import NotDurable
from receiver.spool.errors import SpoolFailed, SpoolFull, SpoolSlow
from receiver.spool.file import Spooled
from receiver.spool.spool import Spool

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Intake:
    """Makes a webhook's observation durable, wherever that can be done.

    It says where webhooks go when that changes, and not of each of them: there may be thousands a
    second, and ``payevents explain`` tells of each.
    """

    def __init__(self, inbox: Inbox, spool: Spool) -> None:
        self._inbox = inbox
        self._spool = spool
        self._spooling = False

    async def accept(self, key: str, observation: Observation) -> bool:
        """Return once ``observation`` is durable: True if Kafka took it, False if the spool did.

        Raises:
            NotDurable: neither Kafka nor the disk took it.
            TooLarge: neither ever will.
        """
        try:
            await self._inbox.append(key, observation)
        except NotDurable as unavailable:
            await self._keep(key, observation, unavailable)
            return False
        if self._spooling:
            self._spooling = False
            log.info("webhooks go to Kafka again")
        return True

    async def _keep(self, key: str, observation: Observation, unavailable: NotDurable) -> None:
        spooled = Spooled(key.encode(), observation.headers(), observation.body)
        try:
            await self._spool.append(spooled)
        except (SpoolFull, SpoolFailed, SpoolSlow) as error:
            raise NotDurable(f"{unavailable}; {error}") from error
        if not self._spooling:
            self._spooling = True
            log.info("webhooks go to the spool", why=str(unavailable))
