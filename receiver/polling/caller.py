"""Calling providers: driving a conversation over HTTP, within every limit."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from config.account import AccountSettings
from handlers.clock import Clock
from handlers.exchange import CallFailed, Request, Response
from receiver.metrics import Metrics
from receiver.polling.budget import Budget

_T = TypeVar("_T")


class Caller:
    """Makes the requests of all accounts of a process."""

    def __init__(
        self, metrics: Metrics, clock: Clock, *, max_response: int, concurrency: int
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._max_response = max_response
        self._slots = asyncio.Semaphore(concurrency)
        self._session: ClientSession | None = None

    async def start(self) -> None:
        """Be ready to call."""
        self._session = ClientSession(
            # Proxies and .netrc of whoever started us have no say in where secrets go.
            trust_env=False,
            cookie_jar=DummyCookieJar(),
            connector=TCPConnector(limit=0, ttl_dns_cache=60),
            headers={"user-agent": "payevents"},
        )

    async def close(self) -> None:
        """Call no more."""
        if self._session is not None:
            await self._session.close()

    async def converse(
        self,
        account: AccountSettings,
        conversation: Generator[Request, Response, _T],
        budget: Budget,
    ) -> _T:
        """Drive ``conversation`` to its end and return its result.

        Raises:
            ProviderFailure: whatever the conversation makes of the answers, or of no answer.
        """
        try:
            request = next(conversation)
            while True:
                try:
                    response = await self._call(account, request, budget)
                except CallFailed as error:
                    request = conversation.throw(error)
                else:
                    request = conversation.send(response)
        except StopIteration as end:
            result: _T = end.value
            return result
        finally:
            conversation.close()

    async def _call(self, account: AccountSettings, request: Request, budget: Budget) -> Response:
        await budget.take()
        async with self._slots:
            try:
                response = await self._exchange(account, request)
            except (ClientError, TimeoutError, OSError, ValueError) as error:
                self._metrics.calls.labels(account.name, type(error).__name__).inc()
                # Only the kind of failure: the text of some errors holds the whole URL.
                told = f"{request.method} {request.path}: {type(error).__name__}"
                raise CallFailed(told) from error
        self._metrics.calls.labels(account.name, str(response.status)).inc()
        return response

    async def _exchange(self, account: AccountSettings, request: Request) -> Response:
        if self._session is None:
            raise CallFailed("the caller is not started")
        async with self._session.request(
            request.method,
            _target(account.base_url, request),
            headers=dict(request.headers),
            data=request.body or None,
            # A redirect could carry credentials to another host.
            allow_redirects=False,
            timeout=ClientTimeout(total=account.call_timeout.total_seconds()),
        ) as answer:
            body = await self._read(answer.content.iter_any())
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status, body, headers, self._clock())

    async def _read(self, chunks: "object") -> bytes:
        received = bytearray()
        async for chunk in chunks:  # type: ignore[attr-defined]
            received += chunk
            if len(received) > self._max_response:
                raise CallFailed(f"the answer is larger than {self._max_response} bytes")
        return bytes(received)


def _target(base_url: str, request: Request) -> URL:
    if not request.path.startswith("/") or "/../" in f"{request.path}/":
        raise CallFailed(f"the path {request.path!r} leads away from the account's URL")
    return URL(f"{base_url}{request.path}", encoded=True).update_query(dict(request.query))
