"""Calling providers over real HTTP, on this machine."""

import asyncio
import gc
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qsl
from weakref import ref

import pytest

from handlers.exchange import CallFailed, Conversation, Request

from .site import NOW, SECRET, Calls, Site
from .world import settings


async def test_a_request_arrives_as_it_was_written(site: Site, calls: Calls) -> None:
    """Method, path below the base URL, headers and body are those of the request."""
    request = Request.json("POST", "/things/a%2Fb", {"n": 1}, {"x-user-token": SECRET})
    response = await calls.call(site.base_url, request)
    (asked,) = site.asked
    assert (asked.method, asked.rel_url.raw_path) == ("POST", "/api/v1/things/a%2Fb")
    assert asked.headers["X-User-Token"] == SECRET
    assert asked.headers["Content-Type"] == "application/json"
    assert site.bodies == [b'{"n":1}']
    assert (response.status, response.body, response.received_at) == (200, b"{}", NOW)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert calls.counted("200") == 1


@pytest.mark.parametrize(
    "value", ["plain", "a b", "a+b", "a&b=c", "100%", "%2F", "ü€😀", "#?/;:@", "", '"quoted"', "\\"]
)
async def test_a_query_arrives_exactly(site: Site, calls: Calls, value: str) -> None:
    """Whatever a name or a value holds, the other side reads the same."""
    query = {"q": value, f"name {value}": "1"}
    await calls.call(site.base_url, Request("GET", "/things", query))
    (asked,) = site.asked
    assert dict(parse_qsl(asked.rel_url.raw_query_string, keep_blank_values=True)) == query
    assert dict(asked.query) == query
    assert asked.rel_url.raw_path == "/api/v1/things"


@pytest.mark.parametrize(
    "path", ["/", "/things", "/things/7.json", "/a/b/c", "//x", "/..x/x..", "/%C3%BC"]
)
async def test_a_path_below_the_base_url_is_asked_for(site: Site, calls: Calls, path: str) -> None:
    """Plain paths arrive under the base URL's own path, on the same host."""
    await calls.call(site.base_url, Request("GET", path))
    assert [asked.rel_url.raw_path for asked in site.asked] == [f"/api/v1{path}"]


async def test_a_conversation_hears_of_a_failed_call_and_may_go_on(
    site: Site, calls: Calls
) -> None:
    """A failed call is thrown into the conversation, which may ask something else."""

    def conversation() -> Conversation[tuple[str, int]]:
        try:
            yield Request("GET", "no path")
        except CallFailed as error:
            response = yield Request("GET", "/things")
            return str(error), response.status
        raise AssertionError("the call did not fail")

    account = settings(base_url=site.base_url)
    told, status = await calls.caller.converse(account, conversation(), calls.budget)
    assert (told, status) == ("GET no path: PathRefused", 200)


async def test_a_conversation_that_is_given_up_is_closed(site: Site, calls: Calls) -> None:
    """Cancelling a visit ends its conversation, in order."""
    closed = []

    def conversation() -> Conversation[None]:
        try:
            yield Request("GET", "/things")
        finally:
            closed.append(True)

    site.answer = site.hang
    account = settings(base_url=site.base_url)
    task = asyncio.create_task(calls.caller.converse(account, conversation(), calls.budget))
    await site.hung.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]


async def test_nothing_is_kept_of_an_account_that_is_forgotten(site: Site, calls: Calls) -> None:
    """Its settings hold its key; what it shares with others of its host stays while they do."""

    def conversation() -> Conversation[None]:
        yield Request("GET", "/things")

    staying, going = (settings(name, base_url=site.base_url) for name in ("a", "b"))
    going = going.model_copy(update={"call_timeout": timedelta(seconds=7)})
    for account in (staying, going):
        await calls.caller.converse(account, conversation(), calls.budget)
    line = calls.caller._line(going)
    kept: list[Callable[[], object]] = [ref(going), ref(line.wire)]
    slots = ref(line.slots)
    calls.caller.forget("b")
    del account, going, line
    gc.collect()
    assert [each() for each in kept] == [None, None]
    assert slots() is not None
    calls.caller.forget("a")
    gc.collect()
    assert slots() is None
