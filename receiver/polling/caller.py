"""Calling providers: driving a conversation over HTTP, within every limit."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TypeVar
from urllib.parse import unquote, urlencode
from weakref import WeakValueDictionary

from aiohttp import ClientError, TCPConnector
from yarl import URL

from config.account import AccountSettings
from handlers.clock import Clock
from handlers.exchange import CallFailed, Conversation, Request, Response
from receiver.observability.metrics import Metrics
from receiver.polling.budget import Budget
from receiver.polling.slots import Slots
from receiver.polling.wire import Wire

_T = TypeVar("_T")

_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")
"""RFC 3986, section 3.3: an absolute path, and neither a query nor a fragment."""

_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_-]+)+")
"""A path that has nothing to be looked at more closely: nearly every one."""

_DATES_REMEMBERED = 128
"""How many times a provider may tell: those of the second that it is, by each provider."""


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
        self._slots = Slots(concurrency)
        self._share = max(1, concurrency // 2)
        # What accounts share lasts as long as one of them: thousands may come and go.
        self._host_slots = WeakValueDictionary[str, Slots]()
        self._wires = WeakValueDictionary[tuple[URL, float], Wire]()
        self._lines: dict[str, Line] = {}
        self._connector: TCPConnector | None = None
        self._skews: dict[str, float] = {}

    def clock_skew(self, account: str) -> float | None:
        """Return how many seconds the provider's clock was ahead of ours when it last told."""
        return self._skews.get(account)

    def forget(self, account: str) -> None:
        """Keep nothing of an account that is not called any more."""
        self._lines.pop(account, None)
        self._skews.pop(account, None)

    async def start(self) -> None:
        """Be ready to call."""
        self._connector = TCPConnector(limit=0, ttl_dns_cache=60)

    async def close(self) -> None:
        """Call no more."""
        if self._connector is not None:
            await self._connector.close()

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
        line = self._line(account)
        await line.slots.take()
        try:
            await self._slots.take()
            try:
                response = await self._exchange(line, request)
            except (ClientError, TimeoutError, OSError, ValueError) as error:
                kind = type(error).__name__
                self._metrics.calls.count(line.name, kind)
                # Only the kind of failure, and no chain: the text of some holds the whole URL.
                raise CallFailed(f"{request.method} {request.path}: {kind}") from None
            finally:
                self._slots.give_back()
        finally:
            line.slots.give_back()
        self._metrics.calls.count(line.name, response.status)
        skew = _skew(response)
        if skew is not None:
            self._skews[line.name] = skew
        return response

    def _line(self, account: AccountSettings) -> "Line":
        line = self._lines.get(account.name)
        if line is None or line.account is not account:
            if self._connector is None:
                raise RuntimeError("the caller is not started")
            base = URL(account.base_url, encoded=True)
            timeout = account.call_timeout.total_seconds()
            # Accounts of one host share it: what is used for every call stays at hand.
            wire = self._wires.get((base.origin(), timeout))
            if wire is None:
                wire = Wire(self._connector, base.origin(), timeout, self._max_response)
                self._wires[base.origin(), timeout] = wire
            slots = self._host_slots.get(base.raw_authority)
            if slots is None:
                slots = self._host_slots[base.raw_authority] = Slots(self._share)
            line = Line(account, base, wire, slots)
            self._lines[account.name] = line
        return line

    async def _exchange(self, line: "Line", request: Request) -> Response:
        head, body = await line.wire.exchange(request, line.target(request))
        headers = {name.lower(): value for name, value in head.headers.items()}
        return Response(head.code, body, headers, self._clock())


class Line:
    """What all calls of an account have in common, worked out once for as long as its settings."""

    __slots__ = ("_path", "account", "name", "slots", "wire")

    def __init__(self, account: AccountSettings, base: URL, wire: Wire, slots: Slots) -> None:
        self.account = account
        self.name = account.name
        self.wire = wire
        self.slots = slots
        # yarl writes a slash where there is no path.
        self._path = base.raw_path.rstrip("/")

    def target(self, request: Request) -> str:
        """Return path and query of a request, as they are asked for.

        Raises:
            PathRefused: its path is none.
        """
        path = request.path
        if not _PLAIN_PATH.fullmatch(path):
            segments = unquote(path).split("/")
            if not _PATH.fullmatch(path) or not {".", ".."}.isdisjoint(segments):
                raise PathRefused
        if request.query:
            path = f"{path}?{urlencode(request.query)}"
        return self._path + path


def _skew(response: Response) -> float | None:
    """Return how far a provider's clock is ahead, in whole seconds as it tells its time."""
    told = _date(response.headers.get("date"))
    if response.received_at is None or told is None or told.tzinfo is None:
        return None
    return float(round((told - response.received_at).total_seconds()))


@lru_cache(_DATES_REMEMBERED)
def _date(told: str | None) -> datetime | None:
    """Return the time that a header tells (RFC 9110); what stands in its place is anything."""
    if told is None:
        return None
    try:
        return parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return None


class PathRefused(ValueError):
    """A request's path is none, or leads away from the account's base URL."""
