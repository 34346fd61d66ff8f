"""The appender without Kafka: what befalls its producer does not end it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from receiver.kafka.appender import Appender
from receiver.kafka.clients import Clients, Timeouts
from tests.unit.receiver.polling.virtual import virtual


class FailingProducer:
    """A producer that fails as uvloop does, and can hardly be thrown away."""

    async def start(self) -> None:
        """Fail as nobody expects."""
        message = "unable to perform operation on <TCPTransport>; the handler is closed"
        raise RuntimeError(message)


@virtual
async def test_an_unexpected_error_does_not_end_it() -> None:
    """It tries again: its end would be that of the whole process."""
    made: list[FailingProducer] = []

    def producer() -> Any:
        made.append(FailingProducer())
        return made[-1]

    clients = SimpleNamespace(appending_producer=producer, timeouts=Timeouts())
    appender = Appender(cast("Clients", clients), ["topic"])
    running = asyncio.create_task(appender.run())
    await asyncio.sleep(10.0)
    assert not running.done()
    assert len(made) > 10
    assert "RuntimeError" in appender.problem
    running.cancel()
    await asyncio.wait([running])
