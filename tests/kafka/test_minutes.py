"""Minutes of outages on both sides on Apache Kafka, at a SmartPay as unkind as it can be."""

import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from handlers.smartpay.sandbox.errors import INVALID_TOKEN, NOT_ANSWERED, THROTTLED
from tests.kafka.cluster import Cluster
from tests.kafka.merchant import Merchant, merchant, until
from tests.kafka.minutes import verdict
from tests.kafka.minutes.shop import Shop
from tests.kafka.minutes.smartpay import BROKEN, UnkindSmartPay
from tests.kafka.minutes.weather import Weather
from tests.kafka.reader import Record

SEED = 5
LIMIT = 600
"""Seconds; it takes two to three minutes on two quiet cores."""

SWIFT = (sys.executable, "-m", "tests.support.swift")
ACCOUNT = {
    "manage_webhooks": True,
    "webhook_check_interval": timedelta(seconds=2),
    "reconcile_interval": timedelta(seconds=2),
    "calls": 60,
    "calls_per": timedelta(seconds=10),
    "call_timeout": timedelta(seconds=10),
    "backoff_max": timedelta(seconds=8),
}
WELL_WITHIN = 150.0
SHOWN_EVERY = 8.0
"""Seconds after which everything happens once more where not all is well yet."""


@pytest.mark.timeout(LIMIT)
async def test_minutes_of_outages_are_published_exactly_once(
    kafka_cluster: Cluster,
    topic_prefix: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever breaks, each fact is published once, and all that is promised holds."""
    smartpay = UnkindSmartPay(SEED)
    async with merchant(kafka_cluster, topic_prefix, tmp_path, smartpay, **ACCOUNT) as shop:
        shop.program = SWIFT
        await asyncio.gather(shop.serve(), shop.serve())
        await shop.until_proven()
        business = Shop(shop, Random(f"shop {SEED}"))
        weather = Weather(shop, smartpay, business, Random(f"weather {SEED}"))
        with told(weather, shop):
            await live(business, weather)
            await until_well(shop, smartpay, business)
            found = await until_published(shop, smartpay)
            verdict.assert_exactly_once(found, smartpay)
            most = verdict.assert_kind(smartpay, shop)
            verdict.assert_sound(shop)
            published = origins(found)
            assert published.keys() >= {"webhook", "reconciliation"}, published
            unkind = {str(each.code) for each in (INVALID_TOKEN, NOT_ANSWERED, THROTTLED)}
            assert smartpay.errors.keys() >= {BROKEN, *unkind}, smartpay.errors
    with capsys.disabled():
        print(  # noqa: T201 - how it went, in CI's log too
            f"\npublished by {_listed(published)}; {len(smartpay.calls)} calls, {most} at most in"
            f" {shop.account.calls_per}, refused: {_listed(smartpay.errors)};"
            f" happened: {_listed(weather.happened)}"
        )


async def live(business: Shop, weather: Weather) -> None:
    """Have the shop open for as long as the weather is bad."""
    is_open = asyncio.create_task(business.run())
    try:
        await weather.run()
    finally:
        is_open.cancel()
        await asyncio.wait([is_open])
    if not is_open.cancelled():
        is_open.result()


async def until_well(shop: Merchant, smartpay: UnkindSmartPay, business: Shop) -> None:
    """Wait until all topics are registered, enabled and proven, with something to announce."""
    clock = asyncio.get_running_loop().time
    shown_at = float("-inf")
    ill: list[str] = []

    async def is_well() -> bool:
        nonlocal shown_at
        if clock() >= shown_at + SHOWN_EVERY:
            await business.show_everything()
            shown_at = clock()
        ill[:] = await verdict.not_well(shop, smartpay)
        return not ill

    await until(is_well, lambda: f"not well: {ill}; refused: {smartpay.errors}", WELL_WITHIN)


async def until_published(shop: Merchant, smartpay: UnkindSmartPay) -> list[Record]:
    """Wait until all that is true was found, and nothing more comes; return what is published."""
    found: list[Record] = []
    left: list[str] = []

    async def is_published() -> bool:
        known = len(found)
        was_sending = smartpay.is_sending
        found[:] = await verdict.records(shop)
        left[:] = verdict.missing({event["id"] for event in documents(found)}, smartpay)
        return not (left or was_sending) and len(found) == known

    await until(
        is_published, lambda: f"not published: {left}; refused: {smartpay.errors}", WELL_WITHIN
    )
    return found


def documents(records: Collection[Record]) -> Iterator[dict[str, str]]:
    """Yield the events."""
    for record in records:
        yield json.loads(record.value or b"")


def origins(records: Collection[Record]) -> Counter[str]:
    """Return how many events were published by which kind of observation."""
    return Counter(json.loads(record.value or b"")["data"]["origin"] for record in records)


@contextlib.contextmanager
def told(weather: Weather, shop: Merchant) -> Iterator[None]:
    """Add what happened to whatever fails."""
    try:
        yield
    except AssertionError as error:
        error.add_note("\n".join([*weather.story, f"the logs are in {shop.folder}"]))
        raise


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counted.most_common())
