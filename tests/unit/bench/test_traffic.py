"""The webhooks of the load are real ones, and no two are alike."""

from datetime import UTC, datetime
from statistics import mean

from pydantic import SecretStr

from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.settings import SmartPaySettings
from tests.bench.receive.traffic import ACCOUNT, Target, requests, traffic
from tests.support.configuration import SIGNING_KEY

HANDLER = SmartPayHandler(
    SmartPaySettings(name=ACCOUNT, provider="smartpay", api_key=SecretStr(SIGNING_KEY))
)


def test_a_seed_gives_the_same_webhooks_again() -> None:
    """And another one gives others."""
    assert traffic.__wrapped__(20, 1) == traffic.__wrapped__(20, 1)
    assert traffic.__wrapped__(20, 1) != traffic.__wrapped__(20, 2)


def test_no_two_bodies_are_alike() -> None:
    """They differ in their ids, their order of keys and their sizes, around 500 bytes."""
    bodies = [webhook.body for webhook in traffic(1000, 1).webhooks]
    assert len(set(bodies)) == 1000
    assert len(set(map(len, bodies))) > 100
    assert 450 < mean(map(len, bodies)) < 550
    assert len({body[:12] for body in bodies}) > 10


def test_each_is_signed_and_has_the_key_that_payevents_gives_it() -> None:
    """So that whoever appends it under another key is found out."""
    sent = traffic(200, 1)
    for webhook, key in zip(sent.webhooks, sent.keys, strict=True):
        headers = {name.lower(): value for name, value in webhook.headers().items()}
        topic, _ = HANDLER.verify(headers, webhook.body, datetime(2026, 1, 1, tzinfo=UTC))
        assert HANDLER.inbox_key(topic, webhook.body).encode() == key


def test_a_request_is_made_for_its_target() -> None:
    """With headers that replace ours or come beside them."""
    target = Target(8080, "peer", "/post?x=1", (("User-Agent", "me"), ("X-Token", "t")))
    head, _, body = requests(target, traffic(1, 1))[0].partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    assert line == "POST /post?x=1 HTTP/1.1"
    headers = dict(field.split(": ", 1) for field in fields)
    assert headers["Host"] == "peer:8080"
    assert headers["User-Agent"] == "me"
    assert headers["X-Token"] == "t"
    assert int(headers["Content-Length"]) == len(body)
