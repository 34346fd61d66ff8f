"""Both ways of reading, in turns, each time by a process of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.bench.bench import Bench
from tests.bench.ledgers import fill_table
from tests.bench.measure import Findings, Goal, Line, interleaved, ratios
from tests.bench.program import Program
from tests.bench.route.inbox import filler

RESOURCES = 1_000_000
PARTITIONS = 12
"""The default number: a process that is alone restores all of them at once."""

_MILLISECONDS = 1e3


async def measure(bench: Bench) -> Findings:
    """Restore a ledger and count its records, in turns."""
    cluster = await bench.cluster()
    topic, size = f"{bench.prefix()}ledger", bench.scaled(RESOURCES)
    compacted = {"cleanup.policy": "compact"}
    await asyncio.to_thread(cluster.create_topic, topic, PARTITIONS, compacted)
    bench.say(f"writing a ledger of {size:,} resources")
    async with filler(cluster.bootstrap_servers) as producer:
        await fill_table(producer, topic, PARTITIONS, size)
    arguments = (cluster.bootstrap_servers, topic, str(PARTITIONS))
    restored, counted = (_Reader(bench, way, arguments, size) for way in ("restored", "counted"))
    await interleaved(bench, {each.way: each.read for each in (restored, counted)})
    return Findings(
        [
            Line(
                "restored ÷ counted, a CPU-second",
                ratios(restored.all("a_cpu_second"), counted.all("a_cpu_second")),
                Goal(at_least=0.7),
            ),
            Line(
                "restored ÷ counted, a second",
                ratios(counted.all("seconds"), restored.all("seconds")),
            ),
            Line(f"restore of {size:,} resources", restored.all("seconds"), Goal(at_most=4.0), "s"),
            Line("restored a CPU-second", restored.all("a_cpu_second"), unit="resources"),
            Line("longest pause of others", restored.all("pause_ms"), unit="ms"),
        ]
    )


@dataclass(slots=True)
class _Reader:
    """One way of reading; ``told`` is what its processes said."""

    bench: Bench
    way: str
    arguments: tuple[str, ...]
    size: int
    told: list[Mapping[str, Any]] = field(default_factory=list)

    async def read(self) -> float:
        """Read everything once; return how many records that were for each CPU-second.

        Raises:
            RuntimeError: something was not read.
        """
        name = "tests.bench.restore.reading"
        async with Program.module(self.bench, name, *self.arguments, self.way) as program:
            said = program.told
        if said["records"] < self.size:
            raise RuntimeError(f"{self.way}: {said['records']} of {self.size} resources")
        a_cpu_second: float = self.size / said["cpu"]
        pause_ms = said["pause"] * _MILLISECONDS
        self.told.append({**said, "a_cpu_second": a_cpu_second, "pause_ms": pause_ms})
        return a_cpu_second

    def all(self, what: str) -> list[float]:
        """Return one figure of every round."""
        return [float(said[what]) for said in self.told]
