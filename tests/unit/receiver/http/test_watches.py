"""Registering watches over HTTP."""

from typing import Any

import pytest

from receiver.watches.requests import StartWatch, from_value
from tests.unit.receiver.http.conftest import Connect, FakeAppender

URL = "https://voucherry.com/api/v1/cherries_requests/123"


@pytest.mark.parametrize(
    "wanted",
    [
        {"account": "cherries", "kind": "cherries_requests", "id": "123"},
        {"account": "cherries", "kind": "cherries_requests", "id": 123},
        {"account": "cherries", "resource": {"id": 123, "url": URL, "cherries_amount": 5}},
        {"account": "cherries", "kind": "cherries_requests", "resource": {"id": 123}},
    ],
)
async def test_a_watch_is_asked_for_durably(
    connect: Connect, appender: FakeAppender, wanted: dict[str, Any]
) -> None:
    """202 means that the request is in Kafka, in the partition of its account."""
    client = await connect()
    answer = await client.post("/v1/watches", json=wanted)
    assert (answer.status, await answer.json()) == (202, {"key": "cherries/cherries_requests/123"})
    [(topic, key, value, partition_key)] = appender.appended
    assert (topic, key) == ("payevents.watch-requests", b"cherries/cherries_requests/123")
    assert partition_key == b"cherries"
    assert from_value(value) == (StartWatch("cherries", "cherries_requests", "123"),)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ([], 400),
        ({}, 400),
        ({"account": 5}, 400),
        ({"account": "cherries"}, 400),
        ({"account": "cherries", "kind": "cherries_requests"}, 400),
        ({"account": "cherries", "kind": "cherries_requests", "id": True}, 400),
        ({"account": "cherries", "kind": 5, "id": "1"}, 400),
        ({"account": "cherries", "resource": "1"}, 400),
        ({"account": "cherries", "resource": {"id": 1}, "id": "1"}, 400),
        ({"account": "cherries", "kind": "cherries_requests", "id": "1", "ids": []}, 400),
        ({"account": "unknown", "kind": "cherries_requests", "id": "1"}, 404),
        ({"account": "cherries", "kind": "cherries_requests", "id": "1/confirm"}, 422),
        ({"account": "cherries", "kind": "invoices", "id": "1"}, 422),
        ({"account": "cherries", "resource": {"id": 123, "url": f"{URL}/confirm"}}, 422),
        ({"account": "cherries", "resource": {"id": 123, "url": "https://evil.example/123"}}, 422),
    ],
)
async def test_what_cannot_be_watched_is_refused(
    connect: Connect, appender: FakeAppender, wanted: Any, status: int
) -> None:
    """A wrong shape is 400, an unknown account 404, what its provider refuses 422."""
    client = await connect()
    answer = await client.post("/v1/watches", json=wanted)
    assert answer.status == status
    assert (await answer.json())["error"]["message"]
    assert appender.appended == []


async def test_a_body_that_is_no_json_is_refused(connect: Connect) -> None:
    """Not JSON is 400, too much of it 413, and a content-encoding 415."""
    client = await connect()
    for data, headers, status in [
        (b'{"account"', {}, 400),
        (b" " * (256 * 1024 + 1), {}, 413),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
    ]:
        answer = await client.post("/v1/watches", data=data, headers=headers)
        assert answer.status == status
        assert set((await answer.json())["error"]) == {"code", "message"}


async def test_what_is_not_durable_is_not_accepted(
    connect: Connect, appender: FakeAppender
) -> None:
    """Without Kafka a registration gets 503, never 202."""
    appender.away = True
    client = await connect()
    wanted = {"account": "cherries", "kind": "cherries_requests", "id": "1"}
    answer = await client.post("/v1/watches", json=wanted)
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "not-durable")
    assert "Retry-After" in answer.headers


async def test_a_listing_of_an_unknown_account_is_refused(connect: Connect) -> None:
    """A misspelt account is 404, not an empty list."""
    client = await connect()
    answer = await client.get("/v1/watches", params={"account": "chery"})
    assert (answer.status, (await answer.json())["error"]["code"]) == (404, "unknown-account")


@pytest.mark.parametrize("wanted", [{}, {"ids": []}, {"ids": "x"}, {"ids": [1]}])
async def test_redriving_needs_ids(connect: Connect, wanted: dict[str, Any]) -> None:
    """A redrive that names no letters is 400, and touches nothing."""
    client = await connect()
    assert (await client.post("/v1/dead-letters/redrive", json=wanted)).status == 400
