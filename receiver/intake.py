"""Taking webhooks in: Kafka first, the spool while Kafka does not acknowledge, else a refusal."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import structlog

from handlers.observation import Observation
from receiver.inbox import Inbox
from receiver.kafka.appender import NotDurable, RecordRefused
from receiver.spool.errors import SpoolFailed, SpoolFull, SpoolSlow
from receiver.spool.file import Spooled
from receiver.spool.spool import Spool

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Ended: TypeAlias = Callable[[bool | Exception], object]
"""Who is told how it ended: True if Kafka took it, False if the spool did, or why neither did."""


class Intake:
    """Makes a webhook's observation durable, wherever that can be done.

    It says where webhooks go when that changes, and not of each of them: there may be thousands a
    second, and ``payevents explain`` tells of each. No change is one that Kafka refuses for its
    size, nor one that was on its way when the others changed theirs.
    """

    def __init__(self, inbox: Inbox, spool: Spool) -> None:
        self._inbox = inbox
        self._spool = spool
        self._spooling = False
        # How often Kafka took them again: what was spooled late tells nothing of now.
        self._returns = 0
        self._keeping: set[asyncio.Task[None]] = set()

    def take(self, key: str, observation: Observation, ended: Ended) -> None:
        """Begin to make ``observation`` durable; ``ended`` is called once it is, or cannot be.

        NotDurable tells it that neither Kafka nor the disk took it. No task is made as long as
        Kafka takes what comes.

        Raises:
            TooLarge: neither ever will.
        """
        try:
            self._inbox.begin(key, observation, partial(self._told, key, observation, ended))
        except NotDurable as unavailable:
            self._keep(key, observation, ended, unavailable)

    def _told(
        self, key: str, observation: Observation, ended: Ended, outcome: int | NotDurable
    ) -> None:
        if isinstance(outcome, NotDurable):
            self._keep(key, observation, ended, outcome)
            return
        if self._spooling and self._inbox.available:
            self._spooling = False
            self._returns += 1
            log.info("webhooks go to Kafka again")
        ended(True)

    def _keep(self, key: str, observation: Observation, ended: Ended, why: NotDurable) -> None:
        spooled = Spooled(key.encode(), observation.headers(), observation.body)
        returns = None if isinstance(why, RecordRefused) else self._returns
        task = asyncio.create_task(self._spool_it(spooled, ended, str(why), returns))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def _spool_it(
        self, spooled: Spooled, ended: Ended, unavailable: str, returns: int | None
    ) -> None:
        try:
            await self._spool.append(spooled)
        except (SpoolFull, SpoolFailed, SpoolSlow) as error:
            ended(NotDurable(f"{unavailable}; {error}"))
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            ended(error)
        else:
            if not self._spooling and returns == self._returns:
                self._spooling = True
                log.info("webhooks go to the spool", why=unavailable)
            ended(False)
