"""The explain API: the whole story of one resource.

What tells it is imported by the first question: a process that starts must receive webhooks first.
"""

import asyncio
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from config.topics import Topics
from handlers.clock import Clock, utc_now
from receiver.accounts.registry import Accounts
from receiver.http.errors import Refused
from receiver.http.exchange import answer
from receiver.http.fields import known
from receiver.http.server import RETRY_AFTER
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import SnapshotFailed, reading
from receiver.moments import moment_from

if TYPE_CHECKING:
    from receiver.explaining.question import Explanation
    from receiver.explaining.subject import Subject

_LONGEST = 60.0
"""Seconds: whole partitions are read, and whoever asks over HTTP does not wait for ever."""


class ExplainApi:
    """Answers ``GET /v1/explain``; bodies, which hold payments, are never shown."""

    def __init__(
        self,
        accounts: Accounts,
        providers: Collection[str],
        clients: Clients,
        topics: Topics,
        spool: Path,
        clock: Clock = utc_now,
    ) -> None:
        self._accounts = accounts
        self._providers = providers
        self._clients = clients
        self._topics = topics
        self._spool = spool
        self._clock = clock
        # Each question reads partitions: one at a time is enough for people.
        self._reading = asyncio.Lock()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the route."""
        router.add_get("/v1/explain", self._explain)

    async def _explain(self, request: web.Request) -> web.Response:
        from receiver.explaining.as_json import as_json

        known(request.query, {"subject", "account", "since"})
        subjects = self._subjects(request)
        since = self._since(request)
        try:
            async with self._reading:
                explanation = await self._told(subjects, since)
        except SnapshotFailed as error:
            raise Refused(503, "kafka-away", str(error), RETRY_AFTER) from None
        if not explanation.stories:
            searched = ", ".join(explanation.searched)
            told = f"nothing is known of the subject (searched: {searched:.1000})"
            raise Refused(404, "nothing-known", told)
        return answer({"stories": [as_json(story) for story in explanation.stories]})

    async def _told(self, subjects: "list[Subject]", since: datetime | None) -> "Explanation":
        from receiver.explaining.gathering import Gatherer
        from receiver.explaining.question import explain, spooled_of

        gatherer = Gatherer(self._clients, self._topics, self._accounts, since=since)
        with reading("what explain needs"):
            async with asyncio.timeout(_LONGEST):
                search = await spooled_of(subjects, self._spool)
                return await explain(gatherer, subjects, search)

    def _subjects(self, request: web.Request) -> "list[Subject]":
        from receiver.explaining.question import NoAccount, possible_subjects
        from receiver.explaining.subject import BadSubject

        subject, account = request.query.get("subject", ""), request.query.get("account")
        try:
            return possible_subjects(subject, self._accounts, self._providers, account)
        except BadSubject as error:
            raise Refused(400, "bad-request", f"subject: {error}") from None
        except NoAccount:
            told = "account: none is configured, so nothing was searched: name one"
            raise Refused(400, "bad-request", told) from None

    def _since(self, request: web.Request) -> datetime | None:
        since = request.query.get("since")
        try:
            return None if since is None else moment_from(since, self._clock())
        except ValueError as error:
            raise Refused(400, "bad-request", f"since: {error}") from None
