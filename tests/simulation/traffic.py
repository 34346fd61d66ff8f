"""Traffic: webhooks about invoices, sent until each is in the inbox, and a ledger of them."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from handlers.observation import Observation, Origin
from receiver.kafka.appender import NotDurable
from tests.chaos.checker import Sent
from tests.chaos.story import Fact
from tests.simulation.programs import ACCOUNT, Receiver, inbox_key
from tests.simulation.world import Machine

_AMOUNT = 1000
_SENDERS = 4
_RETRY_AFTER = 0.5
_PAID, _FAILED = "2018-01-02 12:00:00", "2018-01-01 12:00:00"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A notification, with the facts that its body asserts; one without any is a dead letter."""

    topic: str
    body: bytes
    facts: tuple[Fact, ...]


def webhooks(rng: Random, invoices: int) -> list[Webhook]:
    """Return the lives of invoices in a hostile order, some of them told twice or unreadable."""
    told: list[Webhook] = []
    for number in range(invoices):
        life = [_invoice(number, "created")]
        if rng.random() < 1 / 3:
            life.append(_invoice(number, "failed", date_failed=_FAILED))
        life.append(_invoice(number, "paid", date_paid=_PAID))
        if rng.random() < 1 / 4:
            # Its topic says more than its body: it asks for a look-up.
            life.append(_invoice(number, "paid"))
        told += life + [webhook for webhook in life if rng.random() < 1 / 4]
    told += [Webhook("invoice/paid", f"not JSON {n}".encode(), ()) for n in range(invoices // 4)]
    # Neighbours change places, as they do on the way; far ones seldom.
    return [w for _, w in sorted(enumerate(told), key=lambda pair: pair[0] + rng.uniform(0, 12))]


def _invoice(number: int, event: str, **dates: str) -> Webhook:
    key = f"smartpay/{ACCOUNT}/invoice/i{number}"
    body = {
        "invoice_id": f"i{number}",
        "amount": "10.00",
        "is_dummy": False,
        "is_enabled": True,
        "date_paid": None,
        "date_failed": None,
        **dates,
    }
    facts = [Fact(key, "created")]
    if "date_failed" in dates:
        facts.append(Fact(key, "failed", dates["date_failed"]))
    if "date_paid" in dates:
        facts.append(Fact(key, "paid"))
    return Webhook(f"invoice/{event}", json.dumps(body).encode(), tuple(facts))


@dataclass(slots=True)
class Sender:
    """A program that sends webhooks through a receiver of its own, in about so many ``seconds``."""

    webhooks: Sequence[Webhook]
    rng: Random
    seconds: float
    acknowledged: list[Webhook] = field(default_factory=list)
    done: bool = False
    _receiver: Receiver = field(default_factory=Receiver)

    async def run(self, machine: Machine) -> None:
        """Send all, then go on receiving for nobody."""
        receiving = asyncio.create_task(self._receiver.run(machine), name="appender")
        try:
            waiting = iter(self.webhooks)
            pause = self.seconds * _SENDERS / max(1, len(self.webhooks))

            async def work() -> None:
                for webhook in waiting:
                    await self._send(machine, webhook)
                    # Some follow at once, so that several come into one transaction.
                    await asyncio.sleep(self.rng.choice((0.0, 0.0, 3 * pause)))

            await asyncio.gather(*(work() for _ in range(_SENDERS)))
            self.done = True
            await receiving
        finally:
            receiving.cancel()

    def sent(self) -> Sent:
        """Return the sender's own ledger."""
        return Sent({fact: _AMOUNT for webhook in self.acknowledged for fact in webhook.facts})

    async def _send(self, machine: Machine, webhook: Webhook) -> None:
        while True:
            observation = Observation(
                ACCOUNT, Origin.WEBHOOK, webhook.topic, machine.now(), webhook.body
            )
            try:
                if self._receiver.inbox is not None:
                    await self._receiver.inbox.append(inbox_key(observation), observation)
                    self.acknowledged.append(webhook)
                    return
            except NotDurable:
                pass
            await asyncio.sleep(_RETRY_AFTER)
