"""What the dead letters API refuses before it reads anything, and what it reads once."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from receiver.dead_letters.criteria import Criteria, criteria_from
from receiver.dead_letters.finding import Listing
from tests.unit.receiver.http.conftest import Connect


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"acount": "shop"}, "acount"),
        ({"since": "soon"}, "since"),
        ({"reason": "bad-feild"}, "reason"),
        ({"origin": "pull"}, "origin"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "ten"}, "limit"),
    ],
)
async def test_a_wrong_filter_is_named(connect: Connect, query: dict[str, str], named: str) -> None:
    """A misspelt filter is 400 and named: it must not become no filter."""
    client = await connect()
    answer = await client.get("/v1/dead-letters", params=query)
    assert answer.status == 400
    assert (await answer.json())["error"]["message"].startswith(f"{named}: ")


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"ids": []}, "ids"),
        ({"ids": "x"}, "ids"),
        ({"ids": [1, "1"]}, "ids"),
        ({"ids": ["x"] * 501}, "ids"),
        ({"all": "yes"}, "all"),
        ({"all": True, "rate": 9}, "rate"),
        ({"all": True, "rate": True}, "rate"),
        ({"all": True, "limit": 501}, "limit"),
        ({"all": True, "dry_run": 1}, "dry_run"),
        ({"account": 5}, "account"),
        ({"reason": "no-id", "until": "then"}, "until"),
        ({"reason": "no-id", "acount": "shop"}, "acount"),
        ({}, 'give "ids"'),
        ({"all": False}, 'give "ids"'),
        ({"ids": ["x"], "reason": "no-id"}, 'give "ids"'),
        ({"all": True, "reason": "no-id"}, 'give "ids"'),
    ],
)
async def test_a_wrong_redrive_is_named(
    connect: Connect, wanted: dict[str, Any], named: str
) -> None:
    """Nothing is redriven on a request that means more, or less, than it seems to."""
    client = await connect()
    answer = await client.post("/v1/dead-letters/redrive", json=wanted)
    assert answer.status == 400
    assert (await answer.json())["error"]["message"].startswith(named)


@pytest.mark.parametrize("wanted", [{"all": True}, {"ids": ["x"]}, {"reason": "no-id"}])
async def test_without_kafka_nothing_is_redriven(connect: Connect, wanted: dict[str, Any]) -> None:
    """A right request is 503 without Kafka, with words for people."""
    client = await connect()
    answer = await client.post("/v1/dead-letters/redrive", json=wanted)
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "kafka-away")


async def test_equal_lists_are_read_once(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each console that is open asks for the same; other filters are another question."""
    asked: list[Criteria] = []
    read: list[str | None] = []
    all_asked = asyncio.Event()
    paths = ["/v1/dead-letters?since=2h"] * 3 + ["/v1/dead-letters?since=2h&reason=no-id"]

    def criteria(filters: Mapping[str, object], now: datetime) -> Criteria:
        asked.append(criteria_from(filters, now))
        if len(asked) == len(paths):
            all_asked.set()
        return asked[-1]

    async def listing(_: object, __: str, criteria: Criteria, ___: int) -> Listing:
        read.append(criteria.reason)
        await all_asked.wait()
        return Listing([], 0)

    monkeypatch.setattr("receiver.http.dead_letters.criteria_from", criteria)
    monkeypatch.setattr("receiver.http.dead_letters.list_letters", listing)
    client = await connect()
    answers = await asyncio.gather(*map(client.get, paths))
    assert [answer.status for answer in answers] == [200] * 4
    assert sorted(read, key=str) == [None, "no-id"]
