"""Telling the account's shard what a receiver did not answer with 200 in time.

Nothing here holds up an answer: failures are noted in memory, and told a moment later, many at
once. Anyone can cause them by the thousand, with forged requests: so only the first few of a topic
are told one by one and the others counted, and the longer they keep coming the fewer messages they
make.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from receiver.kafka.appender import Appender, NotDurable
from receiver.registration.signs import Failure, Undelivered
from receiver.watches.requests import partition_key, to_record

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

MOST_TOLD = 20
"""Failures of one topic that one message tells one by one; the others it counts."""

EVERY = 2.0
"""Seconds between two messages about one account, at least."""

LONGEST_PAUSE = 30.0
"""Seconds to which that grows while there is something to tell each time."""

FLUSH = 1.0
"""Seconds that telling what is left may take when the service ends."""


class Failures:
    """The failures of this receiver that its accounts' shards have not been told of.

    ``topic`` is that of the watch requests; ``appender`` had better be nobody else's: when Kafka
    does not take a sign, it stops taking others for a while. ``sleep`` takes seconds.
    """

    def __init__(
        self,
        appender: Appender,
        topic: str,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._appender = appender
        self._topic = topic
        self._sleep = sleep
        self._untold: dict[str, _Untold] = {}
        self._telling = asyncio.Lock()

    def note(self, account: str, failure: Failure) -> None:
        """Note a failure, to be told later."""
        self._untold.setdefault(account, _Untold()).add(failure)

    async def run(self) -> None:
        """Tell what there is, again and again, until cancelled."""
        pause = EVERY
        while True:
            await self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE) if await self.tell() else EVERY

    async def tell(self) -> int:
        """Tell what there is, in one message for each account; return how many were sent.

        What Kafka does not take is kept: it may be told twice if Kafka took it after all.
        """
        sent = 0
        async with self._telling:
            for account in list(self._untold):
                untold = self._untold.pop(account)
                taken = False
                try:
                    taken = await self._append(untold.sign(account))
                finally:
                    if not taken:
                        self._untold[account] = untold.with_later(self._untold.get(account))
                sent += taken
        return sent

    async def flush(self, within: float) -> None:
        """Tell what is left, unless that takes longer than ``within`` seconds."""
        try:
            async with asyncio.timeout(within):
                await self.tell()
        except TimeoutError:
            pass
        for account, untold in self._untold.items():
            log.warning("failures were told to nobody", account=account, failures=len(untold))

    async def _append(self, sign: Undelivered) -> bool:
        record = to_record(sign)
        try:
            await self._appender.append(
                self._topic,
                record.key,
                record.value or b"",
                partition_key=partition_key(sign.account),
            )
        except NotDurable as error:
            log.debug("failures are told later", account=sign.account, why=str(error))
            return False
        return True


class _Untold:
    """The failures of one account: the first of each topic, and how many more there were."""

    def __init__(self) -> None:
        self._told: dict[str, list[Failure]] = {}
        self._more: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._told.values())) + self._more.total()

    def add(self, failure: Failure) -> None:
        told = self._told.setdefault(failure.topic, [])
        if len(told) < MOST_TOLD:
            told.append(failure)
        else:
            self._more[failure.topic] += 1

    def with_later(self, later: "_Untold | None") -> "_Untold":
        """Return this, with what came later."""
        if later is not None:
            sign = later.sign("")
            for failure in sign.failures:
                self.add(failure)
            self._more.update(sign.more)
        return self

    def sign(self, account: str) -> Undelivered:
        failures = tuple(failure for told in self._told.values() for failure in told)
        return Undelivered(account, failures, dict(self._more))
