"""Backpressure in a process of its own: bounded memory, whatever senders, Kafka or files do."""

import asyncio
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.kafka.cluster import Cluster
from tests.kafka.ports import free_ports
from tests.kafka.test_operator import ask, eventually
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.payevents import COMMAND, Payevents
from tests.support.webhooks import Sender, invoice, post

KIB, MIB = 2**10, 2**20
CONNECTIONS = 10_000
OTHER_FILES = 500
PER_CONNECTION = 16 * KIB
SOCKET_BUFFER = 32 * KIB
HALF_A_HEAD = b"POST /webhooks/shop HTTP/1.1\r\nHost: pay\r\nX-Half: " + b"y" * 200
REST_OF_HEAD = b"\r\nContent-Length: 200000\r\n\r\n"
FEW_FILES = 700


def memory(service: Payevents, field: str) -> int:
    """Return bytes of memory of the process, from a field of its status such as VmRSS."""
    for line in Path(f"/proc/{service.pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * KIB
    raise AssertionError(f"no {field}")


@contextmanager
def connections(service: Payevents, wanted: int) -> Iterator[list[socket.socket]]:
    """Yield as many open connections as wanted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OTHER_FILES
    assert hard >= needed, f"a process may open {hard} files here: 'ulimit -n {needed}' before it"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        address = ("127.0.0.1", service.ports["public"])
        yield [
            stack.enter_context(socket.create_connection(address, timeout=30.0))
            for _ in range(wanted)
        ]


async def open_connections(service: Payevents) -> int:
    """Return how many connections the service says are open."""
    return int(await metric(service, "payevents_http_connections"))


async def metric(service: Payevents, name: str) -> float:
    """Return the value of a metric."""
    lines = await asyncio.to_thread(_exposition, service)
    [value] = [line.rsplit(" ", 1)[1] for line in lines if line.rsplit(" ", 1)[0] == name]
    return float(value)


def _exposition(service: Payevents) -> list[str]:
    with socket.create_connection(("127.0.0.1", service.ports["admin"]), timeout=30.0) as admin:
        admin.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        with admin.makefile("rb") as answer:
            return answer.read().decode().splitlines()


def without_kafka(folder: Path, http: str = "") -> str:
    """Return a configuration whose Kafka is away, with more settings of the listener."""
    [port] = free_ports(1)
    config = service_config(f"127.0.0.1:{port}", "", folder / "spool")
    return config.replace("[http]\n", f"[http]\n{http}")


async def test_ten_thousand_connections_shut_nobody_out(tmp_path: Path) -> None:
    """Idle, in the middle of a head or of a body: each costs little, and a webhook gets its 200."""
    patient = 'head_timeout = "10m"\nkeepalive_timeout = "10m"\nbody_timeout = "10m"\n'
    with Payevents(without_kafka(tmp_path, patient), tmp_path, "many", "--roles", "receive") as s:
        assert await post(f"{s.webhooks}/shop", invoice("first")) == 200
        before = memory(s, "VmRSS")
        with connections(s, CONNECTIONS) as opened:
            count = len(opened)

            async def all_open() -> bool:
                return await open_connections(s) >= count

            await eventually(all_open, "not all connections were let in")
            for number, connection in enumerate(opened):
                if number % 3 > 0:
                    connection.sendall(HALF_A_HEAD)
                if number % 3 > 1:
                    connection.sendall(REST_OF_HEAD)

            started = time.monotonic()
            assert await post(f"{s.webhooks}/shop", invoice("among-many")) == 200
            assert time.monotonic() - started < 10.0
            assert memory(s, "VmRSS") - before < count * PER_CONNECTION + 32 * MIB
            assert await open_connections(s) >= count

            _send_all_they_can(opened)
            assert await post(f"{s.webhooks}/shop", invoice("after-a-burst")) == 200
            await eventually(lambda: _is_within_its_share(s), "more is held than may be")
            burst = count * SOCKET_BUFFER
            assert memory(s, "VmHWM") - before < count * PER_CONNECTION + burst + 64 * MIB
        assert await asyncio.to_thread(s.terminate) == 0


def _send_all_they_can(opened: list[socket.socket]) -> None:
    for connection in opened:
        connection.setblocking(False)
        try:
            connection.send(b"z" * 16 * KIB)
        except OSError:
            # It was cut off already, for want of room.
            continue


async def _is_within_its_share(service: Payevents) -> bool:
    arriving = await metric(service, 'payevents_http_pending_bytes{share="arriving"}')
    refused = await metric(service, 'payevents_http_refusals_total{why="arriving"}')
    return arriving <= 16 * MIB and refused > 0


class FewFiles(Payevents):
    """The service under a hard limit on open files."""

    program = ("sh", "-c", f'ulimit -n {FEW_FILES} && exec "$0" "$@"', COMMAND)


async def test_connections_never_take_the_last_file(tmp_path: Path) -> None:
    """With more connections than files, webhooks and operators get in and the spool works."""
    with FewFiles(without_kafka(tmp_path), tmp_path, "few", "--roles", "receive") as s:
        with connections(s, 2 * FEW_FILES) as opened:
            for connection in opened[::2]:
                try:
                    connection.sendall(HALF_A_HEAD)
                except OSError:
                    continue
            assert await post(f"{s.webhooks}/shop", invoice("a")) == 200
            assert await open_connections(s) < FEW_FILES
            assert await metric(s, "payevents_spool_observations") == 1
            _, report = await ask(f"{s.admin}/readyz")
            assert report["parts"]["http"]["state"] == "degraded"
            assert "max_connections" in report["parts"]["http"]["why"]
        assert await asyncio.to_thread(s.terminate) == 0


LARGE = 200 * KIB
FLOOD, SENDERS = 300, 5
PENDING = 4 * MIB


@pytest.fixture
def config(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> str:
    """Return a configuration whose topics exist, with little memory for what waits."""
    servers = kafka_cluster.bootstrap_servers
    config = service_config(servers, topic_prefix, tmp_path / "spool")
    return made(config.replace("[http]\n", f"[http]\nmax_pending = {PENDING}\n"), tmp_path)


@pytest.mark.timeout(300)
async def test_a_flood_while_kafka_is_frozen_is_held_within_bounds(
    config: str, kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """Memory stays bounded, what is too much gets 503, and every 200 is in the inbox at the end."""
    floods = [
        [invoice(f"i{sender}-{n}", padding="x" * LARGE) for n in range(FLOOD // SENDERS)]
        for sender in range(SENDERS)
    ]
    with Payevents(config, tmp_path, "flood", "--roles", "receive") as service:
        await asyncio.to_thread(service.await_line, "Kafka takes records")
        url = f"{service.webhooks}/shop"
        assert await post(url, invoice("before")) == 200
        before = memory(service, "VmRSS")
        kafka_cluster.pause(0)
        senders = [Sender([url], concurrency=len(flood)) for flood in floods]
        async with asyncio.timeout(180):
            await asyncio.gather(
                *(sender.send(flood) for sender, flood in zip(senders, floods, strict=True))
            )
        assert memory(service, "VmHWM") - before < 4 * PENDING + 24 * MIB < FLOOD * LARGE
        assert sum(sender.refused for sender in senders) > 0
        assert "overloaded" in service.log()

        kafka_cluster.resume(0)
        records = await read(kafka_cluster, topic_prefix, "payevents.inbox", FLOOD + 1)
        keys = {record.key for record in records}
        assert len(keys) == FLOOD + 1
        assert await asyncio.to_thread(service.terminate) == 0
