import re
from datetime import UTC, datetime

import pytest

from handlers.provider import BadSignature
from handlers.smartpay.sandbox.access import API_KEY
from handlers.smartpay.signature import sign
from tests.unit.smartpay.host import NOW, handler

BODY = b'{"data": {"invoice_id": "aBc123"}}'


def headers(key: str = API_KEY, topic: str = "invoice/paid") -> dict[str, str]:
    """Return the headers of BODY signed with ``key``."""
    return {"x-smartpay-topic": topic, "x-smartpay-hmac-sha256": sign(BODY, key.encode())}


def test_signature_is_the_documented_one() -> None:
    """The signature is base64(HMAC-SHA256(body, key)); this one was made with openssl."""
    assert sign(b"hello", b"key") == "kwezuRXvtRcf8U2MtV+8x5jGwO8UVtZt7RpqpyOli3s="


def test_a_signed_webhook_gives_its_topic() -> None:
    """A body signed with the API key is accepted."""
    assert handler().verify(headers(), BODY, NOW).topic == "invoice/paid"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (API_KEY, "api_key"),
        ("new", "next_api_key"),
        ("old", "previous_api_keys[0]"),
        ("older", "previous_api_keys[1] (until 2026-12-31)"),
        ("other", "signing_keys[0]"),
    ],
)
def test_every_key_is_accepted_and_known_by_its_name(key: str, name: str) -> None:
    """Keys that come and that were replaced sign too, and each webhook shows which key it was."""
    account = handler(
        next_api_key="new",
        previous_api_keys=["old", {"key": "older", "until": "2026-12-31"}],
        signing_keys=["other"],
    )
    verified = account.verify(headers(key), BODY, NOW)
    assert verified.topic == "invoice/paid"
    assert account.account.signing_key_names()[verified.signed_with] == name
    assert re.fullmatch(r"[0-9a-f]{8}", verified.signed_with)


def test_two_accounts_show_one_key_differently() -> None:
    """What stands for a key is salted: it can neither be compared nor looked up in a list."""
    one, other = (handler(name=name).verify(headers(), BODY, NOW) for name in ("shop", "club"))
    assert one.signed_with != other.signed_with


def test_every_key_is_tried_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it takes does not tell which key signed: none is left out once one fits."""
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return one == other

    monkeypatch.setattr("handlers.smartpay.signature.hmac.compare_digest", compare)
    account = handler(next_api_key="new", signing_keys=["other"])
    account.verify(headers(), BODY, NOW)
    assert len(compared) == 3


@pytest.mark.parametrize(
    ("sent", "topic"),
    [
        ({"x-smartpay-topic": "invoice/paid"}, "invoice/paid"),
        ({"x-smartpay-topic": "webhook/created"}, "webhook/created"),
        ({"x-smartpay-topic": "made/up"}, "(unknown)"),
        ({"x-smartpay-topic": ""}, "(unknown)"),
        ({"x-smartpay-hmac-sha256": "nonsense"}, "(unknown)"),
        ({"x-signature": "nonsense", "content-type": "application/json"}, None),
        ({}, None),
    ],
)
def test_a_request_is_smartpays_by_its_headers(sent: dict[str, str], topic: str | None) -> None:
    """Either header will do, signed or not; a topic that there is not has no name of its own."""
    assert handler().delivery_topic(sent) == topic


def test_a_key_that_ran_out_is_refused() -> None:
    """After its last day a previous key signs nothing."""
    account = handler(previous_api_keys=[{"key": "old", "until": "2026-12-31"}])
    with pytest.raises(BadSignature):
        account.verify(headers("old"), BODY, datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        "é",
        "\udcff",
        sign(BODY, b"stranger"),
        sign(BODY + b" ", API_KEY.encode()),
        sign(BODY, b""),
    ],
)
def test_any_other_signature_is_refused(signature: str) -> None:
    """Only the signature of this very body under an accepted key counts; no secret is told."""
    with pytest.raises(BadSignature) as refused:
        handler().verify({**headers(), "x-smartpay-hmac-sha256": signature}, BODY, NOW)
    assert API_KEY not in str(refused.value)


def test_a_missing_signature_is_refused() -> None:
    """Without the header nothing is accepted."""
    with pytest.raises(BadSignature, match="no header"):
        handler().verify({"x-smartpay-topic": "invoice/paid"}, BODY, NOW)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(" invoice/paid ", "invoice/paid"), ("a\x00\udcff\né", "a????"), ("t" * 1000, "t" * 100)],
)
def test_the_topic_is_made_harmless(sent: str, kept: str) -> None:
    """The topic is unsigned and goes into records and logs: plain letters only, and not many."""
    assert handler().verify(headers(topic=sent), BODY, NOW).topic == kept


def test_a_missing_topic_is_empty() -> None:
    """A signed webhook without a topic is still a signed webhook."""
    signed = headers()
    del signed["x-smartpay-topic"]
    assert handler().verify(signed, BODY, NOW).topic == ""
