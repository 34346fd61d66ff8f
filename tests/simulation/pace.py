"""How often idle processes ask Kafka: as the service does, or seldom, so that weeks pass soon."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from receiver.kafka import appender
from receiver.kafka.clients import Timeouts
from receiver.polling import poller
from receiver.registration import undelivered
from receiver.routing import router
from receiver.shards import membership


@dataclass(frozen=True, slots=True)
class Pace:
    """The timeouts of a process, and how often it asks while nothing happens.

    ``membership`` replaces settings of the group's members, and ``waits`` constants of the
    service's modules: seconds, or what their names say.
    """

    timeouts: Timeouts
    membership: Mapping[str, int] = field(default_factory=dict)
    waits: Mapping[tuple[object, str], float] = field(default_factory=dict)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Have the service's modules keep this pace."""
        with ExitStack() as stack:
            for (module, name), value in self.waits.items():
                stack.enter_context(patch.object(module, name, value))
            yield


BRISK = Pace(Timeouts(acknowledge=2.0, session=10.0, transaction=15.0, start=60.0))
"""The service's own pace."""

LEISURELY = Pace(
    Timeouts(acknowledge=2.0, session=300.0, transaction=15.0, start=60.0),
    membership={
        "heartbeat_interval_ms": 60_000,
        "rebalance_timeout_ms": 90_000,
        "request_timeout_ms": 120_000,
    },
    waits={
        (membership, "_POLL_MS"): 120_000,
        (membership, "_SILENT_FOR"): 1_200.0,
        (membership, "_REBUILD_AFTER"): 20.0,
        (appender, "_RETRY_AFTER"): 20.0,
        (poller, "_WAIT"): 600.0,
        (router, "_WAIT"): 600.0,
        (undelivered, "EVERY"): 60.0,
        (undelivered, "LONGEST_PAUSE"): 60.0,
    },
)
"""A pace for weeks: what is to do is done at once, but a group notices a death minutes later."""
