"""What a sandbox sends, delivered over HTTP, and what it hears of that."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aiohttp import ClientSession

from handlers.exchange import Request, Response
from handlers.sandbox import Callback, Notification
from receiver.sandbox import SandboxHost

from .scripted import ScriptedSandbox, receiver


def notification(url: str, id: str = "n1", body: bytes = b"{}") -> Notification:  # noqa: A002
    """Return a signed notification."""
    return Notification(
        id, url, {"x-topic": "invoice/paid", "content-type": "application/json"}, body
    )


def closed_url() -> str:
    """Return a URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def test_what_is_due_is_delivered_as_it_is() -> None:
    """Its body and headers arrive unchanged, by POST, once; the sandbox hears the status."""
    sandbox = ScriptedSandbox()
    async with receiver() as sink, SandboxHost(sandbox):
        sink.status = 202
        sandbox.to_send.append(notification(f"{sink.url}/hook", body=b'{"a": 1}\n'))
        assert await sandbox.answers.get() == ("n1", 202)
        ((request, body),) = sink.got
    assert (request.method, request.path, body) == ("POST", "/hook", b'{"a": 1}\n')
    assert request.headers["X-Topic"] == "invoice/paid"
    assert request.headers["Content-Type"] == "application/json"


async def test_a_redirect_is_an_answer() -> None:
    """A provider does not follow them: only 200 OK counts."""
    sandbox = ScriptedSandbox()
    async with receiver() as sink, SandboxHost(sandbox):
        sink.status = 307
        sandbox.to_send.append(notification(sink.url))
        assert await sandbox.answers.get() == ("n1", 307)
        assert len(sink.got) == 1


@pytest.mark.parametrize(
    "where", [closed_url, lambda: "no url", lambda: "ftp://127.0.0.1/"], ids=["closed", "no", "ftp"]
)
async def test_what_cannot_be_delivered_has_no_status(where: Callable[[], str]) -> None:
    """Nobody there, or no address at all, is None; and the next one is delivered."""
    sandbox = ScriptedSandbox()
    async with receiver() as sink, SandboxHost(sandbox):
        sandbox.to_send.append(notification(where()))
        assert await sandbox.answers.get() == ("n1", None)
        sandbox.to_send.append(notification(sink.url, "n2"))
        assert await sandbox.answers.get() == ("n2", 200)


async def test_a_receiver_that_hangs_holds_up_nobody() -> None:
    """Several are delivered at a time, and the one without an answer in time has no status."""
    sandbox = ScriptedSandbox()
    async with receiver() as sink, SandboxHost(sandbox, patience=0.5):
        sandbox.to_send.append(notification(f"{sink.url}/hang", "slow"))
        sandbox.to_send += [notification(sink.url, f"n{number}") for number in range(5)]
        first = [await sandbox.answers.get() for _ in range(5)]
        assert sorted(first) == [(f"n{number}", 200) for number in range(5)]
        assert await sandbox.answers.get() == ("slow", None)


async def test_an_answer_may_wait_for_a_notification() -> None:
    """A callback is delivered first; the answer follows from the status that it got."""
    sandbox = ScriptedSandbox()

    def register(request: Request) -> Callback:
        def resume(status: int | None) -> Response:
            return Response.json(200, {"status": status})

        return Callback(notification(request.query["url"], "created"), resume)

    sandbox.answer = register
    nowhere = closed_url()
    async with receiver() as sink, SandboxHost(sandbox) as host, ClientSession() as client:
        for url, status in ((sink.url, 200), (nowhere, None)):
            async with client.post(f"{host.base_url}/create", params={"url": url}) as answer:
                assert await answer.json() == {"status": status}
        assert len(sink.got) == 1
    assert sandbox.answers.empty()


async def test_an_answer_that_is_too_slow_is_none() -> None:
    """A callback that hangs is rejected in time: the host's time, or the notification's own."""
    sandbox = ScriptedSandbox()
    within: list[timedelta | None] = [None, timedelta(seconds=0.1)]

    def register(request: Request) -> Callback:
        called = replace(notification(request.query["url"], "created"), within=within.pop())
        return Callback(called, lambda status: Response.json(200, {"status": status}))

    sandbox.answer = register
    async with receiver() as sink, ClientSession() as client:
        for patience in (600, 0.1):
            async with (
                SandboxHost(sandbox, patience=patience) as host,
                client.post(f"{host.base_url}/c", params={"url": f"{sink.url}/hang"}) as answer,
            ):
                assert await answer.json() == {"status": None}
        assert len(sink.got) == 2


async def test_what_is_under_way_ends_with_the_host() -> None:
    """A delivery that hangs does not hold up the end."""
    sandbox = ScriptedSandbox()
    async with receiver() as sink:
        async with SandboxHost(sandbox):
            sandbox.to_send.append(notification(f"{sink.url}/hang"))
            await sink.hung.wait()
        assert sandbox.answers.empty()


async def test_a_defect_of_a_sandbox_is_not_hidden() -> None:
    """If a sandbox cannot say what is due, whoever served it is told in the end."""

    class Defective(ScriptedSandbox):
        def due(self, now: datetime) -> list[Notification]:
            raise RuntimeError(f"a defect at {now:%Y}")

    host = SandboxHost(Defective())
    await host.__aenter__()
    await asyncio.sleep(0)
    with pytest.raises(ExceptionGroup) as caught:
        await host.__aexit__(None, None, None)
    assert caught.group_contains(RuntimeError, match="a defect at 2")
