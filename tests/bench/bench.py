"""What every benchmark is given: how much to do, where, and a broker."""

import asyncio
import contextlib
import os
import sys
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Self

from tests.kafka.cluster import ROOMY_JVM_FLAGS, Cluster

ROUNDS = 7
QUICK_ROUNDS = 3
ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "handlers", "receiver")


@dataclass(frozen=True, slots=True)
class Peer:
    """A server of somebody else's to compare with: ``headers`` as ``name: value; name: value``."""

    url: str
    headers: str = ""
    pid: int | None = None


class Bench(contextlib.ExitStack):
    """One run of benchmarks.

    ``tree`` is the checkout whose code is under test: another than this one to compare with it.
    ``folder`` holds what a run needs, and goes with it.
    """

    def __init__(self, *, quick: bool = False, tree: Path = ROOT, peer: Peer | None = None) -> None:
        super().__init__()
        self.peer = peer
        self.quick = quick
        self.tree = tree.resolve()
        self.rounds = QUICK_ROUNDS if quick else ROUNDS
        self.folder = Path()
        self._cluster: Cluster | None = None
        self._prefixes = count(1)

    def __enter__(self) -> Self:
        temporary = tempfile.TemporaryDirectory(prefix="payevents-bench-")
        self.folder = Path(self.enter_context(temporary))
        self._code.mkdir()
        for package in PACKAGES:
            (self._code / package).symlink_to(self.tree / package)
        return self

    @property
    def environment(self) -> dict[str, str]:
        """Return what makes Python find the code under test, and the benchmarks of this checkout.

        It needs ``python -P``, which keeps the working directory out of it.
        """
        return {"PYTHONPATH": os.pathsep.join(map(str, (self._code, ROOT)))}

    @property
    def _code(self) -> Path:
        return self.folder / "code"

    async def cluster(self) -> Cluster:
        """Return the Apache Kafka node of this run, on the core of the load."""
        if self._cluster is None:
            self.say("starting Apache Kafka")
            cluster = Cluster(jvm_flags=ROOMY_JVM_FLAGS)
            await asyncio.to_thread(cluster.start)
            self.callback(cluster.stop)
            self._cluster = cluster
        return self._cluster

    def prefix(self) -> str:
        """Return a prefix for topics that nothing else in this run has."""
        return f"b{next(self._prefixes)}."

    def scaled(self, amount: int) -> int:
        """Return how much of something to do: a tenth in a quick run."""
        return max(1, amount // 10) if self.quick else amount

    @staticmethod
    def say(text: str) -> None:
        """Tell whoever waits how far it is."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - a program's own voice
