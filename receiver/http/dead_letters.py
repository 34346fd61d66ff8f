"""The dead letters API: what could not become events, and trying it again."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from time import monotonic

from aiohttp import web

from config.topics import Topics
from handlers.clock import Clock, utc_now
from handlers.jsontext import JsonObject
from receiver.dead_letters.criteria import FILTERS, BadCriterion, Criteria, criteria_from
from receiver.dead_letters.finding import Found, Listing, describe, find_letters, list_letters
from receiver.dead_letters.redriving import RATE, Pace, Redriven, redrive, refusals, unfound
from receiver.http.errors import Refused
from receiver.http.exchange import answer, read_object
from receiver.http.fields import flag, known, whole_number
from receiver.http.readings import Readings
from receiver.http.server import RETRY_AFTER
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import SnapshotFailed

_SHOWN = 100
_MOST_SHOWN = 1_000
_MOST_AT_ONCE = 500
_SLOWEST = 10
"""Letters a second: with :data:`_MOST_AT_ONCE`, what bounds how long a request may take."""


class DeadLettersApi:
    """Answers ``/v1/dead-letters``; bodies, which hold payments, are never shown."""

    def __init__(
        self, clients: Clients, appender: Appender, topics: Topics, clock: Clock = utc_now
    ) -> None:
        self._clients = clients
        self._appender = appender
        self._topics = topics
        self._clock = clock
        # Each request reads a topic, and every console that is open asks for the same.
        self._readings: Readings[Listing] = Readings()
        self._redriving = asyncio.Lock()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/v1/dead-letters", self._list)
        router.add_post("/v1/dead-letters/redrive", self._redrive)

    async def _list(self, request: web.Request) -> web.Response:
        known(request.query, {*FILTERS, "limit"})
        limit = whole_number(request.query, "limit", _SHOWN, most=_MOST_SHOWN)
        criteria = self._criteria(request.query)
        try:
            topic = self._topics.dead_letters
            listing = await self._readings.of(
                # As it was asked: a duration means another time at each call.
                frozenset(request.query.items()),
                lambda: list_letters(self._clients, topic, criteria, limit),
            )
        except SnapshotFailed as error:
            raise Refused(503, "kafka-away", str(error), RETRY_AFTER) from None
        return answer(listing.as_json())

    async def _redrive(self, request: web.Request) -> web.Response:
        wanted = await read_object(request)
        criteria = self._chosen(wanted)
        limit = whole_number(wanted, "limit", _MOST_AT_ONCE, most=_MOST_AT_ONCE)
        rate = whole_number(wanted, "rate", int(RATE), least=_SLOWEST, most=_MOST_AT_ONCE)
        dry_run = flag(wanted, "dry_run")
        try:
            async with self._redriving:
                found = await find_letters(self._clients, self._topics.dead_letters, criteria)
                if dry_run:
                    return await self._would_be(found, limit, criteria)
                return await self._send(found, limit, rate, criteria)
        except SnapshotFailed as error:
            raise Refused(503, "kafka-away", str(error), RETRY_AFTER) from None
        except NotDurable as error:
            raise Refused(503, "not-durable", str(error), RETRY_AFTER) from None

    async def _would_be(self, found: list[Found], limit: int, criteria: Criteria) -> web.Response:
        chosen = found[:limit]
        refused = refusals(chosen, unfound(criteria.ids, found))
        sent = [letter for letter in chosen if letter.id not in refused]
        listing = await describe(self._clients, self._topics.dead_letters, sent, limit)
        more = len(found) - len(chosen)
        told = {**listing.as_json(), "dry_run": True, "more": more, "refused": refused}
        return answer(told)

    async def _send(
        self, found: list[Found], limit: int, rate: int, criteria: Criteria
    ) -> web.Response:
        chosen = found[:limit]
        outcome = await redrive(
            self._clients,
            self._appender,
            self._topics,
            chosen,
            Pace(rate, monotonic),
            missing=unfound(criteria.ids, found),
        )
        if not outcome.sent:
            raise Refused(404, "nothing-redriven", _told(outcome))
        more = len(found) - len(chosen)
        told = {"redriven": outcome.ids, "refused": outcome.refused, "more": more}
        return answer(told, status=202)

    def _chosen(self, wanted: JsonObject) -> Criteria:
        known(wanted, {"ids", "all", *FILTERS, "limit", "rate", "dry_run"})
        criteria = self._criteria(wanted)
        ways = [wanted.get("ids") is not None, flag(wanted, "all"), criteria != Criteria()]
        if sum(ways) != 1:
            told = f'give "ids", or filters ({", ".join(FILTERS)}), or "all": true; one of these'
            raise Refused(400, "bad-request", told)
        return replace(criteria, ids=_ids(wanted)) if ways[0] else criteria

    def _criteria(self, filters: Mapping[str, object]) -> Criteria:
        try:
            return criteria_from(filters, self._clock())
        except BadCriterion as error:
            raise Refused(400, "bad-request", str(error)) from None


def _ids(wanted: JsonObject) -> frozenset[str]:
    ids = wanted.get("ids")
    if not isinstance(ids, list) or not ids or len(ids) > _MOST_AT_ONCE:
        raise Refused(400, "bad-request", f"ids: it must be a list of 1 to {_MOST_AT_ONCE} ids")
    if not all(isinstance(given, str) for given in ids):
        raise Refused(400, "bad-request", "ids: each must be text")
    return frozenset(map(str, ids))


def _told(outcome: Redriven) -> str:
    refused = list(outcome.refused.items())[:10]
    return "; ".join(f"{letter:.100}: {why}" for letter, why in refused) or "no letter matches"
