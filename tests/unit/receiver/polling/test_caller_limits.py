"""No answer is too large or too slow, and nobody takes more than their share."""

import asyncio
import gzip

import pytest
from aiohttp import web

from handlers.exchange import CallFailed, Conversation, Request
from receiver.polling.budget import Budget

from .site import MOST, Calls, Site
from .world import settings


async def test_an_answer_may_be_as_large_as_allowed_and_no_larger(site: Site, calls: Calls) -> None:
    """One byte beyond the limit is no answer."""

    async def large(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * size)

    site.answer, size = large, MOST
    assert len((await calls.call(site.base_url, Request("GET", "/"))).body) == MOST
    size = MOST + 1
    with pytest.raises(CallFailed, match="AnswerTooLarge"):
        await calls.call(site.base_url, Request("GET", "/"))
    assert calls.counted("AnswerTooLarge") == 1


async def test_a_small_answer_that_unpacks_to_a_large_one_is_too_large(
    site: Site, calls: Calls
) -> None:
    """The limit counts what was compressed, too."""

    async def bomb(_: web.Request) -> web.StreamResponse:
        packed = gzip.compress(b"\x00" * 5_000_000)
        return web.Response(body=packed, headers={"content-encoding": "gzip"})

    site.answer = bomb
    with pytest.raises(CallFailed):
        await calls.call(site.base_url, Request("GET", "/"))


async def test_a_call_that_takes_too_long_fails(site: Site, calls: Calls) -> None:
    """The whole call is bounded by the account's call_timeout."""
    site.answer = site.hang
    with pytest.raises(CallFailed, match=r"GET /things: .*Timeout"):
        await calls.call(site.base_url, Request("GET", "/things"), call_timeout="50ms")


async def test_accounts_of_one_host_have_a_time_each(site: Site, calls: Calls) -> None:
    """What they share of the way to it is not how long their calls may take."""

    async def slow(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.1)
        return web.Response()

    for _ in range(2):
        site.answer = site.hang
        with pytest.raises(CallFailed, match="Timeout"):
            await calls.call(site.base_url, Request("GET", "/"), call_timeout="50ms")
        site.answer = slow
        patient = await calls.call(site.base_url, Request("GET", "/"), call_timeout="30s")
        assert patient.status == 200


async def test_a_body_that_drips_fails_too(site: Site, calls: Calls) -> None:
    """A head in time does not make an answer in time."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "100"})
        await response.prepare(request)
        await response.write(b"x")
        return await site.hang(request)

    site.answer = drip
    with pytest.raises(CallFailed, match="Timeout"):
        await calls.call(site.base_url, Request("GET", "/"), call_timeout="50ms")


async def test_a_connection_that_breaks_is_a_failed_call(site: Site, calls: Calls) -> None:
    """An answer cut short is none."""

    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    site.answer = cut
    with pytest.raises(CallFailed):
        await calls.call(site.base_url, Request("GET", "/"))


async def test_each_call_of_a_conversation_is_paid_for(site: Site, calls: Calls) -> None:
    """Signing in and paging count: the budget is one of calls, not of visits."""
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    def conversation() -> Conversation[None]:
        for _ in range(5):
            yield Request("GET", "/things")

    budget = Budget(3, 60.0, monotonic=lambda: 0.0, sleep=note)
    await calls.caller.converse(settings(base_url=site.base_url), conversation(), budget)
    assert (len(site.asked), pauses) == (5, [60.0, 60.0])


async def test_a_host_that_hangs_leaves_room_for_others(site: Site, calls: Calls) -> None:
    """One host gets half of the slots: the accounts of another one are served meanwhile."""
    other = Site()
    server = await other.start()
    site.answer = site.hang
    hanging = [
        asyncio.create_task(calls.call(site.base_url, Request("GET", "/"))) for _ in range(3)
    ]
    await site.hung.wait()
    for _ in range(3):
        assert (await calls.call(other.base_url, Request("GET", "/"))).status == 200
    assert len(site.asked) == 1
    site.go_on.set()
    assert [response.status for response in await asyncio.gather(*hanging)] == [200] * 3
    await server.stop()
