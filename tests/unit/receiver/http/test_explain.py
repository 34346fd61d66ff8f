"""What the explain API refuses before it reads anything."""

import pytest

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
