"""A process as a whole: what it does first."""

import asyncio
import threading
from pathlib import Path

import aiohttp
import pytest

from receiver.machinery import Machinery
from receiver.service import Ports
from receiver.spool.spool import Spool
from tests.kafka.ports import free_ports
from tests.support.webhooks import invoice, post
from tests.unit.receiver.receiving import receiver

WITHIN = 10.0
"""Seconds, should it be waited for in vain."""


async def test_webhooks_are_answered_while_the_rest_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What routes and polls takes as long to import as all before it: no webhook waits for that."""
    imported = threading.Event()

    def machinery() -> type[Machinery]:
        imported.wait(WITHIN)
        return Machinery

    monkeypatch.setattr("receiver.service._machinery", machinery)
    [port] = free_ports(1)
    service = receiver(tmp_path, port)
    starting = asyncio.create_task(service.start())
    try:
        status = await _first_status(f"http://127.0.0.1:{port}/webhooks/shop", starting)
        assert status == 200
        assert not starting.done()
    finally:
        imported.set()
        await starting
        await service.stop()


async def test_a_disk_that_hangs_at_the_start_does_not_hang_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever gives up the start of a service can stop it, though its disk never answers."""
    answers = threading.Event()
    monkeypatch.setattr(Spool, "_open", lambda _: answers.wait(WITHIN))
    service = receiver(tmp_path)
    starting = asyncio.create_task(service.start())
    await asyncio.sleep(0)
    try:
        starting.cancel()
        await asyncio.wait([starting])
        async with asyncio.timeout(WITHIN / 2):
            await service.stop()
    finally:
        answers.set()


async def _first_status(url: str, starting: "asyncio.Task[Ports]") -> int:
    while not starting.done():
        try:
            return await post(url, invoice("aBc123"), key="k")
        except aiohttp.ClientConnectorError:
            # It does not listen yet.
            await asyncio.sleep(0.01)
    raise AssertionError("it had started, or failed to, before it listened")
