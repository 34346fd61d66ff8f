"""A sandbox that does what a test says, and a receiver of what it sends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from aiohttp import web

from config.account import AccountSettings
from handlers.exchange import Request, Response
from handlers.jsontext import Json
from handlers.sandbox import Callback, Control, Notification, Step
from receiver.http.server import Server


class ScriptedSandbox:
    """Keeps what it is asked, sends what it is given, and keeps what that was answered."""

    def __init__(self) -> None:
        self.asked: list[tuple[Request, datetime]] = []
        self.answer: Callable[[Request], Response | Callback] = lambda _: Response(200)
        self.to_send: list[Notification] = []
        self.answers: asyncio.Queue[tuple[str, int | None]] = asyncio.Queue()

    def handle(self, request: Request, now: datetime) -> Response | Callback:
        """Answer as told."""
        self.asked.append((request, now))
        return self.answer(request)

    def due(self, now: datetime) -> Sequence[Notification]:  # noqa: ARG002
        """Return what is to be sent, once."""
        due, self.to_send = self.to_send, []
        return due

    def answered(self, notification_id: str, status: int | None, now: datetime) -> None:  # noqa: ARG002
        """Keep the answer."""
        self.answers.put_nowait((notification_id, status))

    @property
    def controls(self) -> Mapping[str, Control]:
        """Return one control with an argument, and one without."""
        return {
            "pay": Control("Pay something.", _pay, {"amount": "cents", "note": "for people"}),
            "reset": Control("Begin anew.", lambda _, now: now.isoformat()),
        }

    @property
    def story(self) -> Sequence[Step]:
        """Return none."""
        return ()

    def account(self, name: str, base_url: str) -> AccountSettings:
        """Return settings."""
        return AccountSettings(name=name, provider="scripted", base_url=base_url)

    def subscribe(self, url: str) -> None:
        """Take no notice."""

    def caused(self, account: str) -> frozenset[UUID]:  # noqa: ARG002
        """Return nothing."""
        return frozenset()


def _pay(arguments: Mapping[str, str], now: datetime) -> Json:  # noqa: ARG001
    return {"paid": int(arguments.get("amount", "100")), "note": arguments.get("note")}


class Receiver:
    """Takes webhooks: keeps them, and answers as told; ``/hang`` never answers."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.got: list[tuple[web.Request, bytes]] = []
        self.hung = asyncio.Event()
        self.let_go = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        """Keep a webhook, and answer."""
        self.got.append((request, await request.read()))
        if request.path == "/hang":
            self.hung.set()
            await self.let_go.wait()
        return web.Response(status=self.status, headers={"location": f"{self.url}/elsewhere"})


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Serve a receiver."""
    served = Receiver()
    application = web.Application()
    application.router.add_route("*", "/{_:.*}", served.take)
    server = Server(application, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{await server.start()}"
    try:
        yield served
    finally:
        served.let_go.set()
        await server.stop()
