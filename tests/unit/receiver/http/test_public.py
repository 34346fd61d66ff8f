"""The public listener: 200 only for what is signed and durable, whatever else is sent."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast
from urllib.parse import quote

import pytest
from prometheus_client import generate_latest

from config.listeners import HttpSettings
from handlers.observation import Observation
from handlers.smartpay import provider
from handlers.smartpay.settings import SmartPaySettings
from receiver.accounts.registry import Accounts
from receiver.http.listening import public_connections, public_server
from receiver.http.public import Limits, PublicListener
from receiver.http.undeliverable import Undeliverable
from receiver.http.webhooks import Webhooks
from receiver.intake import Ended, Intake
from receiver.kafka.appender import NotDurable
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.registration.signs import Failure
from receiver.registration.undelivered import Failures

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "the-signing-key"
BODY = b'{"invoice_id": "a"}'
MOST = 1000


@dataclass
class FakeIntake:
    """Keeps what it accepts, or refuses it."""

    accepted: list[Observation] = field(default_factory=list)
    away: bool = False

    def take(self, _: str, observation: Observation, ended: Ended) -> None:
        """Accept it, if anything is accepted."""
        if self.away:
            ended(NotDurable("neither Kafka nor the disk"))
        else:
            self.accepted.append(observation)
            ended(True)


@dataclass
class NotedFailures:
    """Keeps the failures that a listener noted."""

    noted: list[Failure] = field(default_factory=list)

    def note(self, account: str, failure: Failure) -> None:
        """Keep one of the account "shop"."""
        assert account == "shop"
        self.noted.append(failure)

    def undeliverable(self, metrics: Metrics, within: float) -> Undeliverable:
        """Return what counts for a listener that must answer ``within`` seconds."""
        return Undeliverable(cast("Failures", self), metrics, lambda: NOW, within)


@dataclass
class Public:
    """A listener on a port of its own, spoken to in bytes.

    A sender that says that it closes its connection has aiohttp read all that it sends.
    """

    port: int
    closing: bool
    intake: FakeIntake
    metrics: Metrics
    failures: NotedFailures
    undeliverable: Undeliverable

    async def send(self, *lines: str, body: bytes = b"", end: bool = False) -> bytes:
        """Return the final head answered to one request; ``end`` closes our side after it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        closing = ["Connection: close"] if self.closing else []
        head = "\r\n".join([*lines, "Host: pay", *closing, "", ""])
        writer.write(head.encode("latin-1") + body)
        if end:
            writer.write_eof()
        try:
            async with asyncio.timeout(10):
                answer = await reader.readuntil(b"\r\n\r\n")
                while status(answer) < 200:
                    answer = await reader.readuntil(b"\r\n\r\n")
                return answer
        finally:
            writer.close()

    async def post(
        self, *headers: str, path: str = "/webhooks/shop", body: bytes = BODY, length: bool = True
    ) -> int:
        """Return the status that a webhook with these headers is answered with."""
        lengths = [f"Content-Length: {len(body)}"] if length else []
        answer = await self.send(f"POST {path} HTTP/1.1", *lengths, *headers, body=body)
        return status(answer)


def status(head: bytes) -> int:
    """Return the status in an answer's head."""
    return int(head.split()[1])


def signature(body: bytes = BODY, key: str = KEY) -> str:
    """Return the signature header of ``body``."""
    digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
    return f"X-SmartPay-Hmac-Sha256: {base64.b64encode(digest).decode()}"


TOPIC = "X-SmartPay-Topic: invoice/created"


@pytest.fixture(params=[False, True], ids=["whole", "by aiohttp"])
async def public(request: pytest.FixtureRequest) -> AsyncIterator[Public]:
    """Return the listener with the one account "shop"."""
    shop = SmartPaySettings.model_validate({"name": "shop", "api_key": KEY})
    handler = provider.bind(shop)
    accounts = SimpleNamespace(get=lambda name: handler if name == "shop" else None)
    alarms = Alarms(lambda: NOW)
    metrics, intake, failures = Metrics(alarms), FakeIntake(), NotedFailures()
    undeliverable = failures.undeliverable(metrics, 60)
    webhooks = Webhooks(
        cast("Accounts", accounts), cast("Intake", intake), metrics, lambda: NOW, undeliverable
    )
    listener = PublicListener(webhooks, Limits(MOST, 0.3))
    settings = HttpSettings(host="127.0.0.1", port=0)
    server = public_server(settings, listener, public_connections(settings, alarms))
    yield Public(await server.start(), request.param, intake, metrics, failures, undeliverable)
    await server.stop()


async def test_a_signed_webhook_is_accepted_with_its_bytes_as_they_came(public: Public) -> None:
    """The body is kept byte by byte, and answered exactly 200."""
    assert await public.post(signature(), TOPIC) == 200
    [observation] = public.intake.accepted
    assert (observation.body, observation.topic) == (BODY, "invoice/created")
    assert observation.signed_with is not None


async def test_what_is_not_durable_is_503_and_never_200(public: Public) -> None:
    """The sender is told to send it again."""
    public.intake.away = True
    answer = await public.send(
        "POST /webhooks/shop HTTP/1.1",
        f"Content-Length: {len(BODY)}",
        signature(),
        TOPIC,
        body=BODY,
    )
    assert status(answer) == 503
    assert b"retry-after" in answer.lower()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([TOPIC], 401),
        ([TOPIC, signature(key="another")], 401),
        ([TOPIC, signature(b"another")], 401),
        ([TOPIC, "X-SmartPay-Hmac-Sha256: "], 401),
        ([TOPIC, "X-SmartPay-Hmac-Sha256: \xff\xfe"], 401),
        ([TOPIC, signature(), "X-SmartPay-Hmac-Sha256: bm8="], 401),
        ([TOPIC, signature(), "Content-Encoding: gzip"], 415),
        ([TOPIC, signature(), "Expect: 100-continue"], 200),
        ([TOPIC, signature(), "Expect: 200-ok"], 417),
        ([f"{TOPIC}\xff", signature()], 200),
        ([TOPIC, signature(), f"X-Long: {'x' * 9000}"], 400),
        ([TOPIC, signature(), "Content-Length: 5"], 400),
        ([TOPIC, signature(), "Transfer-Encoding: chunked"], 400),
    ],
)
async def test_odd_headers_are_answered_and_forge_nothing(
    public: Public, headers: list[str], expected: int
) -> None:
    """Each gets its status; what is not answered 200 is not accepted."""
    assert await public.post(*headers) == expected
    assert len(public.intake.accepted) == (1 if expected == 200 else 0)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/webhooks/nobody", 404),
        ("POST", "/webhooks/", 404),
        ("POST", "/webhooks/shop/", 404),
        ("POST", "/webhooks/shop%2Fx", 404),
        ("POST", "/webhooks/%ff%00", 404),
        ("POST", "/webhooks/" + quote("ä") * 200, 404),
        ("POST", "/webhooks/sh%6Fp", 200),
        ("GET", "/webhooks/shop", 405),
        ("HEAD", "/webhooks/shop", 405),
        ("OPTIONS", "/webhooks/shop", 405),
        ("PUT", "/webhooks/shop", 405),
        ("GET", "/metrics", 404),
        ("GET", "/livez", 200),
    ],
)
async def test_other_methods_and_paths(
    public: Public, method: str, path: str, expected: int
) -> None:
    """Only a POST to an account's path is a webhook."""
    answer = await public.send(
        f"{method} {path} HTTP/1.1",
        f"Content-Length: {len(BODY)}",
        signature(),
        TOPIC,
        body=BODY,
    )
    assert status(answer) == expected


async def test_a_name_that_is_no_account_is_no_label(public: Public) -> None:
    """Whoever makes names up must not make the metrics grow."""
    for number in range(5):
        assert await public.post(path=f"/webhooks/made-up-{number}") == 404
    assert b"made-up" not in generate_latest(public.metrics.registry)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_413_also_if_it_does_not_say_so(
    public: Public, chunked: bool
) -> None:
    """It is refused by its announced length, or as soon as it is longer than allowed."""
    body = b"x" * (MOST + 1)
    headers = [TOPIC, signature(body)]
    if chunked:
        framed = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        headers.append("Transfer-Encoding: chunked")
        assert await public.post(*headers, body=framed, length=False) == 413
    else:
        assert await public.post(*headers, body=body) == 413
    assert public.intake.accepted == []


async def test_a_chunked_body_is_as_good_as_another(public: Public) -> None:
    """The signature covers what the chunks hold."""
    framed = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"
    headers = [TOPIC, signature(), "Transfer-Encoding: chunked"]
    assert await public.post(*headers, body=framed, length=False) == 200
    assert public.intake.accepted[0].body == BODY


async def test_a_body_that_does_not_come_is_408(public: Public) -> None:
    """A connection is not held open for a sender that stops in the middle."""
    answer = await public.send(
        "POST /webhooks/shop HTTP/1.1", "Content-Length: 100", TOPIC, signature(), body=b"{"
    )
    assert status(answer) == 408


async def test_a_body_that_breaks_off_is_accepted_by_nobody(public: Public) -> None:
    """Half a body is never an observation, even were it signed."""
    with pytest.raises(asyncio.IncompleteReadError):
        await public.send(
            "POST /webhooks/shop HTTP/1.1",
            "Content-Length: 100",
            TOPIC,
            signature(),
            body=BODY,
            end=True,
        )
    assert public.intake.accepted == []


async def test_an_empty_body_that_is_signed_is_kept(public: Public) -> None:
    """It cannot be understood, but to refuse it would only use up the sender's tries."""
    assert await public.post(signature(b""), TOPIC, body=b"") == 200
