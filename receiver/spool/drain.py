"""Draining: what was spooled goes to the inbox, beside the live traffic, oldest first."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random

import structlog

from receiver.kafka.appender import Appender, NotDurable, RecordRefused
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile, Stored
from receiver.spool.spool import Spool

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

BATCH = 500
"""How many observations, at most, are under way to Kafka at once, beside the live ones."""

_LOOK_EVERY = 1.0
_ORPHANS_EVERY = 10.0
_RENEW_EVERY = 10.0


@dataclass(slots=True)
class _Source:
    """A spool file to drain; ``sent`` is the row up to which nothing is left to be sent.

    What is before it is in Kafka, removed or not, or ``refused``: Kafka takes no record as large.
    """

    oldest: Callable[[int, int], Awaitable[Sequence[Stored]]]
    remove: Callable[[Sequence[Stored]], Awaitable[None]]
    sent: int = 0
    refused: RecordRefused | None = None


class Drain:
    """Moves this process's spool, and those that dead processes left in the folder, to the inbox.

    Facts do not depend on the order of arrival, and the ledger drops what arrives twice: so nothing
    has to wait for the spool, and a batch that was interrupted is simply sent again.
    """

    def __init__(self, spool: Spool, appender: Appender, topic: str, rng: Random) -> None:
        self._spool = spool
        self._appender = appender
        self._topic = topic
        self._rng = rng
        self._own = _Source(spool.oldest, spool.remove)

    async def run(self) -> None:
        """Drain whenever there is something and Kafka takes it, until cancelled."""
        now = asyncio.get_running_loop().time
        orphans_at = renew_at = now()
        while True:
            # With jitter: replicas that lost Kafka together should not all come back at once.
            await asyncio.sleep(_LOOK_EVERY * self._rng.uniform(0.5, 1.5))
            if now() >= renew_at:
                renew_at = now() + _RENEW_EVERY
                await self.renew()
                self._try_again()
            if not self._appender.available:
                continue
            try:
                if self._spool.count:
                    await self._drain_own()
                if now() >= orphans_at:
                    orphans_at = now() + _ORPHANS_EVERY
                    await self.drain_orphans()
            except NotDurable as error:
                log.info("draining waits", why=str(error))

    async def renew(self) -> None:
        """Have the spool go on with a new file, if its own failed and the disk takes one."""
        if await self._spool.renew():
            # Rows are counted from the first one again.
            self._own = _Source(self._spool.oldest, self._spool.remove)

    def _try_again(self) -> None:
        if self._own.refused is not None:
            self._own.sent, self._own.refused = 0, None

    async def drain_orphans(self) -> int:
        """Drain every file that a dead process left behind; return how many observations.

        Raises:
            NotDurable: Kafka does not take them; they stay where they are.
        """
        drained = 0
        while (file := await self._spool.orphan()) is not None:
            log.info("a spool was found", path=str(file.path), observations=file.count)
            try:
                drained += await self._drain(self._source(file))
            except (SpoolFailed, RecordRefused) as error:
                self._spool.set_aside(file.path, error)
            finally:
                await self._spool.in_orphans_thread(file.close)
        return drained

    async def _drain_own(self) -> None:
        try:
            drained = await self._drain(self._own)
        except SpoolFailed as error:
            self._spool.fail(error)
        except RecordRefused as error:
            self._spool.tell_refused(str(error))
        else:
            self._spool.tell_refused("")
            if drained:
                log.info("the spool was drained", observations=drained)

    def _source(self, file: SpoolFile) -> _Source:
        in_thread = self._spool.in_orphans_thread
        return _Source(
            lambda limit, after: in_thread(lambda: file.oldest(limit, after)),
            lambda stored: in_thread(lambda: file.remove(stored)),
        )

    async def _drain(self, source: _Source) -> int:
        """Send all of ``source``; return how many.

        A disk that is full, or can only be read, does not keep anything from Kafka, nor does a
        record that is too large: what cannot be removed, or is refused, is passed over, and told
        when all has been sent.

        Raises:
            SpoolFailed: the file cannot be read, or something could not be removed.
            RecordRefused: Kafka refused a record, which stays where it is.
            NotDurable: Kafka takes nothing now.
        """
        drained = 0
        unremoved: SpoolFailed | None = None
        while batch := await source.oldest(BATCH, source.sent):
            records = [(s.key, s.body, s.headers) for s in (each.spooled for each in batch)]
            outcomes = await self._appender.append_all(self._topic, records)
            done = [
                stored for stored, failure in zip(batch, outcomes, strict=True) if failure is None
            ]
            if done:
                try:
                    await source.remove(done)
                except SpoolFailed as error:
                    unremoved = error
            drained += len(done)
            for failure in outcomes:
                if isinstance(failure, RecordRefused):
                    source.refused = failure
                elif failure is not None:
                    raise failure
            source.sent = batch[-1].row
        if unremoved is not None:
            raise unremoved
        if source.refused is not None:
            raise source.refused
        return drained
