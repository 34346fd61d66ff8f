"""Calling providers: driving a conversation over HTTP, within every limit."""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import unquote, urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from config.account import AccountSettings
from handlers.clock import Clock
from handlers.exchange import CallFailed, Conversation, Request, Response
from receiver.observability.metrics import Metrics
from receiver.polling.budget import Budget

_T = TypeVar("_T")

_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")
"""RFC 3986, section 3.3: an absolute path, and neither a query nor a fragment."""


class Caller:
    """Makes the requests of all accounts of a process, at most ``concurrency`` at once.

    One host gets half of them at most, so that one that hangs cannot keep others waiting.
    """

    def __init__(
        self, metrics: Metrics, clock: Clock, *, max_response: int, concurrency: int
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._max_response = max_response
        self._slots = asyncio.Semaphore(concurrency)
        share = max(1, concurrency // 2)
        self._host_slots = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(share))
        self._session: ClientSession | None = None
        self._skews: dict[str, float] = {}

    def clock_skew(self, account: str) -> float | None:
        """Return how many seconds the provider's clock was ahead of ours when it last told."""
        return self._skews.get(account)

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
        self, account: AccountSettings, conversation: Conversation[_T], budget: Budget
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
        async with self._host_slots[urlsplit(account.base_url).netloc], self._slots:
            try:
                response = await self._exchange(account, request)
            except (ClientError, TimeoutError, OSError, ValueError) as error:
                kind = type(error).__name__
                self._metrics.calls.labels(account.name, kind).inc()
                # Only the kind of failure, and no chain: the text of some holds the whole URL.
                raise CallFailed(f"{request.method} {request.path}: {kind}") from None
        self._metrics.calls.labels(account.name, str(response.status)).inc()
        skew = _skew(response)
        if skew is not None:
            self._skews[account.name] = skew
        return response

    async def _exchange(self, account: AccountSettings, request: Request) -> Response:
        if self._session is None:
            raise RuntimeError("the caller is not started")
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

    async def _read(self, chunks: AsyncIterator[bytes]) -> bytes:
        received = bytearray()
        async for chunk in chunks:
            received += chunk
            if len(received) > self._max_response:
                raise AnswerTooLarge
        return bytes(received)


def _skew(response: Response) -> float | None:
    """Return how far a provider's clock is ahead, in whole seconds as it tells its time (RFC 9110).

    What stands in the header's place is anything.
    """
    try:
        told = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError, OverflowError):
        return None
    if response.received_at is None or told.tzinfo is None:
        return None
    return float(round((told - response.received_at).total_seconds()))


class AnswerTooLarge(ValueError):
    """An answer is larger than ``poller.max_response``."""


class PathRefused(ValueError):
    """A request's path is none, or leads away from the account's base URL."""


def _target(base_url: str, request: Request) -> URL:
    segments = unquote(request.path).split("/")
    if not _PATH.fullmatch(request.path) or not {".", ".."}.isdisjoint(segments):
        raise PathRefused
    query = f"?{urlencode(request.query)}" if request.query else ""
    return URL(f"{base_url}{request.path}{query}", encoded=True)
