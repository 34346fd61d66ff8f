"""What becomes of a request whose asker goes before the answer."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from config.listeners import AdminSettings
from receiver.http.carrying import carry_through
from receiver.http.server import admin_server

WITHIN = 10.0
"""Seconds, should it be waited for in vain."""


class Work:
    """Answers a request as slowly as a test wants, and notes how that ended."""

    def __init__(self) -> None:
        self.begun, self.ended, self.go_on = (asyncio.Event() for _ in range(3))
        self.done = False

    async def answer(self, _: web.Request) -> web.Response:
        """Answer once it may go on."""
        self.begun.set()
        try:
            await self.go_on.wait()
            self.done = True
        finally:
            self.ended.set()
        return web.Response()


def noticed(runner: web.BaseRunner, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return what is set when the server knows that the asker has gone."""
    gone = asyncio.Event()
    server = runner.server
    assert isinstance(server, web.Server)
    lost = server.connection_lost

    def connection_lost(*what: Any) -> None:
        lost(*what)
        gone.set()

    monkeypatch.setattr(server, "connection_lost", connection_lost)
    return gone


@pytest.mark.parametrize(("method", "carried"), [("GET", False), ("POST", True)])
async def test_only_what_changes_something_is_carried_through(
    method: str, carried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading ends with the connection of whoever asked; a redrive is not left half done."""
    work = Work()
    application = web.Application(middlewares=[carry_through()])
    application.router.add_route("*", "/", work.answer)
    server = admin_server(application, AdminSettings(port=0))
    port = await server.start()
    gone = noticed(server.runner, monkeypatch)
    try:
        async with asyncio.timeout(WITHIN):
            _, asker = await asyncio.open_connection("127.0.0.1", port)
            asker.write(f"{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            await work.begun.wait()
            asker.close()
            await gone.wait()
            if carried:
                work.go_on.set()
            await work.ended.wait()
    finally:
        await server.stop()
    assert work.done is carried
