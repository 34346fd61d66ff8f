"""What the public listener counts as undeliverable: what the provider may hold against us."""

from asyncio import CancelledError
from hashlib import sha256

import pytest
from prometheus_client import generate_latest

from handlers.observation import Observation
from handlers.smartpay import provider
from handlers.smartpay.settings import SmartPaySettings
from receiver.http.undeliverable import Delivery
from receiver.intake import Ended
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from tests.unit.receiver.http.load import MOST_BODY, PENDING, head, listening, webhook
from tests.unit.receiver.http.test_public import (
    BODY,
    MOST,
    NOW,
    TOPIC,
    NotedFailures,
    Public,
    public,
    signature,
)

__all__ = ["public"]

DIGEST = sha256(BODY).hexdigest()


def counted(public: Public) -> dict[tuple[str, str], float]:
    """Return the metric of the account "shop" by topic and reason."""
    [family] = public.metrics.undeliverable.collect()
    return {
        (sample.labels["topic"], sample.labels["reason"]): sample.value
        for sample in family.samples
        if sample.name.endswith("_total")
    }


async def test_a_webhook_answered_in_time_is_no_failure(public: Public) -> None:
    """A 200 within ``http.answer_within`` is what the provider wants."""
    assert await public.post(TOPIC, signature()) == 200
    assert public.failures.noted == []
    assert counted(public) == {}


@pytest.mark.parametrize(
    ("headers", "status", "reason", "digest"),
    [
        ([TOPIC], 401, "signature", DIGEST),
        ([TOPIC, signature(key="changed at SmartPay")], 401, "signature", DIGEST),
        ([TOPIC, signature(), "Content-Encoding: gzip"], 415, "encoded", ""),
        ([TOPIC, signature(), "Expect: 200-ok"], 417, "expectation", ""),
    ],
)
async def test_a_refusal_is_a_failure(
    public: Public, headers: list[str], status: int, reason: str, digest: str
) -> None:
    """Each answer but 200 is noted with its topic, and with the body's digest if it was read."""
    assert await public.post(*headers) == status
    [failure] = public.failures.noted
    assert (failure.topic, failure.status) == ("invoice/created", status)
    assert (failure.at, failure.digest) == (NOW.timestamp(), digest)
    assert failure.why
    assert counted(public) == {("invoice/created", reason): 1}


async def test_a_failure_has_the_id_that_the_answer_has(public: Public) -> None:
    """Whoever looks for the request finds it in the log by that."""
    answer = await public.send(
        "POST /webhooks/shop HTTP/1.1", f"Content-Length: {len(BODY)}", TOPIC, body=BODY
    )
    [failure] = public.failures.noted
    assert f"X-Request-Id: {failure.request_id}".encode() in answer


async def test_a_large_body_is_a_failure(public: Public) -> None:
    """Refused by its announced length, it has no digest."""
    body = b"x" * (MOST + 1)
    assert await public.post(TOPIC, signature(body), body=body) == 413
    assert [(f.status, f.digest) for f in public.failures.noted] == [(413, "")]


async def test_a_slow_body_is_a_failure(public: Public) -> None:
    """What does not come cannot be answered 200."""
    await public.send("POST /webhooks/shop HTTP/1.1", "Content-Length: 100", TOPIC, body=b"{")
    assert [(f.status, f.digest) for f in public.failures.noted] == [(408, "")]


async def test_what_is_not_durable_is_a_failure(public: Public) -> None:
    """Neither Kafka nor the disk took it: the provider counts the 503."""
    public.intake.away = True
    assert await public.post(TOPIC, signature()) == 503
    [failure] = public.failures.noted
    assert (failure.status, failure.digest) == (503, DIGEST)
    assert "not durable" in failure.why


async def test_a_defect_is_a_failure(public: Public, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody expected is answered 500, which counts like any other."""

    def broken(key: str, observation: Observation, ended: Ended) -> None:
        raise RuntimeError(key, observation, ended)

    monkeypatch.setattr(public.intake, "take", broken)
    assert await public.post(TOPIC, signature()) == 500
    assert [f.status for f in public.failures.noted] == [500]


async def test_a_late_200_is_a_failure(public: Public) -> None:
    """The webhook was taken, but its sender may have given up by then."""
    public.undeliverable.answer_within = 0.0
    assert await public.post(TOPIC, signature()) == 200
    [failure] = public.failures.noted
    assert (failure.status, failure.digest) == (200, DIGEST)
    assert counted(public) == {("invoice/created", "late"): 1}


async def test_a_sender_that_is_gone_hears_no_answer() -> None:
    """The webhook is taken and counted as a failure without a status: it will come again."""
    async with listening() as load:
        client = await load.begin(webhook())
        await load.until(lambda: len(load.intake.taken) == 1)
        client.writer.close()
        await load.until(lambda: len(load.connections) == 0)
        load.intake.go.set()
        await load.until(lambda: len(load.failures.noted) == 1)
    [failure] = load.failures.noted
    assert (failure.status, failure.topic) == (None, "invoice/created")
    assert "the webhook was taken" in failure.why


async def test_a_request_that_is_cut_off_is_a_failure() -> None:
    """One that was arriving, and had to make room for others, was not answered by a handler."""
    part = head(MOST_BODY, TOPIC, signature()) + b"x" * (MOST_BODY // 2)
    async with listening() as load:
        for _ in range(PENDING // 4 // len(part) + 1):
            await load.begin(part)
        await load.until(lambda: len(load.failures.noted) == 1)
        [failure] = load.failures.noted
        assert (failure.status, failure.digest) == (None, "")


async def test_a_503_for_want_of_room_is_a_failure() -> None:
    """Refused by its head, because what waits for Kafka fills the room there is."""
    async with listening() as load:
        full = webhook(MOST_BODY - 500)
        while load.admission.has_room(MOST_BODY):
            waiting = len(load.intake.taken)
            await load.begin(full)
            await load.until(lambda waiting=waiting: len(load.intake.taken) > waiting)  # type: ignore[misc]
        client = await load.connect()
        client.send(head(MOST_BODY, TOPIC, signature()))
        assert await client.status() == 503
        await load.until(lambda: len(load.failures.noted) == 1)
        assert load.failures.noted[0].status == 503


@pytest.mark.parametrize("headers", [(), ("X-Signature: abc",)])
async def test_what_is_not_the_providers_does_not_count(
    public: Public, headers: tuple[str, ...]
) -> None:
    """A request without the provider's headers is nobody's failure, whatever it is answered."""
    assert await public.post(*headers) == 401
    assert await public.post(*headers, path="/webhooks/nobody") == 404
    assert public.failures.noted == []


async def test_a_signature_without_a_topic_counts(public: Public) -> None:
    """Either header makes it the provider's."""
    assert await public.post(signature(key="another")) == 401
    assert [f.topic for f in public.failures.noted] == ["(unknown)"]


async def test_topics_that_are_made_up_are_one(public: Public) -> None:
    """Anyone can write any topic; neither labels nor failures may grow by that."""
    for number in range(3):
        assert await public.post(f"X-SmartPay-Topic: made-up-{number}") == 401
    assert {f.topic for f in public.failures.noted} == {"(unknown)"}
    assert counted(public) == {("(unknown)", "signature"): 3}
    assert b"made-up" not in generate_latest(public.metrics.registry)


def test_what_the_end_of_the_service_breaks_off_has_no_status() -> None:
    """A request that is cancelled is answered nothing at all."""
    failures, metrics = NotedFailures(), Metrics(Alarms(lambda: NOW))
    shop = provider.bind(SmartPaySettings.model_validate({"name": "shop", "api_key": "k"}))
    undeliverable = failures.undeliverable(metrics, 60)
    headers = {"x-smartpay-topic": "invoice/paid"}
    undeliverable.broke(shop, headers, Delivery("1", BODY), CancelledError())
    assert [(f.status, f.topic) for f in failures.noted] == [(None, "invoice/paid")]
