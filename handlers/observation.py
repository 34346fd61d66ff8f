"""An observation: the bytes a provider told us, with where and when."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

import msgspec

from handlers.clock import from_rfc3339, rfc3339


class Origin(StrEnum):
    """How an observation came to us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    RECONCILIATION = "reconciliation"
    LOOKUP = "lookup"


_ORIGINS = {origin.value.encode(): origin for origin in Origin}

CONFIRMED = "confirmed"
"""The verdict of a look-up that bore the claim out."""

Headers = list[tuple[str, bytes]]
"""Kafka record headers: names may repeat, values are bytes."""


class Observation(msgspec.Struct, frozen=True, gc=False):
    """What one account's provider said at one moment.

    ``body`` is the webhook's body as received, or one polled resource as compact JSON. ``topic`` is
    the provider's own word for what the body is: SmartPay's topic header, else the collection the
    resource was read from. ``verdict`` says, where a look-up has already been made for this very
    observation, that it is :data:`CONFIRMED` or what was found instead. ``letter_id`` is set while
    a dead letter is tried again. ``signed_with`` names the key that signed a webhook, without
    telling anything of it. ``news_since`` is when that which the body shows for the first time
    happened at the earliest, as far as whoever asked the provider knows. ``claimed`` are the
    topics, with spaces between, of the webhooks whose claims had this looked up and were confirmed.
    ``created_before`` is a time before which the resource came into being, by the listing that
    showed it.
    """

    account: str
    origin: Origin
    topic: str
    received_at: datetime
    body: bytes
    request_id: str = ""
    traceparent: str | None = None
    verdict: str | None = None
    letter_id: str | None = None
    signed_with: str | None = None
    news_since: datetime | None = None
    claimed: str | None = None
    created_before: datetime | None = None

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the body, in hex."""
        return sha256(self.body).hexdigest()

    def headers(self) -> Headers:
        """Return the headers this observation travels with in the inbox."""
        headers: Headers = [
            ("payevents-account", self.account.encode()),
            ("payevents-origin", self.origin.encode()),
            ("payevents-topic", self.topic.encode()),
            ("payevents-received-at", rfc3339(self.received_at).encode()),
            ("payevents-request-id", self.request_id.encode()),
        ]
        # One by one, and no list of pairs to go through: every webhook passes here.
        if self.traceparent is not None:
            headers.append(("traceparent", self.traceparent.encode()))
        if self.verdict is not None:
            headers.append(("payevents-verdict", self.verdict.encode()))
        if self.letter_id is not None:
            headers.append(("payevents-letter-id", self.letter_id.encode()))
        if self.signed_with is not None:
            headers.append(("payevents-signed-with", self.signed_with.encode()))
        if self.news_since is not None:
            headers.append(("payevents-news-since", rfc3339(self.news_since).encode()))
        if self.claimed is not None:
            headers.append(("payevents-claimed", self.claimed.encode()))
        if self.created_before is not None:
            headers.append(("payevents-created-before", rfc3339(self.created_before).encode()))
        return headers

    @classmethod
    def from_record(
        cls, headers: Iterable[tuple[str, bytes | None]], value: bytes
    ) -> "Observation":
        """Return the observation in an inbox record.

        Headers that others have added on the way are ignored, whatever they hold.

        Raises:
            ValueError: the record was not written by payevents.

        """
        raw = {name: given for name, given in headers if given is not None}
        try:
            return cls(
                account=raw["payevents-account"].decode(),
                origin=_origin(raw["payevents-origin"]),
                topic=raw["payevents-topic"].decode(),
                received_at=from_rfc3339(raw["payevents-received-at"].decode()),
                body=value,
                request_id=raw.get("payevents-request-id", b"").decode(),
                traceparent=_text(raw.get("traceparent")),
                verdict=_text(raw.get("payevents-verdict")),
                letter_id=_text(raw.get("payevents-letter-id")),
                signed_with=_text(raw.get("payevents-signed-with")),
                news_since=_moment(raw.get("payevents-news-since")),
                claimed=_text(raw.get("payevents-claimed")),
                created_before=_moment(raw.get("payevents-created-before")),
            )
        except KeyError as error:
            msg = f"the record has no header {error}"
            raise ValueError(msg) from None


class Position(msgspec.Struct, frozen=True, gc=False):
    """Where an observation stands in the inbox."""

    topic: str
    partition: int
    offset: int


def _origin(raw: bytes) -> Origin:
    known = _ORIGINS.get(raw)
    if known is None:
        msg = f"{raw!r:.40} is no origin"
        raise ValueError(msg)
    return known


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode()


def _moment(raw: bytes | None) -> datetime | None:
    return None if raw is None else from_rfc3339(raw.decode())
