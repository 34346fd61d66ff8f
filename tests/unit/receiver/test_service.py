"""A process as a whole: what it does first."""

import asyncio
import threading
from pathlib import Path

import aiohttp
import pytest

from config.listeners import AdminSettings, HttpSettings
from config.machine import SpoolSettings
from config.settings import Settings
from handlers.smartpay import provider
from handlers.smartpay.settings import SmartPaySettings
from receiver.kafka.clients import Clients
from receiver.machinery import Machinery
from receiver.roles import Role
from receiver.service import Ports, Service
from tests.kafka.ports import free_ports
from tests.support.webhooks import invoice, post

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
    shop = SmartPaySettings.model_validate({"name": "shop", "api_key": "k"})
    settings = Settings(
        http=HttpSettings(host="127.0.0.1", port=port),
        admin=AdminSettings(port=0),
        spool=SpoolSettings(directory=tmp_path),
        accounts={"shop": shop},
    )
    # Nobody listens there: the spool takes it.
    clients = Clients({"bootstrap_servers": "127.0.0.1:1"})
    service = Service(
        settings, {"smartpay": provider}, roles=frozenset({Role.RECEIVE}), clients=clients
    )
    starting = asyncio.create_task(service.start())
    try:
        status = await _first_status(f"http://127.0.0.1:{port}/webhooks/shop", starting)
        assert status == 200
        assert not starting.done()
    finally:
        imported.set()
        await starting
        await service.stop()


async def _first_status(url: str, starting: "asyncio.Task[Ports]") -> int:
    while not starting.done():
        try:
            return await post(url, invoice("aBc123"), key="k")
        except aiohttp.ClientConnectorError:
            # It does not listen yet.
            await asyncio.sleep(0.01)
    raise AssertionError("it had started, or failed to, before it listened")
