"""A whole receiver: what it refuses is told to the shard, at the latest when the receiver ends."""

from pathlib import Path
from typing import cast

import pytest

from config.listeners import AdminSettings, HttpSettings
from config.machine import SpoolSettings
from config.settings import Settings
from handlers.smartpay import provider
from handlers.smartpay.settings import SmartPaySettings
from receiver.kafka.appender import Appender
from receiver.kafka.clients import Clients
from receiver.roles import Role
from receiver.service import Service
from tests.support.webhooks import invoice, post
from tests.unit.receiver.registration.test_undelivered import FakeAppender


async def test_the_end_of_a_receiver_tells_what_it_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka is away at first; what was refused meanwhile is told before the process is gone."""
    shop = SmartPaySettings.model_validate({"name": "shop", "api_key": "k"})
    settings = Settings(
        http=HttpSettings(host="127.0.0.1", port=0),
        admin=AdminSettings(port=0),
        spool=SpoolSettings(directory=tmp_path),
        accounts={"shop": shop},
    )
    # Nobody listens there.
    clients = Clients({"bootstrap_servers": "127.0.0.1:1"})
    service = Service(
        settings, {"smartpay": provider}, roles=frozenset({Role.RECEIVE}), clients=clients
    )
    ports = await service.start()
    url = f"http://127.0.0.1:{ports.public}/webhooks/shop"
    webhook = invoice("aBc123")
    assert await post(url, webhook, key="changed at SmartPay") == 401
    assert await post(url, webhook, key="k") == 200
    appender = FakeAppender()
    monkeypatch.setattr(service._failures, "_appender", cast("Appender", appender))
    await service.stop()
    [sign] = appender.told
    assert [(f.topic, f.status) for f in sign.failures] == [("invoice/created", 401)]
