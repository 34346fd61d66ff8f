"""The two clients of Kafka that a loop can run on."""

from collections.abc import Callable, Mapping

import uvloop

from tests.bench.route import librdkafka, looping
from tests.bench.route.looping import Work

AIOKAFKA = "aiokafka"
LIBRDKAFKA = "librdkafka"


def run_on(
    library: str, partitions: int, servers: str, source: str, positions: str, work: Work
) -> None:
    """Do ``work`` on all that ``source`` has and gets, until killed.

    Raises:
        KeyError: there is no such library.
    """
    _LOOPS[library](partitions, servers, source, positions, work)


def _on_aiokafka(partitions: int, servers: str, source: str, positions: str, work: Work) -> None:
    uvloop.run(looping.loop(partitions, servers, source, positions, work))


_LOOPS: Mapping[str, Callable[[int, str, str, str, Work], None]] = {
    AIOKAFKA: _on_aiokafka,
    LIBRDKAFKA: librdkafka.loop,
}
