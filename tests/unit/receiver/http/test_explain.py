"""What the explain API refuses before it reads anything."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from receiver.accounts.registry import Accounts
from receiver.explaining import question
from receiver.explaining.gathering import Gatherer
from receiver.explaining.question import Explanation
from receiver.explaining.spooled import SpoolSearch
from receiver.explaining.subject import Subject
from tests.unit.receiver.http.conftest import Connect


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({}, "subject"),
        ({"subject": "aBc123"}, "subject"),
        ({"subject": "invoise/1"}, "subject"),
        ({"subject": "invoice/1", "since": "soon"}, "since"),
        ({"subject": "invoice/1", "acount": "shop"}, "acount"),
    ],
)
async def test_a_wrong_question_is_named(
    connect: Connect, query: dict[str, str], named: str
) -> None:
    """400, and the field that is wrong comes first."""
    client = await connect()
    answer = await client.get("/v1/explain", params=query)
    assert answer.status == 400
    assert (await answer.json())["error"]["message"].startswith(f"{named}: ")


@pytest.mark.parametrize("account", ["cherries", "gone"])
async def test_without_kafka_nothing_is_told(connect: Connect, account: str) -> None:
    """A right question is 503 without Kafka, about an account that is gone too."""
    client = await connect()
    query = {"subject": "transfer/1", "account": account}
    answer = await client.get("/v1/explain", params=query)
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "kafka-away")


async def test_without_any_account_nothing_is_searched(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400: where nothing was searched, "nothing is known" would be a lie."""
    monkeypatch.setattr(Accounts, "__iter__", lambda _: iter(()))
    client = await connect()
    answer = await client.get("/v1/explain", params={"subject": "transfer/1"})
    assert answer.status == 400
    assert "nothing was searched" in (await answer.json())["error"]["message"]


async def test_what_was_searched_is_said(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """404 names the accounts at which nothing was found."""

    async def nothing(_: Gatherer, subjects: Sequence[Subject], __: Path) -> Explanation:
        return Explanation([], [subject.account for subject in subjects], SpoolSearch())

    monkeypatch.setattr(question, "explain", nothing)
    client = await connect()
    answer = await client.get("/v1/explain", params={"subject": "transfer/1"})
    assert answer.status == 404
    assert (await answer.json())["error"]["message"].endswith("(searched: cherries)")
