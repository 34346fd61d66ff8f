"""Admission over HTTP: memory is bounded, refusals come early, what was taken on is answered."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from receiver.http.admission import CALM_AFTER, Refusal
from tests.unit.receiver.http.load import MOST_BODY, PENDING, Client, Load, head, listening, webhook


@pytest.fixture
async def load() -> AsyncIterator[Load]:
    """Return a listener whose intake waits."""
    async with listening() as running:
        yield running


async def fill(load: Load) -> list[Client]:
    """Send webhooks until one of them is refused; return those that were taken on."""
    taken: list[Client] = []

    def decided() -> bool:
        return len(load.intake.taken) > len(taken) or load.admission.refused[Refusal.KEPT] > 0

    while load.pending <= PENDING:
        client = await load.connect()
        client.send(webhook(MOST_BODY))
        await load.until(decided)
        if len(load.intake.taken) == len(taken):
            return taken
        taken.append(client)
    raise AssertionError("more is held than the whole budget")


async def test_a_flood_is_held_within_the_budget_and_refused_unread(load: Load) -> None:
    """While nothing is answered, webhooks are taken on up to the limit; then a head gets 503."""
    taken = await fill(load)
    assert PENDING // 2 < load.admission.kept <= load.admission.most_kept
    assert len(taken) == len(load.intake.taken)
    late = await load.connect()
    late.send(head(MOST_BODY))
    answer = await late.answer()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: " in answer.lower()
    await late.closed()


async def test_what_was_taken_on_is_answered_when_the_intake_goes_on(load: Load) -> None:
    """Each webhook that was not refused gets its 200, and all its bytes are given back."""
    taken = await fill(load)
    load.intake.go.set()
    assert [await client.status() for client in taken] == [200] * len(taken)
    await load.until(lambda: load.pending == 0)
    client = await load.connect()
    client.send(webhook())
    assert await client.status() == 200


async def test_a_sender_that_asks_first_is_not_invited_to_send(load: Load) -> None:
    """With Expect: 100-continue, a refusal is the first thing that is answered."""
    await fill(load)
    asking = await load.connect()
    asking.send(head(MOST_BODY, "Expect: 100-continue"))
    assert await asking.status() == 503


@pytest.mark.parametrize(
    ("request_head", "expected"),
    [
        (head(MOST_BODY, path="/webhooks/nobody"), 404),
        (head(MOST_BODY, path="/elsewhere"), 404),
        (head(MOST_BODY, method="PUT"), 405),
        (b"GET /livez HTTP/1.1\r\nHost: pay\r\n\r\n", 200),
    ],
)
async def test_what_costs_nothing_is_answered_as_ever(
    load: Load, request_head: bytes, expected: int
) -> None:
    """A full budget is no answer to what needs none of it."""
    await fill(load)
    other = await load.connect()
    other.send(request_head)
    assert await other.status() == expected


async def test_announcing_bytes_takes_no_room(load: Load) -> None:
    """Many announced bodies that are never sent shut nobody out."""
    for _ in range(40):
        await load.begin(head(MOST_BODY))
    load.intake.go.set()
    client = await load.connect()
    client.send(webhook(MOST_BODY))
    assert await client.status() == 200
    assert not load.admission.refused


async def test_holding_bodies_back_shuts_nobody_out(load: Load) -> None:
    """Whoever sends all but the last byte is cut off with 503, the oldest first, to make room."""
    held = head(MOST_BODY) + b"x" * (MOST_BODY - 1)
    holders = [await load.begin(held) for _ in range(10)]
    assert load.admission.arriving <= load.admission.most_arriving
    load.intake.go.set()
    client = await load.connect()
    client.send(webhook(MOST_BODY))
    assert await client.status() == 200
    cut_off = load.admission.refused[Refusal.ARRIVING]
    assert cut_off >= 10 - load.admission.most_arriving // MOST_BODY
    assert [await holder.status() for holder in holders[:cut_off]] == [503] * cut_off


async def test_heads_without_end_are_charged_too(load: Load) -> None:
    """Long heads that do not end are cut off like bodies: their sum has the same bound."""
    for _ in range(30):
        await load.begin(b"POST / HTTP/1.1\r\n" + b"X-Long: " + b"y" * 4000 + b"\r\n")
        assert load.admission.arriving <= load.admission.most_arriving
    assert load.admission.refused[Refusal.ARRIVING] > 0


async def test_a_sender_that_hangs_up_does_not_take_its_bytes_off_the_books(load: Load) -> None:
    """What waits for Kafka is in memory, whether or not anybody still waits for the answer."""
    client = await load.connect()
    client.send(webhook(MOST_BODY))
    await load.until(lambda: bool(load.intake.taken))
    client.writer.close()
    await load.until(lambda: len(load.connections) == 0)
    assert load.admission.kept > MOST_BODY
    load.intake.go.set()
    await load.until(lambda: load.pending == 0)


async def test_the_rest_of_a_refused_body_is_thrown_away_uncharged(load: Load) -> None:
    """It is read, so that the sender sees the answer, but not kept, and the connection ends."""
    client = await load.connect()
    client.send(head(10**6, path="/webhooks/nobody"))
    assert await client.status() == 404
    client.send(b"x" * MOST_BODY)
    closed = asyncio.create_task(client.closed())
    charged = set()
    while not closed.done():
        charged.add(load.pending)
        await asyncio.sleep(0.005)
    assert charged == {0}


async def test_the_alarm_is_over_when_nothing_is_refused_any_more(load: Load) -> None:
    """An overload is an alarm with its reason, until it has been calm for a while."""
    await fill(load)
    assert [alarm.code for alarm in load.alarms.present] == ["overloaded"]
    assert "max_pending" in load.admission.problem
    load.clock[0] += CALM_AFTER - 1
    load.connections.look()
    assert load.alarms.present
    load.clock[0] += 1
    load.connections.look()
    assert load.alarms.present == []
    assert load.admission.problem == ""


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_stays_charged_whatever_senders_do(load: Load, seed: int) -> None:
    """Whole and broken off, forged, kept alive and pipelined: all bytes are given back."""
    rng = Random(seed)
    load.intake.go.set()

    async def send_some() -> None:
        client = await load.connect()
        for _ in range(rng.randrange(1, 6)):
            good = webhook(rng.randrange(MOST_BODY))
            client.send(rng.choice([good, good + good, good[:-1], head(50) + b"y" * 50, b"\0"]))
            await asyncio.sleep(rng.uniform(0, 0.01))
        client.writer.close()

    await asyncio.gather(*(send_some() for _ in range(60)))
    await load.until(lambda: len(load.connections) == 0)
    await load.until(lambda: load.pending == 0)
    assert (load.admission.arriving, load.admission.kept) == (0, 0)
