"""The watches API: what is polled, and asking for more or less of it."""

import asyncio

from aiohttp import web

from config.topics import Topics
from handlers.provider import Watch
from receiver.accounts.registry import Accounts
from receiver.http.errors import Refused
from receiver.http.exchange import answer, read_object
from receiver.http.server import RETRY_AFTER
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import SnapshotFailed
from receiver.watches.listing import is_listed, list_watches
from receiver.watches.registration import Malformed, Registrar, UnknownAccount, requested_watch


class WatchesApi:
    """Answers ``/v1/watches``."""

    def __init__(
        self, accounts: Accounts, clients: Clients, appender: Appender, topics: Topics
    ) -> None:
        self._accounts = accounts
        self._clients = clients
        self._watchlist = topics.watchlist
        self._registrar = Registrar(appender, topics.watch_requests)
        # Each listing reads a topic: one at a time is enough for people.
        self._reading = asyncio.Lock()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_post("/v1/watches", self._start)
        router.add_get("/v1/watches", self._list)
        router.add_delete("/v1/watches/{account}/{kind}/{id}", self._stop)

    async def _start(self, request: web.Request) -> web.Response:
        wanted = await read_object(request)
        try:
            watch = requested_watch(self._accounts, wanted)
            await self._registrar.start(watch)
        except Malformed as error:
            raise Refused(400, "bad-request", str(error)) from None
        except UnknownAccount as error:
            raise Refused(404, "unknown-account", str(error)) from None
        except ValueError as error:
            raise Refused(422, "unprocessable", str(error)) from None
        except NotDurable as error:
            raise Refused(503, "not-durable", str(error), RETRY_AFTER) from None
        return answer({"key": watch.key}, status=202)

    async def _list(self, request: web.Request) -> web.Response:
        account = request.query.get("account")
        if account is not None and self._accounts.get(account) is None:
            raise Refused(404, "unknown-account", str(UnknownAccount(account)))
        try:
            async with self._reading:
                watches = await list_watches(self._clients, self._watchlist, account)
        except SnapshotFailed as error:
            raise Refused(503, "kafka-away", str(error), RETRY_AFTER) from None
        return answer({"watches": [watch.as_json() for watch in watches]})

    async def _stop(self, request: web.Request) -> web.Response:
        named = request.match_info
        watch = Watch(named["account"], named["kind"], named["id"])
        try:
            async with self._reading:
                known = await is_listed(self._clients, self._watchlist, watch)
            if not known:
                raise Refused(404, "unknown-watch", f"there is no watch {watch.key:.300}")
            await self._registrar.stop(watch)
        except (SnapshotFailed, NotDurable) as error:
            raise Refused(503, "kafka-away", str(error), RETRY_AFTER) from None
        return answer({"key": watch.key}, status=202)
