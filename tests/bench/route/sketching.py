"""The limit of a router in Python: the least that makes the same events of what is measured here.

``LIBRARY PARTITIONS SERVERS SOURCE POSITIONS EVENTS LEDGER``. As little as the Kafka Streams peer
it knows one sort of body, takes its fields for right, and has neither claims nor look-ups, dead
letters, retention, signs of webhooks, refunds, lists or test data: what payevents takes longer is
for those.
"""

import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec

from handlers.event import CONTENT_TYPE, SCHEMA
from handlers.fact import NAMESPACE
from handlers.uuids import uuid5, uuid_text
from receiver.kafka.clients import Record
from tests.bench.route.libraries import run_on
from tests.bench.route.looping import Consumed, Outputs

_HEADERS = [("content-type", CONTENT_TYPE.encode()), ("ce_specversion", b"1.0")]
_PRIVATE = "description"
"""The one field of these bodies that is passed on to nobody."""

_Fact = tuple[str, str | None]
"""An action, and when it happened."""

_encode = msgspec.json.Encoder().encode


class Sketch:
    """Publishes the facts of each observation that its invoice's entry does not hold yet."""

    def __init__(self, inbox: str, events: str, ledger: str) -> None:
        self._inbox, self._events, self._ledger = inbox, events, ledger
        self._entries: dict[bytes, bytes] = {}

    def work(self, partition: int, records: Sequence[Consumed]) -> Outputs:
        """Return the events and the entries that follow from the records of a ``partition``."""
        events: list[Record] = []
        changes: dict[bytes, bytes] = {}
        for record in records:
            body = msgspec.json.decode(record.value)
            facts = list(_facts(body))
            entry = self._entries.get(record.key, b"")
            known = entry.decode().split(",") if entry else []
            new = [fact for fact in facts if fact[0] not in known]
            if new:
                events += self._written(partition, record, body, facts, new, known)
                changes[record.key] = ",".join(known + [action for action, _ in new]).encode()
                self._entries[record.key] = changes[record.key]
        entries = [Record(key, entry) for key, entry in changes.items()]
        return {self._events: events, self._ledger: entries}

    def _written(
        self,
        partition: int,
        record: Consumed,
        body: dict[str, object],
        facts: Sequence[_Fact],
        new: Sequence[_Fact],
        known: Sequence[str],
    ) -> Iterator[Record]:
        headers = dict(record.headers)
        account = headers["payevents-account"].decode()
        observed_at = headers["payevents-received-at"].decode()
        invoice, amount = body["invoice_id"], str(body["amount_discounted"] or body["amount"])
        key = record.key.decode()
        source, subject = f"/smartpay/{account}", f"invoice/{invoice}"
        related = {"order": body["order_id"], "consumer": body["consumer_id"]}
        details = {name: value for name, value in body.items() if name != _PRIVATE}
        evidence = {
            "topic": self._inbox,
            "partition": partition,
            "offset": record.offset,
            "sha256": sha256(record.value).hexdigest(),
        }
        status = known[-1] if known else None
        for sequence, (action, occurred_at) in enumerate(new, len(known) + 1):
            is_inferred = action == "created" and len(facts) > 1
            time = occurred_at or (facts[1][1] if is_inferred else None) or observed_at
            kind = f"payments.invoice.{action}"
            fact_id = uuid_text(uuid5(NAMESPACE.bytes, f"{key}/{action}"))
            data = {
                "provider": "smartpay",
                "account": account,
                "resource": {"kind": "invoice", "id": invoice, "url": None},
                "action": action,
                "status": action,
                "previous_status": status,
                "sequence": sequence,
                "amount": {
                    "value": amount,
                    "minor_units": int(amount.replace(".", "")),
                    "currency": "CAD",
                },
                "related": related,
                "occurred_at": occurred_at,
                "observed_at": observed_at,
                "origin": "webhook",
                "inferred": is_inferred,
                "late": False,
                "test": False,
                "evidence": evidence,
                "provider_data": details,
            }
            event = {
                "specversion": "1.0",
                "id": fact_id,
                "source": source,
                "type": kind,
                "subject": subject,
                "time": time,
                "datacontenttype": "application/json",
                "dataschema": SCHEMA,
                "partitionkey": key,
                "data": data,
            }
            told = {"id": fact_id, "type": kind, "source": source, "subject": subject, "time": time}
            more = [(f"ce_{name}", text.encode()) for name, text in told.items()]
            yield Record(record.key, _encode(event), _HEADERS + more)
            status = action


def _facts(body: dict[str, object]) -> Iterator[_Fact]:
    yield "created", None
    for action in ("failed", "paid"):
        if date := body[f"date_{action}"]:
            yield action, str(date).replace(" ", "T") + "Z"
    if not body["is_enabled"]:
        yield "cancelled", None


if __name__ == "__main__":
    library, partitions, servers, source, positions, events, ledger = sys.argv[1:]
    sketch = Sketch(source, events, ledger)
    run_on(library, int(partitions), servers, source, positions, sketch.work)
