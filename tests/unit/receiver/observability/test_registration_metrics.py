"""Metrics and status of the accounts whose webhooks are looked after in this process."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry

from handlers.smartpay import provider
from handlers.smartpay.topics import TOPICS
from receiver.accounts.registry import Accounts
from receiver.care.known import Asked, Care
from receiver.inbox import Inbox
from receiver.observability.alarms import Alarms
from receiver.observability.care_status import asked_as_json, care_as_json
from receiver.observability.health import Health
from receiver.observability.registration_metrics import RegistrationCollector
from receiver.observability.report import Report
from receiver.observability.status import Status
from receiver.polling.standing import Standing, Stop
from receiver.registration.vitals import UNKNOWN, TopicVitals, Vitals
from tests.unit.receiver.registration.shop import (
    MISSED,
    NOW,
    PAID,
    PROVEN,
    failures,
    handler,
    with_topic,
)

VITALS = Vitals(
    topics={
        PAID: TopicVitals(alive_at=NOW - 60, missed=(MISSED,), failures=failures(2)),
        "made/up": TopicVitals(failures=failures(3)),
        UNKNOWN: TopicVitals(failures=failures(4)),
    }
)


@dataclass
class Source:
    """Tells the care that a test wants."""

    told: dict[str, Care] = field(default_factory=dict)
    polled: dict[str, Asked] = field(default_factory=dict)

    def asked(self) -> Mapping[str, Asked]:
        """Return how providers are asked."""
        return self.polled

    def accounts(self) -> Mapping[str, Care]:
        """Return it."""
        return self.told


def registry(**told: Care) -> CollectorRegistry:
    """Return a registry that tells of the account "shop", of which so much is known."""
    accounts = Accounts({"smartpay": provider})
    accounts.replace({"shop": handler().account})
    made = CollectorRegistry()
    made.register(RegistrationCollector(accounts, Source(told), lambda: NOW))
    return made


def values(made: CollectorRegistry, name: str) -> dict[str, float]:
    """Return a metric's values by topic, or by account where it has no topic."""
    return {
        sample.labels.get("topic", sample.labels["account"]): sample.value
        for family in made.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_each_topic_has_its_metrics() -> None:
    """Proof, life, failures and missed facts stand by topic; the reconciliation by account."""
    made = registry(shop=Care(with_topic(TOPICS[0], proven_at=None), VITALS, Standing(), NOW - 9))
    assert values(made, "payevents_registration_proven") == {
        topic: float(topic != TOPICS[0]) for topic in TOPICS
    }
    assert values(made, "payevents_webhook_last_life_seconds") == {PAID: NOW - 60}
    assert values(made, "payevents_missed_facts") == {
        topic: float(topic == PAID) for topic in TOPICS
    }
    assert values(made, "payevents_last_reconciliation_timestamp_seconds") == {"shop": NOW - 9}


def test_topics_that_anyone_can_invent_are_no_labels() -> None:
    """Failures are told of the topics that there are, and of the unknown ones together."""
    found = values(registry(shop=Care(PROVEN, VITALS)), "payevents_webhook_undeliverable_at_least")
    assert found == {**dict.fromkeys(TOPICS, 0.0), PAID: 2.0, UNKNOWN: 4.0}


def test_accounts_of_other_processes_are_not_told_of() -> None:
    """What a shard elsewhere has is told there, and an account that is gone nowhere."""
    assert not values(registry(), "payevents_registration_proven")
    assert not values(registry(gone=Care(PROVEN)), "payevents_registration_proven")


def test_the_status_shows_all_of_an_account() -> None:
    """Each topic with its proof and failures, the calls, and why they are stopped."""
    standing = Standing(spent=((NOW - 9, 3),), stop=Stop("0123", "Invalid key", NOW))
    told = care_as_json(handler(), Care(PROVEN, VITALS, standing, NOW - 9), NOW)
    topics = told.pop("topics")
    assert told == {
        "url": PROVEN.url,
        "listed_at": "2026-01-01T11:59:00Z",
        "unreachable": None,
        "calls_used": 3,
        "calls_allowed": 60,
        "stopped": "Invalid key",
        "last_reconciliation_at": "2026-01-01T11:59:51Z",
    }
    assert isinstance(topics, list)
    [paid] = [topic for topic in topics if topic["topic"] == PAID]
    assert (paid["state"], paid["missed"]) == ("proven", 1)
    assert paid["undeliverable"]["at_least"] == 2


def test_the_status_shows_how_a_provider_is_asked() -> None:
    """When it last answered, the calls, and whether and why they rest or are stopped."""
    asked = Asked(3, 60, 3600.0, NOW - 9, failures=2, rests_until=NOW + 30, stopped="Invalid key")
    told = asked_as_json(asked, NOW)
    assert told == {
        "last_answer_at": "2026-01-01T11:59:51Z",
        "failures": 2,
        "rests_until": "2026-01-01T12:00:30Z",
        "stopped": "Invalid key",
        "calls_used": 3,
        "calls_allowed": 60,
        "calls_per": "1h",
    }
    assert asked_as_json(asked, NOW + 31)["rests_until"] is None


async def test_the_status_has_care_only_for_what_is_owned_here() -> None:
    """An account that another process polls is listed without it."""
    accounts = Accounts({"smartpay": provider})
    accounts.replace({name: handler(name=name, api_key=name).account for name in ("shop", "two")})
    alarms = Alarms(lambda: datetime.fromtimestamp(NOW, UTC))
    health = cast("Health", SimpleNamespace(report=lambda: Report(True, {})))
    inbox = cast("Inbox", SimpleNamespace(available=True, problem=""))
    source = Source({"shop": Care(PROVEN, VITALS)}, {"shop": Asked(1, 60, 60.0)})
    status = await Status(accounts, alarms, inbox, {}, health, tuple, source).as_json()
    shop, two = cast("list[dict[str, Any]]", status["accounts"])
    assert shop["care"]["url"] == PROVEN.url
    assert shop["polling"]["calls_used"] == 1
    assert {"care", "polling"} & two.keys() == set()


async def test_very_many_accounts_hold_nobody_up() -> None:
    """While the status of a thousand is gathered, webhooks are answered between them."""
    accounts = Accounts({"smartpay": provider})
    names = [f"shop-{number}" for number in range(1_000)]
    accounts.replace({name: handler(name=name, api_key=name).account for name in names})
    health = cast("Health", SimpleNamespace(report=lambda: Report(True, {})))
    inbox = cast("Inbox", SimpleNamespace(available=True, problem=""))
    alarms = Alarms(lambda: datetime.fromtimestamp(NOW, UTC))
    source = Source({name: Care(PROVEN, VITALS) for name in names})
    gathering = asyncio.create_task(
        Status(accounts, alarms, inbox, {}, health, tuple, source).as_json()
    )
    turns = 0
    while not gathering.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 50
    assert len(cast("list[object]", (await gathering)["accounts"])) == 1_000
