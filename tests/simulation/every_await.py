"""Every await: a small run is made again for each request to Kafka and each thing to befall it."""

from collections.abc import Iterator, Mapping

from tests.simulation.faults import IDLE, Fate, Faults, Kind, OneFault
from tests.simulation.routing import Plan, simulate

_BEYOND_ALL_TIMEOUTS = 40.0

FATES: Mapping[Kind, float] = {
    Kind.CRASH_BEFORE: 0.0,
    Kind.CRASH_AFTER: 0.0,
    Kind.LOST: 0.0,
    Kind.ANSWER_LOST: 0.0,
    Kind.CUT_BEFORE: 20.0,
    Kind.CUT_AFTER: 20.0,
    Kind.FENCED: 0.0,
    Kind.FENCED_AFTER: 0.0,
    Kind.FREEZE_BEFORE: _BEYOND_ALL_TIMEOUTS,
    Kind.FREEZE_AFTER: _BEYOND_ALL_TIMEOUTS,
    Kind.REFUSED: 0.0,
    Kind.SLOW: 12.0,
    Kind.RESET: 0.05,
}
"""What befalls each request in turn, and for how many seconds."""


def plan(faults: Faults) -> Plan:
    """Return the small run: one partition, two replicas, a few transactions."""
    return Plan(
        seed=5,
        faults=faults,
        nemesis=False,
        replicas=2,
        partitions=1,
        invoices=2,
        seconds=3.0,
        calm=2.0,
    )


def requests() -> list[int]:
    """Return the numbers of the requests that routers make in it, but for idle ones."""
    faults = OneFault()
    simulate(plan(faults))
    return [
        point.number
        for point in faults.points
        if point.operation not in IDLE and point.process != "sender"
    ]


def runs(kind: Kind) -> Iterator[Plan]:
    """Yield a run for each request, in which this befalls it."""
    for number in requests():
        yield plan(OneFault(number, Fate(kind, FATES[kind])))
