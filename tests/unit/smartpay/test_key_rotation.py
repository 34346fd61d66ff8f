"""Changing a SmartPay key by the steps of docs/operations.md: nothing that was signed is lost."""

from datetime import timedelta
from typing import Any

import pytest

from handlers.provider import BadSignature
from handlers.sandbox import Notification
from handlers.smartpay.sandbox.access import API_KEY
from tests.unit.smartpay.host import HOOK, NOW, Shop, handler

NEW_KEY = str(Shop().cause("rotate-key")["api_key"])
LAST_DAY = NOW.date() + timedelta(days=7)

BEFORE: dict[str, Any] = {"api_key": API_KEY, "next_api_key": NEW_KEY}
AFTER: dict[str, Any] = {
    "api_key": NEW_KEY,
    "previous_api_keys": [{"key": API_KEY, "until": LAST_DAY}],
}


def rotated() -> tuple[Notification, Notification]:
    """Return a notification from before the key was changed at SmartPay, and one from after it."""
    shop = Shop()
    shop.sandbox.subscribe(HOOK)
    shop.cause("create-order")
    [old] = shop.deliver()
    assert shop.cause("rotate-key") == {"api_key": NEW_KEY}
    shop.cause("create-order")
    [new] = shop.deliver()
    return old, new


@pytest.mark.parametrize(
    ("step", "names"),
    [
        (BEFORE, ["api_key", "next_api_key"]),
        (AFTER, [f"previous_api_keys[0] (until {LAST_DAY})", "api_key"]),
    ],
)
def test_both_keys_sign_at_each_step(step: dict[str, Any], names: list[str]) -> None:
    """A replica takes what either key signed, before and after its own change, and says which."""
    replica = handler(**step)
    known = replica.account.signing_key_names(NOW)
    told = [replica.verify(sent.headers, sent.body, NOW).signed_with for sent in rotated()]
    assert [known[signed_with] for signed_with in told] == names


def test_replicas_of_both_steps_name_a_key_alike() -> None:
    """What stands for a key in headers does not depend on the name that it has just now."""
    for sent in rotated():
        before, after = (
            handler(**step).verify(sent.headers, sent.body, NOW) for step in (BEFORE, AFTER)
        )
        assert before == after


def test_the_old_key_ends_after_its_last_day() -> None:
    """From then on only the new one signs."""
    old, new = rotated()
    replica, later = handler(**AFTER), NOW + timedelta(days=8)
    with pytest.raises(BadSignature):
        replica.verify(old.headers, old.body, later)
    assert replica.verify(new.headers, new.body, later).topic == "order/created"


def test_without_the_next_key_the_real_thing_is_refused() -> None:
    """That is what the first step is for."""
    _, new = rotated()
    with pytest.raises(BadSignature):
        handler().verify(new.headers, new.body, NOW)
