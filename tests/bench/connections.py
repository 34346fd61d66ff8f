"""What an idle connection holds: thousands are opened, each sends one request and stays."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.deployment import Deployment, deployment
from tests.bench.measure import Findings, Goal, Line
from tests.bench.program import payevents
from tests.support.webhooks import invoice

CONNECTIONS = 5_000
"""Kept whatever the run: fewer would measure the noise."""

AT_ONCE = 50
_DESCRIPTORS = 3 * CONNECTIONS
_HTTP = f"""\
drain_delay = "0s"
max_connections = {2 * CONNECTIONS}
keepalive_timeout = "10m"
"""


async def measure(bench: Bench) -> Findings:
    """Open idle keep-alive connections to a receiver; divide by them what it has grown."""
    _raise_limit()
    values = [await _grown(bench) for _ in range(bench.rounds)]
    note = f"Of {CONNECTIONS:,}, each of which had a webhook answered; resident memory."
    return Findings([Line("an idle connection", values, Goal(at_most=20.0), "KiB", note)])


async def _grown(bench: Bench) -> float:
    """Return the KiB of resident memory for each idle connection, of a process of its own."""
    async with deployment(bench, http=_HTTP) as there:
        served = payevents(bench, there.config, "--roles", "receive", name="connections")
        with served:
            await asyncio.to_thread(served.await_line, "Kafka takes records")
            async with _opened(there, AT_ONCE):
                # What is made once, for the first of them, belongs to no connection.
                before = _resident(served.pid)
                async with _opened(there, CONNECTIONS):
                    grown = (_resident(served.pid) - before) / CONNECTIONS
    bench.say(f"{grown:.1f} KiB a connection")
    return grown


@asynccontextmanager
async def _opened(there: Deployment, count: int) -> AsyncIterator[None]:
    """Open connections, have one webhook answered on each, and keep them."""
    open_: list[asyncio.StreamWriter] = []
    try:
        for first in range(0, count, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, count))
            open_ += await asyncio.gather(*(_connection(there, number) for number in numbers))
        yield
    finally:
        for writer in open_:
            writer.close()


async def _connection(there: Deployment, number: int) -> asyncio.StreamWriter:
    webhook = invoice(f"c{number}")
    headers = {**webhook.headers(), "Host": "localhost", "Content-Length": len(webhook.body)}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port, limit=4096)
    writer.write(f"POST /webhooks/smartpay HTTP/1.1\r\n{head}\r\n".encode() + webhook.body)
    answer = await reader.readuntil(b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    return writer


def _resident(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def _raise_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < _DESCRIPTORS:
        raise SystemExit(f"{_DESCRIPTORS} descriptors are needed, and {most} allowed: ulimit -n")
    # What is started from here inherits it.
    resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, most))
