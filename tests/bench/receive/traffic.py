"""The webhooks that are sent: made beforehand from a seed, signed, no two alike."""

import json
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from tests.support.configuration import SIGNING_KEY
from tests.support.webhooks import Webhook

ACCOUNT = "shop"
PATH = f"/webhooks/{ACCOUNT}"
SEED = 6
COUNT = 40_000
"""Webhooks that are made; a load that needs more of them begins again."""

_ORDERS = 0.2
"""The share of webhooks that are about an order."""

_DUMMIES = 0.02
_WORDS = ("blue", "canoe", "garden", "lamp", "maple", "paddle", "red", "small", "tea", "wool")
_NOTE_WORDS = (24, 56)
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Webhooks and, for each, the key that its record has in the inbox."""

    webhooks: tuple[Webhook, ...]
    keys: tuple[bytes, ...]


@lru_cache(maxsize=2)
def traffic(count: int = COUNT, seed: int = SEED) -> Traffic:
    """Return ``count`` webhooks; the same ones for the same ``seed``."""
    random = Random(seed)
    made = [_webhook(random, number) for number in range(count)]
    return Traffic(tuple(webhook for webhook, _ in made), tuple(key for _, key in made))


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go. ``headers`` are sent beside SmartPay's own, or in their place."""

    port: int
    host: str = "127.0.0.1"
    path: str = PATH
    headers: tuple[tuple[str, str], ...] = ()


def requests(target: Target, sent: Traffic) -> list[bytes]:
    """Return the bytes of one HTTP request for each webhook."""
    return [_request(target, webhook) for webhook in sent.webhooks]


def _request(target: Target, webhook: Webhook) -> bytes:
    headers = {
        "Host": f"{target.host}:{target.port}",
        "User-Agent": "SmartPay",
        "Accept": "*/*",
        **webhook.headers(SIGNING_KEY),
        "Content-Length": str(len(webhook.body)),
        **dict(target.headers),
    }
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {held}" for name, held in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + webhook.body


def _webhook(random: Random, number: int) -> tuple[Webhook, bytes]:
    if random.random() < _ORDERS:
        kind, fields = "order", _order(random, number)
    else:
        kind, fields = "invoice", _invoice(random, number)
    names = list(fields)
    random.shuffle(names)
    body = json.dumps(
        {name: fields[name] for name in names},
        separators=random.choice(((",", ":"), (", ", ": "))),
        ensure_ascii=random.random() < 0.5,
    )
    topic = f"{kind}/{'paid' if fields.get('date_paid') else 'created'}"
    key = f"smartpay/{ACCOUNT}/{kind}/{fields[f'{kind}_id']}"
    return Webhook(topic, body.encode()), key.encode()


def _common(random: Random, number: int) -> dict[str, Any]:
    words = random.choices(_WORDS, k=random.randint(*_NOTE_WORDS))
    return {
        "order_id": f"{_id(random)}{number}",
        "consumer_id": _id(random),
        "name": f"{random.choice(('Zoë', 'Ann', 'Bjørn', 'Li'))} {_id(random)}",
        "is_dummy": random.random() < _DUMMIES,
        "is_enabled": True,
        "description": " ".join(words),
    }


def _invoice(random: Random, number: int) -> dict[str, Any]:
    amount = random.randint(100, 100_000)
    paid = f"2026-01-{random.randint(1, 28):02} 12:00:00" if random.random() < 0.5 else None
    return {
        **_common(random, number),
        "invoice_id": f"{_id(random)}{number}",
        "amount": f"{amount / 100:.2f}",
        "amount_discounted": f"{amount / 125:.2f}",
        "payment_method": random.choice("de"),
        "date_paid": paid,
        "date_failed": None,
    }


def _order(random: Random, number: int) -> dict[str, Any]:
    return {
        **_common(random, number),
        "custom_order_id": f"{random.randint(1, 10_000_000)}",
        "number_of_invoices": random.randint(1, 6),
    }


def _id(random: Random) -> str:
    return "".join(random.choices(_ALPHABET, k=8))
