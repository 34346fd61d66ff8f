"""Invented topics do not fill the dead letters."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from config.topics import Topics
from handlers.letters import Reason, letter_id
from handlers.observation import Observation, Origin, Position
from handlers.smartpay import provider
from handlers.smartpay.settings import SmartPaySettings
from handlers.smartpay.topics import REGISTRATION, TOPICS, UNKNOWN
from receiver.accounts.registry import Accounts
from receiver.routing.route import Route
from receiver.routing.steps import Case

BODY = b'{"invoice_id": "i1", "amount": "ten"}'
SIGNED = Observation("shop", Origin.WEBHOOK, "", datetime(2026, 1, 1, tzinfo=UTC), BODY)


@pytest.fixture
def accounts() -> Accounts:
    """Return the account ``shop``."""
    accounts = Accounts({"smartpay": provider})
    accounts.replace({"shop": SmartPaySettings(name="shop", api_key=SecretStr("key"))})
    return accounts


def letters(accounts: Accounts, observation: Observation) -> set[str]:
    """Return the ids of the letters that an observation becomes."""
    route = Route(accounts, Topics.named("", ()))
    (result,) = route.consequences([Case(b"key", observation, Position("inbox", 0, 0))], {})
    return {refusal.letter_id for refusal in result.refusals}


def test_one_signed_body_makes_few_letters_whatever_the_topic(accounts: Accounts) -> None:
    """All topics that there are not count as one: nobody can make letters without end."""
    for body in (BODY, b"not json", b'{"invoice_id": "i1"}'):
        observation = replace(SIGNED, body=body)
        invented = [replace(observation, topic=f"invoice/{number}") for number in range(100)]
        ids = set[str]().union(*(letters(accounts, each) for each in invented))
        assert len(ids) == 1


def test_a_known_topic_is_part_of_the_name(accounts: Accounts) -> None:
    """What tells letters apart is account, topic, reason and the bytes."""
    known = [replace(SIGNED, topic=topic) for topic in (*TOPICS, "invoice/refunded")]
    for observation in known:
        assert letters(accounts, observation) == {letter_id(observation, Reason.BAD_FIELD)}
    [unknown] = letters(accounts, replace(SIGNED, topic="x"))
    assert unknown == letter_id(replace(SIGNED, topic=UNKNOWN), Reason.BAD_FIELD)


def test_only_a_webhooks_topic_is_anyones_to_write(accounts: Accounts) -> None:
    """The topic of a row is where it was read, and stays as it is."""
    handler = accounts.get("shop")
    assert handler is not None
    row = replace(SIGNED, origin=Origin.RECONCILIATION, topic="get_invoices")
    assert handler.letter_topic(row) == "get_invoices"
    assert handler.letter_topic(replace(SIGNED, topic=REGISTRATION)) == REGISTRATION


def test_without_the_account_nobody_knows_its_topics() -> None:
    """A letter of an account that is not configured keeps what it came with."""
    observation = replace(SIGNED, topic="x")
    accounts = Accounts({"smartpay": provider})
    assert letters(accounts, observation) == {letter_id(observation, Reason.UNKNOWN_ACCOUNT)}
