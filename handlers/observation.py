"""An observation: the bytes a provider told us, with where and when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from handlers.clock import from_rfc3339, rfc3339


class Origin(StrEnum):
    """How an observation came to us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    RECONCILIATION = "reconciliation"
    LOOKUP = "lookup"


CONFIRMED = "confirmed"
"""The verdict of a look-up that bore the claim out."""

Headers = list[tuple[str, bytes]]
"""Kafka record headers: names may repeat, values are bytes."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one account's provider said at one moment.

    ``body`` is the webhook's body as received, or one polled resource as compact JSON. ``topic`` is
    the provider's own word for what the body is: SmartPay's topic header, else the collection the
    resource was read from. ``verdict`` says, where a look-up has already been made for this very
    observation, that it is :data:`CONFIRMED` or what was found instead. ``letter_id`` is set while
    a dead letter is tried again. ``signed_with`` names the key that signed a webhook, without
    telling anything of it. ``news_since`` is when that which the body shows for the first time
    happened at the earliest, as far as whoever asked the provider knows. ``claimed`` are the
    topics, with spaces between, of the webhooks whose claims had this looked up and were confirmed.
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

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the body, in hex."""
        return sha256(self.body).hexdigest()

    def headers(self) -> Headers:
        """Return the headers this observation travels with in the inbox."""
        present = {
            "payevents-account": self.account,
            "payevents-origin": self.origin.value,
            "payevents-topic": self.topic,
            "payevents-received-at": rfc3339(self.received_at),
            "payevents-request-id": self.request_id,
            "traceparent": self.traceparent,
            "payevents-verdict": self.verdict,
            "payevents-letter-id": self.letter_id,
            "payevents-signed-with": self.signed_with,
            "payevents-news-since": None if self.news_since is None else rfc3339(self.news_since),
            "payevents-claimed": self.claimed,
        }
        return [(name, value.encode()) for name, value in present.items() if value is not None]

    @classmethod
    def from_record(
        cls, headers: Iterable[tuple[str, bytes | None]], value: bytes
    ) -> "Observation":
        """Return the observation in an inbox record.

        Headers that others have added on the way are ignored, whatever they hold.

        Raises:
            ValueError: the record was not written by payevents.

        """
        text: Mapping[str, str] = {
            name: raw.decode() for name, raw in headers if raw is not None and _is_ours(name)
        }
        news_since = text.get("payevents-news-since")
        try:
            return cls(
                account=text["payevents-account"],
                origin=Origin(text["payevents-origin"]),
                topic=text["payevents-topic"],
                received_at=from_rfc3339(text["payevents-received-at"]),
                body=value,
                request_id=text.get("payevents-request-id", ""),
                traceparent=text.get("traceparent"),
                verdict=text.get("payevents-verdict"),
                letter_id=text.get("payevents-letter-id"),
                signed_with=text.get("payevents-signed-with"),
                news_since=None if news_since is None else from_rfc3339(news_since),
                claimed=text.get("payevents-claimed"),
            )
        except KeyError as error:
            msg = f"the record has no header {error}"
            raise ValueError(msg) from None


@dataclass(frozen=True, slots=True)
class Position:
    """Where an observation stands in the inbox."""

    topic: str
    partition: int
    offset: int


def _is_ours(header: str) -> bool:
    return header.startswith("payevents-") or header == "traceparent"
