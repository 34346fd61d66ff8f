"""The dead letters API: what could not become events, and trying it again."""

import asyncio

from aiohttp import web

from config.topics import Topics
from handlers.jsontext import JsonObject
from receiver.dead_letters import list_letters, redrive
from receiver.http.errors import Refused
from receiver.http.exchange import answer, read_object
from receiver.http.server import RETRY_AFTER
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import SnapshotFailed

_MOST_AT_ONCE = 500


class DeadLettersApi:
    """Answers ``/v1/dead-letters``; bodies, which hold payments, are never shown."""

    def __init__(self, clients: Clients, appender: Appender, topics: Topics) -> None:
        self._clients = clients
        self._appender = appender
        self._topics = topics
        # Each request reads a topic: one at a time is enough for people.
        self._reading = asyncio.Lock()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/v1/dead-letters", self._list)
        router.add_post("/v1/dead-letters/redrive", self._redrive)

    async def _list(self, request: web.Request) -> web.Response:
        try:
            async with self._reading:
                account = request.query.get("account")
                letters = await list_letters(self._clients, self._topics, account)
        except SnapshotFailed as error:
            raise Refused(503, "kafka-away", str(error), RETRY_AFTER) from None
        return answer({"dead_letters": [letter.as_json() for letter in letters]})

    async def _redrive(self, request: web.Request) -> web.Response:
        ids = _ids(await read_object(request))
        try:
            async with self._reading:
                outcome = await redrive(self._clients, self._appender, self._topics, ids)
        except SnapshotFailed as error:
            raise Refused(503, "kafka-away", str(error), RETRY_AFTER) from None
        except NotDurable as error:
            raise Refused(503, "not-durable", str(error), RETRY_AFTER) from None
        if not outcome.sent:
            raise Refused(404, "nothing-redriven", _told(outcome.refused))
        return answer({"redriven": outcome.sent, "refused": outcome.refused}, status=202)


def _ids(wanted: JsonObject) -> list[str]:
    ids = wanted.get("ids")
    if not isinstance(ids, list) or not ids or len(ids) > _MOST_AT_ONCE:
        raise Refused(400, "bad-request", f'"ids" must be a list of 1 to {_MOST_AT_ONCE} ids')
    named = [given for given in ids if isinstance(given, str)]
    if len(named) != len(ids):
        raise Refused(400, "bad-request", "each id must be text")
    return named


def _told(refused: dict[str, str]) -> str:
    return "; ".join(f"{letter_id:.100}: {why}" for letter_id, why in list(refused.items())[:10])
