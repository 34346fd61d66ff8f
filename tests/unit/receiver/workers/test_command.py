"""`payevents serve --workers` as its users run it, while Kafka is away."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.kafka.ports import free_ports
from tests.support.configuration import service_config
from tests.support.payevents import COMMAND, Payevents
from tests.support.webhooks import invoice, post

WITHIN = 30.0
"""Seconds for whatever is waited for: machines differ, and processes take their time to start."""


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Return a configuration whose Kafka does not answer."""
    [port] = free_ports(1)
    return service_config(f"127.0.0.1:{port}", "", tmp_path / "spool")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Path]]:
    """Return what lists the temporary folders that are left."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return lambda: list(tmp_path.glob("payevents-*"))


@pytest.fixture
def service(config: str, tmp_path: Path, folders: object) -> Iterator[Payevents]:
    """Return two running workers and their supervisor."""
    del folders
    with Payevents(config, tmp_path, "payevents", "--workers", "2") as running:
        yield running


async def workers(service: Payevents) -> list[dict[str, Any]]:
    """Return what the status says of the workers."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{service.admin}/v1/status") as answer,
    ):
        told: list[dict[str, Any]] = (await answer.json())["workers"]
        return told


def await_end(pids: list[int]) -> None:
    """Wait until processes have ended that are no children of ours; fail if they go on."""
    deadline = time.monotonic() + WITHIN
    while any(map(alive, pids)):
        assert time.monotonic() < deadline, "they go on"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Tell whether there is a process that has not ended."""
    try:
        # An orphan that nobody has waited for is no process any more, but for its entry.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        # The latter if it goes between opening and reading.
        return False


async def test_workers_end_with_their_supervisor(
    service: Payevents, folders: Callable[[], list[Path]]
) -> None:
    """However it dies: they drain, give up the port, and leave nothing behind."""
    pids = [worker["pid"] for worker in await workers(service)]
    assert all(alive(pid) for pid in pids)
    assert len(folders()) == 1
    os.kill(service.pid, signal.SIGKILL)
    try:
        await asyncio.to_thread(await_end, pids)
    finally:
        for pid in filter(alive, pids):
            os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(service.kill)
    ended = [json.loads(line) for line in service.log().splitlines()]
    assert sorted(line["worker"] for line in ended if line["message"] == "ended") == [0, 1]
    assert folders() == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", service.ports["public"]))


async def test_one_signal_to_all_is_one_signal_to_each(
    service: Payevents, folders: Callable[[], list[Path]]
) -> None:
    """Service managers send SIGTERM to every process of a service: all drain, and end with 0.

    Each line of the log says which worker it is from; the supervisor's alone are of none, and
    "serving" comes once, from it, with both ports.
    """
    assert await post(f"{service.webhooks}/shop", invoice("i1")) == 200
    assert await post(f"{service.webhooks}/shop", invoice("i1"), key="not the key") == 401
    for worker in await workers(service):
        os.kill(worker["pid"], signal.SIGTERM)
    assert await asyncio.to_thread(service.terminate) == 0
    assert folders() == []
    lines = [json.loads(line) for line in service.log().splitlines()]
    told = [(line["message"], line.get("worker")) for line in lines]
    assert ("a second signal: ending at once", 0) not in told
    ports = {name: service.ports[name] for name in ("public", "admin", "workers")}
    [serving] = [line for line in lines if line["message"] == "serving"]
    assert serving.items() >= ports.items()
    assert ports["workers"] == 2
    for message in ("a worker serves", "draining"):
        assert sorted(worker for said, worker in told if said == message) == [0, 1]
    assert {worker for said, worker in told if said == "ended"} == {None, 0, 1}
    [refused_by] = [worker for said, worker in told if said == "a webhook was refused"]
    assert refused_by in {0, 1}


async def test_a_second_signal_ends_all_at_once(
    config: str, tmp_path: Path, folders: Callable[[], list[Path]]
) -> None:
    """Nobody waits for the drain, and the exit code says that it was cut short."""
    slow = config.replace('drain_delay = "0s"', 'drain_delay = "20s"')
    with Payevents(slow, tmp_path, "payevents", "--workers", "2") as service:
        pids = [worker["pid"] for worker in await workers(service)]
        service.interrupt()
        for _ in pids:
            await asyncio.to_thread(service.await_line, "draining")
        assert await asyncio.to_thread(service.terminate, 10.0) == 1
    # They are killed, and the system may take a moment longer over that than over their parent.
    await asyncio.to_thread(await_end, pids)
    told = {json.loads(line)["message"] for line in service.log().splitlines()}
    assert "draining" in told
    assert "ended" not in told
    assert folders() == []


@pytest.mark.parametrize("workers", ["-1", "many"])
def test_a_wrong_number_of_workers_is_refused(config: str, tmp_path: Path, workers: str) -> None:
    """What can be given is said."""
    file = tmp_path / "payevents.toml"
    file.write_text(config)
    done = subprocess.run(
        [COMMAND, "serve", "--workers", workers, "--config", file],
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert done.returncode == 2
    assert "auto" in done.stderr
