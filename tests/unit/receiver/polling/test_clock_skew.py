"""How far a provider's clock is ahead, by what its answers say."""

from datetime import timedelta

import pytest
from aiohttp import web

from handlers.exchange import Request

from .site import NOW, Calls, Site


@pytest.mark.parametrize("ahead", [0, 90, -7_200])
async def test_the_clock_of_a_provider_is_compared_with_ours(
    site: Site, calls: Calls, ahead: int
) -> None:
    """The header Date of each answer tells its time."""
    told = (NOW + timedelta(seconds=ahead)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="{}", headers={"date": told})

    site.answer = answer
    assert calls.caller.clock_skew("a") is None
    await calls.call(site.base_url, Request("GET", "/things"))
    assert calls.caller.clock_skew("a") == ahead


@pytest.mark.parametrize("told", ["", "soon", "Thu, 99 Jan 2026 00:00:00 GMT", "1" * 400])
async def test_a_date_that_is_none_tells_nothing(site: Site, calls: Calls, told: str) -> None:
    """Whatever a provider writes there."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="{}", headers={"date": told})

    site.answer = answer
    await calls.call(site.base_url, Request("GET", "/things"))
    assert calls.caller.clock_skew("a") is None
