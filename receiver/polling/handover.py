"""Handing on what a visit found: into the inbox, and nothing counts before it is durable there."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from handlers.observation import CONFIRMED, Observation, Origin
from handlers.provider import Handler, Resource
from receiver.inbox import Inbox, TooLarge
from receiver.observability.alarms import Alarms
from receiver.watches.requests import Original

_APPENDS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Handover:
    """Appends observations to the inbox; a resource too large for it sounds an alarm instead."""

    inbox: Inbox
    alarms: Alarms

    async def hand_on(
        self,
        handler: Handler,
        resources: Sequence[Resource],
        origin: Origin,
        asked_at: datetime,
        news_since: datetime | None = None,
        created_before: datetime | None = None,
        claimed: str | None = None,
    ) -> None:
        """Append each resource as an observation made at ``asked_at``.

        Raises:
            NotDurable: not all of them are in the inbox.
        """
        name = handler.account.name
        for start in range(0, len(resources), _APPENDS_AT_ONCE):
            appends = []
            for resource in resources[start : start + _APPENDS_AT_ONCE]:
                observation = Observation(
                    name,
                    origin,
                    resource.topic,
                    asked_at,
                    resource.body,
                    news_since=news_since,
                    created_before=created_before,
                    claimed=claimed,
                )
                key = handler.inbox_key(resource.topic, resource.body)
                appends.append(self._append(key, observation))
            # Each is awaited even when another fails, so that none is left behind unheard.
            for outcome in await asyncio.gather(*appends, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome

    async def give_verdict(self, originals: Iterable[Original], verdict: str) -> None:
        """Append the observations that a look-up is about again, with its ``verdict``.

        Raises:
            NotDurable: not all of them are in the inbox.
        """
        for original in originals:
            observation = original.observation()
            # What was confirmed needs another look only to clear the dead letter it was.
            if verdict != CONFIRMED or observation.letter_id is not None:
                judged = msgspec.structs.replace(observation, verdict=verdict)
                await self._append(original.key, judged)

    async def _append(self, key: str, observation: Observation) -> None:
        try:
            await self.inbox.append(key, observation)
        except TooLarge as error:
            self.alarms.sound(
                observation.account,
                "resource-too-large",
                why=f"{observation.topic}: {error}",
                remedy="look at the resource at the provider: it cannot become an event",
            )
