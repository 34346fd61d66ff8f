"""The public URL of several replicas: what stands in front of them in a deployment."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web

from receiver.http.server import Server

_PASSED_ON = ("Content-Type", "X-SmartPay-Topic", "X-SmartPay-Hmac-Sha256")


class Front:
    """Hands each request to the next of the replicas ``behind``, from ``async with`` to its end.

    ``behind`` are their base URLs, to be changed at any time. Who cannot be reached is passed over;
    where nobody can, the answer is 502. ``answered`` has the status of each request, in order.

    What has a body, as webhooks have, can be hindered: it is refused while ``refuses``, and comes
    ``slow`` seconds after its head.
    """

    def __init__(self) -> None:
        self.behind: list[str] = []
        self.url = ""
        self.answered: list[int] = []
        self.refuses = False
        self.slow = 0.0
        application = web.Application()
        application.router.add_route("*", "/{_:.*}", self._hand_on)
        self._server = Server(application, "127.0.0.1", 0)
        self._turn = 0

    async def __aenter__(self) -> Self:
        """Listen."""
        self._client = ClientSession(cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=10))
        self.url = f"http://127.0.0.1:{await self._server.start()}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        await self._server.stop()
        await self._client.close()

    async def _hand_on(self, request: web.Request) -> web.Response:
        self._turn += 1
        turn = self._turn % max(1, len(self.behind))
        body = await request.read()
        for base in [*self.behind[turn:], *self.behind[:turn]]:
            if body and self.refuses:
                answer = web.Response(status=503)
                break
            try:
                answer = await self._ask(base, request, body)
            except (ClientError, OSError, TimeoutError):
                continue
            break
        else:
            answer = web.Response(status=502)
        self.answered.append(answer.status)
        return answer

    async def _ask(self, base: str, request: web.Request, body: bytes) -> web.Response:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        if body:
            headers["Content-Length"] = str(len(body))
        async with self._client.request(
            request.method,
            f"{base}{request.path_qs}",
            data=self._in_time(body) if body and self.slow else body,
            headers=headers,
        ) as answer:
            return web.Response(status=answer.status, body=await answer.read())

    async def _in_time(self, body: bytes) -> AsyncIterator[bytes]:
        # The head goes with the first of it.
        yield body[:1]
        await asyncio.sleep(self.slow)
        yield body[1:]
