"""One replica of the service, with a clock that can be set and a disk that can be full."""

import resource
import sys
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.chaos.service import set_clock
from tests.support.payevents import Payevents

ANSWER_WITHIN = 2.0
"""Seconds that a replica is given to tell its metrics."""

_TORN = 2500
"""Bytes of a file that can still be written: at a file's beginning, a page of SQLite is torn."""


class Replica(Payevents):
    """``payevents serve`` with all roles, by way of :mod:`tests.chaos.service`."""

    program = (sys.executable, "-m", "tests.chaos.service")
    start_within = 120.0

    def __init__(self, config: str, folder: Path, name: str, spool: Path) -> None:
        super().__init__(config, folder, name)
        self.name = name
        self.log_file = folder / f"{name}.log"
        self._spool = spool
        self._clock = folder / f"{name}.clock"
        self.set_clock(0.0)
        self.environment = {"CHAOS_CLOCK": str(self._clock)}

    def set_clock(self, offset: float) -> None:
        """Set the wall clock of the process ``offset`` seconds off."""
        set_clock(self._clock, offset)

    def spool_files(self) -> list[Path]:
        """Return the spool files in the replica's folder, its own and others'."""
        return list(self._spool.glob("*.spool"))

    def fill_disk(self) -> None:
        """Let no file be written beyond its first bytes, as if there were no room for them."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (_TORN, hard))

    def free_disk(self) -> None:
        """Let files grow again."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (hard, hard))

    async def gauges(self, session: aiohttp.ClientSession, name: str) -> dict[str, float]:
        """Return a gauge's values by the label ``partition``; nothing if there is no answer.

        For a shard's gauge these are the values of its routing role. A gauge without that label
        has its one value under "".
        """
        if not self.running or not self.ports:
            return {}
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
        try:
            async with session.get(f"{self.admin}/metrics", timeout=timeout) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return {}
        return {
            sample.labels.get("partition", ""): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and sample.labels.get("role", "route") == "route"
        }
