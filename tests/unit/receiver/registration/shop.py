"""What may be known of the account "shop", whose webhooks should lead to :data:`HOOK`."""

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace
from pydantic import SecretStr

from handlers.provider import Handler
from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.settings import SmartPaySettings
from handlers.smartpay.topics import TOPICS
from receiver.registration.registered import Call, Listed, Registered, TopicRegistration
from receiver.registration.signs import Failure, Missed
from receiver.registration.situation import Situation
from receiver.registration.vitals import TopicVitals, Vitals

PUBLIC_URL = "https://pay.example.com"
HOOK = f"{PUBLIC_URL}/webhooks/shop"
ELSEWHERE = "https://other.example.com/hook"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0
LONG_AGO = NOW - 24 * HOUR
PAID = "invoice/paid"

PROVEN = Registered(
    url=HOOK,
    listed=tuple(Listed(f"w{index}", topic, HOOK) for index, topic in enumerate(TOPICS)),
    listed_at=NOW - 60,
    topics={
        topic: TopicRegistration(f"w{index}", enabled_at=LONG_AGO, proven_at=LONG_AGO)
        for index, topic in enumerate(TOPICS)
    },
    ours=tuple(f"w{index}" for index in range(len(TOPICS))),
)
"""All topics lead here, are ours, and are proven."""

CALL = Call("modify", NOW - 5, NOW - 4)
MISSED = Missed("a-fact", PAID, "invoice/aBc123", NOW - 2 * HOUR, NOW - HOUR)
SILENT = Vitals(topics={PAID: TopicVitals(missed=(MISSED,))})
"""A payment was found an hour ago, and no webhook has told of it."""


def handler(**settings: Any) -> Handler:
    """Return the account's handler, with these settings."""
    made: dict[str, Any] = {"name": "shop", "api_key": SecretStr("a key"), **settings}
    return SmartPayHandler(SmartPaySettings.model_validate({"manage_webhooks": True, **made}))


def situation(
    registered: Registered = PROVEN, vitals: Vitals | None = None, url: str | None = HOOK
) -> Situation:
    """Return the situation in which so much is known."""
    registration = handler().registration
    assert registration is not None
    return Situation(registration, registered, vitals or Vitals(), url, NOW)


def with_topic(topic: str, **changes: Any) -> Registered:
    """Return what is known where all is proven, but for these changes to what was done for one."""
    one = replace(PROVEN.of(topic), **changes)
    return replace(PROVEN, topics={**PROVEN.topics, topic: one})


def with_url(topic: str, url: str | None, *, ours: bool = True) -> Registered:
    """Return what is known where one topic leads to another URL, or is not there with None."""
    [known] = [one for one in PROVEN.listed if one.topic == topic]
    others = tuple(one for one in PROVEN.listed if one is not known)
    listed = others if url is None else (*others, replace(known, url=url))
    of_us = tuple(id_ for id_ in PROVEN.ours if ours or id_ != known.id)
    return replace(PROVEN, listed=listed, ours=of_us)


def failures(count: int) -> tuple[Failure, ...]:
    """Return so many failures, each of another notification."""
    return tuple(
        Failure(PAID, 401, "no signature", NOW - 60 + index, f"r{index}", f"{index:064x}")
        for index in range(count)
    )
