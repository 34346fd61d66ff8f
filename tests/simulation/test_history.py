"""Routers under random faults, of an account of which only the time since a day is wanted."""

from collections import defaultdict
from uuid import UUID

import orjson
import pytest

from handlers.entry import Published
from handlers.ledger import Entry
from handlers.smartpay import provider
from receiver.accounts.registry import Accounts
from tests.simulation.programs import ACCOUNT, smartpay_accounts
from tests.simulation.routing import Plan, simulate
from tests.simulation.traffic import Sender
from tests.simulation.verdict import assert_positions_sound, event_records, restored
from tests.simulation.world import TOPICS, World

DAY = "2018-01-02"
"""In the traffic, invoices fail the day before and are paid on it."""

SEEDS = 15


def test_history_gives_no_event_under_any_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crashes, fences and repetitions: what is silent stays so, and all else comes once."""
    handler = smartpay_accounts().get(ACCOUNT)
    assert handler is not None
    accounts = Accounts({provider.name: provider})
    given = {**handler.account.model_dump(), "import_since": DAY}
    accounts.replace({ACCOUNT: provider.settings.model_validate(given)})
    monkeypatch.setattr("tests.simulation.programs.smartpay_accounts", lambda: accounts)
    monkeypatch.setattr("tests.simulation.routing._judge", _judge)
    for seed in range(SEEDS):
        simulate(Plan(seed))


def _judge(world: World, sender: Sender) -> None:
    facts = [
        fact
        for partition in world.cluster.partitions_of(TOPICS.ledger)
        for key, value in restored(world.cluster, partition).entries.items()
        if not key.startswith(b"\x00")
        for fact in Entry.decode(value).published
    ]
    silent = [fact for fact in facts if fact.silent]
    assert _ids(facts) == sorted(fact.id for fact in sender.sent().acknowledged), "lost, or made up"
    # A creation is silent where a webhook that shows the failure came first.
    assert {"failed"} <= {fact.action for fact in silent} <= {"created", "failed"}
    assert "failed" not in {fact.action for fact in facts if not fact.silent}
    events = [orjson.loads(record.value or b"") for record in event_records(world.cluster)]
    published = [fact for fact in facts if not fact.silent]
    assert sorted(event["id"] for event in events) == _ids(published), "not what the ledger says"
    sequences: defaultdict[str, list[int]] = defaultdict(list)
    for event in events:
        sequences[event["partitionkey"]].append(event["data"]["sequence"])
    assert all(story == list(range(1, len(story) + 1)) for story in sequences.values())
    assert_positions_sound(world.cluster)


def _ids(facts: list[Published]) -> list[str]:
    return sorted(str(UUID(bytes=fact.id)) for fact in facts)
