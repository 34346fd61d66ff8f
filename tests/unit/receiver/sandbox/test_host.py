"""The one host of all sandboxes: the API at the root, the controls beside it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientSession
from yarl import URL

from handlers.exchange import Response
from receiver.sandbox import SandboxHost
from receiver.sandbox.controls import ControlRefused, UnknownControl

from .scripted import ScriptedSandbox

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def host() -> AsyncIterator[SandboxHost]:
    """Serve a scripted sandbox."""
    async with SandboxHost(ScriptedSandbox(), clock=lambda: NOW) as host:
        yield host


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """Return a client that sends paths as they are written."""
    async with ClientSession() as client:
        yield client


def scripted(host: SandboxHost) -> ScriptedSandbox:
    """Return the sandbox that is served."""
    assert isinstance(host.sandbox, ScriptedSandbox)
    return host.sandbox


async def test_a_request_reaches_the_sandbox_as_it_was_sent(
    host: SandboxHost, client: ClientSession
) -> None:
    """Method, raw path, query, headers in lower case, raw body, and the host's time."""
    url = URL(f"{host.base_url}/1-2/a%2Fb?page=2&name=a%20b", encoded=True)
    await client.put(url, data=b"\x00raw", headers={"X-Token": "T", "Content-Type": "text/plain"})
    ((request, now),) = scripted(host).asked
    assert (request.method, request.path) == ("PUT", "/1-2/a%2Fb")
    assert request.query == {"page": "2", "name": "a b"}
    assert (request.headers["x-token"], request.body, now) == ("T", b"\x00raw", NOW)
    assert request.headers["content-type"] == "text/plain"


async def test_the_answer_is_the_sandbox_s(host: SandboxHost, client: ClientSession) -> None:
    """Status, headers and body are passed on untouched."""
    scripted(host).answer = lambda _: Response(409, b'{"e":1}', {"content-type": "x/y", "x-a": "b"})
    async with client.get(f"{host.base_url}/") as answer:
        assert (answer.status, await answer.read()) == (409, b'{"e":1}')
        assert (answer.headers["Content-Type"], answer.headers["X-A"]) == ("x/y", "b")


async def test_requests_are_counted_by_path(host: SandboxHost, client: ClientSession) -> None:
    """Each path of the API has its count; the controls are not part of the API."""
    for path in ("/a", "/a", "/a/confirm", "/_sandbox"):
        await client.get(f"{host.base_url}{path}")
    await client.post(f"{host.base_url}/a")
    await client.post(f"{host.base_url}/_sandbox/reset")
    assert host.requests == {"GET /a": 2, "GET /a/confirm": 1, "POST /a": 1}


async def test_it_shows_what_can_be_caused(host: SandboxHost, client: ClientSession) -> None:
    """The controls with their arguments, and what was asked so far."""
    await client.get(f"{host.base_url}/a")
    async with client.get(f"{host.base_url}/_sandbox") as answer:
        shown = await answer.json()
    assert shown == {
        "controls": {
            "pay": {
                "help": "Pay something.",
                "arguments": {"amount": "cents", "note": "for people"},
            },
            "reset": {"help": "Begin anew.", "arguments": {}},
        },
        "requests": {"GET /a": 1},
    }


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"amount": "250", "note": "a b"}},
        {"json": {"amount": 250, "note": "a b"}},
        {"params": {"amount": "250", "note": "a b"}},
        {"params": {"amount": "250"}, "json": {"note": "a b"}},
    ],
)
async def test_a_control_takes_arguments_in_any_form(
    host: SandboxHost, client: ClientSession, sent: dict[str, Any]
) -> None:
    """A form, JSON and a query string are all the same to it."""
    async with client.post(f"{host.base_url}/_sandbox/pay", **sent) as answer:
        assert (answer.status, await answer.json()) == (200, {"paid": 250, "note": "a b"})


async def test_a_control_runs_at_the_host_s_time(host: SandboxHost, client: ClientSession) -> None:
    """A control without arguments needs no body, and is told the time."""
    async with client.post(f"{host.base_url}/_sandbox/reset") as answer:
        assert await answer.json() == NOW.isoformat()


@pytest.mark.parametrize(
    ("path", "sent", "status", "told"),
    [
        ("/_sandbox/bay", {}, 404, "there is no control 'bay'; known are pay, reset"),
        (
            "/_sandbox/pay",
            {"data": {"amont": "1"}},
            400,
            "argument 'amont'; known are amount, note",
        ),
        ("/_sandbox/reset", {"data": {"x": "1"}}, 400, "known are none"),
        ("/_sandbox/pay", {"data": {"amount": "much"}}, 400, "much"),
        ("/_sandbox/pay", {"json": [1]}, 400, "JSON object"),
        ("/_sandbox", {}, 405, "POST /_sandbox/<control>"),
        ("/_sandbox/pay/now", {}, 405, "POST /_sandbox/<control>"),
    ],
)
async def test_what_cannot_be_done_is_explained(
    host: SandboxHost,
    client: ClientSession,
    path: str,
    sent: dict[str, Any],
    status: int,
    told: str,
) -> None:
    """A wrong control, argument or value is refused, with what there is instead."""
    async with client.post(f"{host.base_url}{path}", **sent) as answer:
        assert answer.status == status
        assert told in (await answer.text()).replace("\\u0027", "'")
    assert scripted(host).asked == []


async def test_controls_can_be_run_in_process(host: SandboxHost) -> None:
    """The same, without HTTP, for demos and tests."""
    assert await host.control("pay", amount="7") == {"paid": 7, "note": None}
    with pytest.raises(UnknownControl, match="known are pay, reset"):
        await host.control("bay")
    with pytest.raises(ControlRefused, match="known are amount, note"):
        await host.control("pay", amont="7")


async def test_two_hosts_do_not_meet() -> None:
    """Each takes a free port of its own."""
    async with SandboxHost(ScriptedSandbox()) as one, SandboxHost(ScriptedSandbox()) as two:
        assert one.base_url != two.base_url


async def test_nothing_is_left_when_it_ends(client: ClientSession) -> None:
    """The port is closed and no task goes on."""
    before = asyncio.all_tasks()
    async with SandboxHost(ScriptedSandbox()) as host:
        await client.get(host.base_url)
    with pytest.raises(ClientConnectionError):
        await client.get(host.base_url)
    assert asyncio.all_tasks() == before


async def test_an_address_in_use_is_an_error() -> None:
    """It says so, and leaves nothing open."""
    async with SandboxHost(ScriptedSandbox()) as host:
        port = URL(host.base_url).port
        assert port is not None
        with pytest.raises(OSError, match="in use"):
            await SandboxHost(ScriptedSandbox(), port=port).__aenter__()
