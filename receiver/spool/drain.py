"""Draining: what was spooled goes to the inbox, beside the live traffic, oldest first."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import structlog

from receiver.kafka.appender import Appender, NotDurable, RecordRefused
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile, Stored
from receiver.spool.leftover import ReadOnlyFile
from receiver.spool.spool import Spool

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

BATCH = 500
"""How many observations, at most, are under way to Kafka at once, beside the live ones."""

_LOOK_EVERY = 1.0
_ORPHANS_EVERY = 10.0
_RENEW_EVERY = 10.0
_AGAIN_EVERY = 10.0
_ASIDE_EVERY = 300.0


@dataclass(slots=True)
class _Source:
    """A spool file to drain; ``sent`` is the row up to which nothing is left to be sent.

    What is before it is in Kafka, removed or not, or ``refused``: Kafka takes no record as large.
    What is up to ``before`` was sent in an earlier attempt: it is sent again to be removed then,
    and no longer than that succeeds. ``drained`` counts what Kafka took.
    """

    oldest: Callable[[int, int], Awaitable[Sequence[Stored]]]
    remove: Callable[[Sequence[Stored]], Awaitable[None]]
    sent: int = 0
    before: int = 0
    drained: int = 0
    refused: RecordRefused | None = None

    def try_again(self) -> None:
        """Begin anew, as far as anything is left."""
        self.before = max(self.before, self.sent)
        self.sent, self.refused = 0, None


class Drain:
    """Moves this process's spool, and those that dead processes left in the folder, to the inbox.

    Facts do not depend on the order of arrival, and the ledger drops what arrives twice: so nothing
    has to wait for the spool, and a batch that was interrupted is simply sent again.
    """

    def __init__(
        self,
        spool: Spool,
        appender: Appender,
        topic: str,
        rng: Random,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool = spool
        self._appender = appender
        self._topic = topic
        self._rng = rng
        self._sleep = sleep
        self._now = now
        self._own = _Source(spool.oldest, spool.remove)
        self._sent: dict[Path, int] = {}

    async def run(self) -> None:
        """Drain whenever there is something and Kafka takes it, until cancelled."""
        now = self._now
        orphans_at = renew_at = again_at = now()
        aside_at = now() + _ASIDE_EVERY
        while True:
            # With jitter: replicas that lost Kafka together should not all come back at once.
            await self._sleep(_LOOK_EVERY * self._rng.uniform(0.5, 1.5))
            if self._spool.problem and now() >= renew_at:
                # At once after a failure: where the disk is well, webhooks wait for a file only.
                renew_at = now() + _RENEW_EVERY
                await self.renew()
            if now() >= again_at:
                again_at = now() + _AGAIN_EVERY
                self._try_again()
            if not self._appender.available:
                continue
            try:
                if self._spool.count:
                    await self._drain_own()
                if now() >= aside_at:
                    aside_at = now() + _ASIDE_EVERY
                    self._spool.orphans.try_again()
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
            self._spool.tell_refused("")
            # What others left on the same disk may be emptied now, too.
            self._spool.orphans.try_again()

    def _try_again(self) -> None:
        if self._own.refused is not None:
            self._own.try_again()

    async def drain_orphans(self) -> int:
        """Drain every file that a dead process left behind; return how many observations.

        Raises:
            NotDurable: Kafka does not take them; they stay where they are.
        """
        drained = 0
        orphans = self._spool.orphans
        for path in await orphans.waiting():
            file = await orphans.open(path)
            if file is None:
                continue
            if file.count:
                log.info("a spool was found", path=str(path), observations=file.count)
            source = self._source(file)
            try:
                await self._drain(source)
            except (SpoolFailed, RecordRefused) as error:
                orphans.set_aside(path, error)
            else:
                self._ended(file)
            finally:
                drained += source.drained
                if source.refused is None:
                    # Else it is read once more from there, to find whether Kafka takes it by now.
                    self._sent[path] = max(source.before, source.sent)
                await orphans.in_thread(file.close)
        return drained

    def _ended(self, file: SpoolFile) -> None:
        if isinstance(file, ReadOnlyFile) and (file.count or not file.is_whole):
            # All of it that can be read is in Kafka, and here as well.
            self._spool.orphans.set_aside(file.path, file.why)
        else:
            self._spool.orphans.done(file.path)

    async def _drain_own(self) -> None:
        drained = self._own.drained
        try:
            await self._drain(self._own)
        except SpoolFailed as error:
            self._spool.fail(error)
        except RecordRefused as error:
            self._spool.tell_refused(str(error))
        else:
            self._spool.tell_refused("")
            if self._own.drained > drained:
                log.info("the spool was drained", observations=self._own.drained - drained)

    def _source(self, file: SpoolFile) -> _Source:
        in_thread = self._spool.orphans.in_thread
        source = _Source(
            lambda limit, after: in_thread(lambda: file.oldest(limit, after)),
            lambda stored: in_thread(lambda: file.remove(stored)),
            before=self._sent.get(file.path, 0),
        )
        if isinstance(file, ReadOnlyFile):
            # Nothing can be removed: what was sent once need not be sent again.
            source.sent = source.before
        return source

    async def _drain(self, source: _Source) -> None:
        """Send all of ``source``.

        A disk that is full, or can only be read, does not keep anything from Kafka, nor does a
        record that is too large: what cannot be removed, or is refused, is passed over, and told
        when all has been sent.

        Raises:
            SpoolFailed: the file cannot be read, or something could not be removed.
            RecordRefused: Kafka refused a record, which stays where it is.
            NotDurable: Kafka takes nothing now.
        """
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
            source.drained += len(done)
            for failure in outcomes:
                if isinstance(failure, RecordRefused):
                    source.refused = failure
                elif failure is not None:
                    raise failure
            source.sent = batch[-1].row
            if unremoved is not None:
                source.sent = max(source.sent, source.before)
        if unremoved is not None:
            raise unremoved
        if source.refused is not None:
            raise source.refused
