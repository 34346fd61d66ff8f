"""The sandboxes of all three providers, and one deployment beside a Kafka that can go."""

import asyncio
import json
import subprocess
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from receiver.sandbox.host import SandboxHost
from tests.kafka.cluster import Cluster
from tests.kafka.reader import Record, read_committed
from tests.kafka.readiness import QUIET
from tests.kafka.test_operator import command
from tests.support.payevents import Payevents

EVENT_TOPICS = ("invoices", "orders", "transactions", "transfers")
WITHIN = 60.0
TRY_EVERY = 0.2


@dataclass
class Town:
    """The sandboxes by account, and one deployment of the service beside a Kafka that can go."""

    cluster: Cluster
    prefix: str
    config: Path
    hosts: dict[str, SandboxHost]
    services: list[Payevents] = field(default_factory=list)

    async def serve(self) -> Payevents:
        """Start the service, and have SmartPay's webhooks sent there."""
        name = f"service-{len(self.services)}"
        service = Payevents(self.config.read_text(), self.config.parent, name)
        self.services.append(service)
        await asyncio.to_thread(service.start)
        await asyncio.to_thread(service.await_line, "Kafka takes records")
        return service

    async def run(self, *arguments: str, expect: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end."""
        return await asyncio.to_thread(command, self.config, *arguments, expect=expect)

    async def events(self, count: int) -> list[dict[str, Any]]:
        """Return all events once there are ``count``, and all that came with them."""
        deadline = time.monotonic() + WITHIN
        while len(found := await asyncio.to_thread(self._events)) < count:
            assert time.monotonic() < deadline, sorted(map(told, found))
            await asyncio.sleep(TRY_EVERY)
        return found

    def lose_everything(self) -> None:
        """Have Kafka forget all that the deployment ever wrote."""
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap_servers, **QUIET})
        names = [name for name in self._topics() if name.startswith(self.prefix)]
        for deleted in admin.delete_topics(names).values():
            deleted.result()

    def back_up(self) -> list[Record]:
        """Return what all topics hold, but for the last record in each partition of the inputs.

        Topics are backed up one after the other: here the inputs first, while all went on.
        """
        names = [name for name in self._topics() if name.startswith(self.prefix)]
        records = read_committed(self.cluster.bootstrap_servers, names)
        inputs = {f"{self.prefix}payevents.{name}" for name in ("inbox", "watch-requests")}
        last = {(r.topic, r.partition): r for r in records if r.topic in inputs}
        return [record for record in records if record not in last.values()]

    def restore(self, backup: Collection[Record]) -> None:
        """Write a backup into new topics, each record into its partition and with its time."""
        producer = Producer({"bootstrap.servers": self.cluster.bootstrap_servers, **QUIET})
        for record in backup:
            producer.produce(
                record.topic,
                record.value,
                record.key,
                record.partition,
                timestamp=record.timestamp_ms,
                headers=list(record.headers),
            )
        assert producer.flush(WITHIN) == 0

    def _topics(self) -> Collection[str]:
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap_servers, **QUIET})
        return admin.list_topics().topics

    def _events(self) -> list[dict[str, Any]]:
        topics = [f"{self.prefix}payments.{name}" for name in EVENT_TOPICS]
        records = read_committed(self.cluster.bootstrap_servers, topics)
        return [json.loads(record.value or b"") for record in records]


def told(event: dict[str, Any]) -> str:
    """Return what an event says, shortly."""
    return f"{event['partitionkey']} {event['data']['action']}"


def ids(events: Collection[dict[str, Any]]) -> set[str]:
    """Return the events' ids, of which there is each once."""
    twice = [
        event for event, count in Counter(event["id"] for event in events).items() if count > 1
    ]
    assert not twice, twice
    return {event["id"] for event in events}
