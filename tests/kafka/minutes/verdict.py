"""The verdict on the minutes: what must hold once everything has worked again for a while."""

import asyncio
from bisect import bisect_left
from collections.abc import Collection
from datetime import timedelta

from receiver.registration.condition import State
from tests.chaos.checker import Sent, check
from tests.kafka.merchant import ACCOUNT, EVENTS, Merchant
from tests.kafka.minutes.smartpay import UnkindSmartPay
from tests.kafka.reader import Record, read_committed
from tests.support.shown import dummies_of, shown, true_of

_ON_THE_WAY = timedelta(seconds=2)
"""What calls may come closer together between where they are counted and the provider."""

DEFECTS = ("a watch could not be read", "a look-up failed", "could not be looked after")
"""What is logged where the service itself is wrong."""


async def records(merchant: Merchant) -> list[Record]:
    """Return all that is published, committed."""
    names = [f"{merchant.prefix}{name}" for name in EVENTS]
    return await asyncio.to_thread(read_committed, merchant.cluster.bootstrap_servers, names)


def missing(published: Collection[str], smartpay: UnkindSmartPay) -> list[str]:
    """Return what is true, or was shown, and not published."""
    facts = {*true_of(smartpay, ACCOUNT), *shown(smartpay, ACCOUNT)}
    return sorted(str(fact) for fact in facts if fact.id not in published)


def assert_exactly_once(found: Collection[Record], smartpay: UnkindSmartPay) -> None:
    """Assert that all that is true is published once and in order, and nothing else."""
    true, dummies = true_of(smartpay, ACCOUNT), dummies_of(smartpay, ACCOUNT)
    known = {**true, **dummies}
    acknowledged = {fact: known[fact] for fact in {*true, *shown(smartpay, ACCOUNT)}}
    findings = check(found, Sent(acknowledged, unsure=dummies))
    assert findings.clean, str(findings)


def assert_kind(smartpay: UnkindSmartPay, merchant: Merchant) -> int:
    """Assert that the account was never called too often, and is not disabled.

    Returns the most calls of any time for which they are counted.
    """
    assert not smartpay.is_disabled, f"SmartPay disabled the account: {smartpay.errors}"
    calls, account = smartpay.calls, merchant.account
    per = account.calls_per - _ON_THE_WAY
    most = max(bisect_left(calls, at + per) - number for number, at in enumerate(calls))
    assert most <= account.calls, f"{most} calls within {account.calls_per}"
    return most


def assert_sound(merchant: Merchant) -> None:
    """Assert that no replica logged a defect of its own."""
    for replica in merchant.replicas:
        defects = [line for line in replica.log().splitlines() if any(d in line for d in DEFECTS)]
        assert not defects, defects


async def not_well(merchant: Merchant, smartpay: UnkindSmartPay) -> list[str]:
    """Return which topics are not notified to us, enabled, proven and above suspicion."""
    enabled = {each.topic for each in smartpay.webhooks if each.is_enabled}
    found = await merchant.conditions()
    leads_here = {each.topic for each in smartpay.webhooks if each.url == merchant.url}
    return [
        f"{topic} is {one.state}, {'' if topic in enabled else 'not '}enabled"
        for topic, one in found.items()
        if one.state is not State.PROVEN or topic not in enabled & leads_here
    ]
