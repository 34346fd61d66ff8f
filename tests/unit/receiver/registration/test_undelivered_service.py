"""A whole receiver: what it refuses is told to the shard, at the latest when the receiver ends."""

from pathlib import Path
from typing import cast

import pytest

from receiver.kafka.appender import Appender
from tests.support.webhooks import invoice, post
from tests.unit.receiver.receiving import receiver
from tests.unit.receiver.registration.test_undelivered import FakeAppender


async def test_the_end_of_a_receiver_tells_what_it_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka is away at first; what was refused meanwhile is told before the process is gone."""
    service = receiver(tmp_path)
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
