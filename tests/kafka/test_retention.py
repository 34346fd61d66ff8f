"""An attack: signed bodies of long ago, sent again after the ledger has forgotten their invoice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.loading import load
from config.settings import Settings
from handlers.letters import Reason
from handlers.smartpay.topics import TOPICS
from receiver.accounts.providers import installed_providers
from receiver.roles import Role
from receiver.service import Service
from tests.kafka.cluster import Cluster
from tests.kafka.reader import Record, Until, read_committed
from tests.kafka.test_operator import ask
from tests.kafka.test_spine import made
from tests.support.configuration import service_config
from tests.support.judge import judge
from tests.support.webhooks import Webhook, invoice, post

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = timedelta(seconds=3)
"""More than the shortest retention there is, with its margin."""


class Town:
    """A service whose clock the test sets, and the topics behind it."""

    def __init__(self, settings: Settings, cluster: Cluster, prefix: str) -> None:
        self.now = NOW
        self._settings = settings
        self._cluster = cluster
        self._prefix = prefix
        self._webhooks = self._admin = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Run a service that receives and routes."""
        roles = frozenset({Role.RECEIVE, Role.ROUTE})
        service = Service(
            self._settings, installed_providers(), roles=roles, clock=lambda: self.now
        )
        ports = await service.start()
        self._webhooks = f"http://127.0.0.1:{ports.public}/webhooks/shop"
        self._admin = f"http://127.0.0.1:{ports.admin}"
        try:
            yield
        finally:
            await service.stop()

    async def post(self, *webhooks: Webhook) -> None:
        """Send each, which must be answered 200."""
        for webhook in webhooks:
            assert await post(self._webhooks, webhook) == 200

    async def pay(self, invoice_id: str) -> Webhook:
        """Send that an invoice was paid just now, and wait for its payment's event.

        There is one partition: all that was sent before it has been routed then.
        """
        sent = paid(invoice_id, self.now)
        await self.post(sent)
        await self.until(
            "payments.invoices",
            lambda records: (f"invoice/{invoice_id}", "paid") in judge(records).facts(),
        )
        return sent

    async def until(self, topic: str, until: Until) -> list[Record]:
        """Return the records of a topic as soon as they are as wished."""
        servers, names = self._cluster.bootstrap_servers, [f"{self._prefix}{topic}"]
        return await asyncio.to_thread(read_committed, servers, names, until=until, timeout=60)

    async def events_of(self, invoice_id: str) -> dict[str, int]:
        """Return how often each action of an invoice was published so far."""
        servers, names = self._cluster.bootstrap_servers, [f"{self._prefix}payments.invoices"]
        verdict = judge(await asyncio.to_thread(read_committed, servers, names))
        assert verdict.clean, verdict.findings
        subject = f"invoice/{invoice_id}"
        return {action: times for (of, action), times in verdict.facts().items() if of == subject}

    async def letters(self, written: int) -> set[str]:
        """Return the dead letters' ids once so many were written; all must be ``expired``."""
        records = await self.until(
            "payevents.dead-letters", lambda records: len(records) >= written
        )
        reasons = [dict(record.headers).get("payevents-reason") for record in records]
        assert reasons == [Reason.EXPIRED.encode()] * written
        return {(record.key or b"").decode() for record in records}

    async def redrive(self, letters: set[str]) -> None:
        """Send letters through the inbox again."""
        ids = {"ids": sorted(letters)}
        status, _ = await ask(f"{self._admin}/v1/dead-letters/redrive", "POST", json=ids)
        assert status == 202


def paid(invoice_id: str, at: datetime) -> Webhook:
    """Return that an invoice was paid."""
    return invoice(invoice_id, "invoice/paid", date_paid=f"{at:%Y-%m-%d %H:%M:%S}")


def under_every_topic(webhook: Webhook) -> list[Webhook]:
    """Return the same signed body under each topic: the topic is not signed."""
    return [Webhook(topic, webhook.body) for topic in TOPICS]


@pytest.fixture
def town(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> Town:
    """Return a town whose ledger forgets after a second."""
    servers = kafka_cluster.bootstrap_servers
    text = service_config(servers, topic_prefix, tmp_path / "spool", partitions=1)
    text = f'[ledger]\nretention = "1s"\n{text}'
    made(text, tmp_path)
    models = {name: provider.settings for name, provider in installed_providers().items()}
    return Town(load(tmp_path / "topics.toml", {}, models), kafka_cluster, topic_prefix)


async def test_an_old_signed_body_replayed_after_expiry_publishes_nothing(town: Town) -> None:
    """Whatever topic it is sent with, dated or not, at once, after a restart and redriven."""
    undated = invoice("old")
    async with town.serving():
        old = await town.pay("old")
        town.now += LATER
        await town.pay("tells-the-time")
        await town.until(
            "payevents.ledger",
            lambda records: any(
                record.key == b"smartpay/shop/invoice/old" and record.value is None
                for record in records
            ),
        )
        attack = [*under_every_topic(old), *under_every_topic(undated)]
        await town.post(*attack)
        await town.pay("fresh")
        # The paid body as created and as paid, the other as created. Under any other topic they
        # claim more than they show: the provider would be asked, whom nobody plays here.
        letters = await town.letters(written=3)
        assert await town.events_of("old") == {"paid": 1}
    async with town.serving():
        await town.post(*attack)
        await town.pay("fresh-again")
        assert await town.letters(written=6) == letters
        await town.redrive(letters)
        assert await town.letters(written=6 + len(letters)) == letters
        await town.pay("fresh-at-last")
        assert await town.events_of("old") == {"paid": 1}
