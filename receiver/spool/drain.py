"""Draining: what was spooled goes to the inbox, beside the live traffic, oldest first."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Protocol

import structlog

from receiver.kafka.appender import Appender, NotDurable
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import Spooled, SpoolFile, Stored
from receiver.spool.spool import Spool

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

BATCH = 200
"""How many observations are under way to Kafka at once, beside the live ones."""

_LOOK_EVERY = 1.0
_ORPHANS_EVERY = 10.0


class _Source(Protocol):
    async def oldest(self, limit: int) -> Sequence[Stored]: ...
    async def remove(self, stored: Sequence[Stored]) -> None: ...


class _Orphan:
    """A file that a dead process left behind, read in the spool's thread."""

    def __init__(self, spool: Spool, file: SpoolFile) -> None:
        self._spool = spool
        self._file = file

    async def oldest(self, limit: int) -> Sequence[Stored]:
        return await self._spool.in_thread(lambda: self._file.oldest(limit))

    async def remove(self, stored: Sequence[Stored]) -> None:
        await self._spool.in_thread(lambda: self._file.remove(stored))


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

    async def run(self) -> None:
        """Drain whenever there is something and Kafka takes it, until cancelled."""
        now = asyncio.get_running_loop().time
        orphans_at = now()
        while True:
            # With jitter: replicas that lost Kafka together should not all come back at once.
            await asyncio.sleep(_LOOK_EVERY * self._rng.uniform(0.5, 1.5))
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
            except SpoolFailed as error:
                log.error("the spool cannot be drained", why=str(error))  # noqa: TRY400
                await asyncio.sleep(_ORPHANS_EVERY)

    async def drain_orphans(self) -> int:
        """Drain every file that a dead process left behind; return how many observations.

        Raises:
            NotDurable: Kafka does not take them; they stay where they are.
        """
        drained = 0
        while (file := await self._spool.orphan()) is not None:
            log.info("a spool was found", path=str(file.path), observations=file.count)
            try:
                drained += await self._drain(_Orphan(self._spool, file))
            except SpoolFailed as error:
                self._spool.set_aside(file.path, error)
            finally:
                await self._spool.in_thread(file.close)
        return drained

    async def _drain_own(self) -> None:
        drained = await self._drain(self._spool)
        log.info("the spool was drained", observations=drained)

    async def _drain(self, source: _Source) -> int:
        drained = 0
        while batch := await source.oldest(BATCH):
            appends = (self._append(stored.spooled) for stored in batch)
            outcomes = await asyncio.gather(*appends, return_exceptions=True)
            done = [
                stored
                for stored, outcome in zip(batch, outcomes, strict=True)
                if not isinstance(outcome, BaseException)
            ]
            if done:
                await source.remove(done)
            drained += len(done)
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
        return drained

    async def _append(self, spooled: Spooled) -> None:
        await self._appender.append(self._topic, spooled.key, spooled.body, headers=spooled.headers)
