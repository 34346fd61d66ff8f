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
    assert handler().verify(headers(), BODY, NOW) == "invoice/paid"


@pytest.mark.parametrize("key", ["old", "older", "other"])
def test_previous_and_further_keys_are_accepted(key: str) -> None:
    """Keys that were replaced, and those named in ``signing_keys``, still sign."""
    account = handler(
        previous_api_keys=["old", {"key": "older", "until": "2026-12-31"}], signing_keys=["other"]
    )
    assert account.verify(headers(key), BODY, NOW) == "invoice/paid"


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
    assert handler().verify(headers(topic=sent), BODY, NOW) == kept


def test_a_missing_topic_is_empty() -> None:
    """A signed webhook without a topic is still a signed webhook."""
    signed = headers()
    del signed["x-smartpay-topic"]
    assert handler().verify(signed, BODY, NOW) == ""
