"""Signs: what receivers and routers tell, wherever they run, of how an account's webhooks fare.

They travel to the one shard that has all of the account. Times are seconds since 1970.
"""

import msgspec

ACCOUNT = "account"
"""The kind under which the watchlist keeps what is known of an account; no watch has it."""


class _Sign(msgspec.Struct, frozen=True, gc=False):
    account: str

    @property
    def key(self) -> str:
        """Return the key that its record has."""
        return f"{self.account}/{ACCOUNT}/sign"


class Arrived(_Sign, tag="arrived", frozen=True):
    """A webhook arrived that the provider sends when told to.

    It proves a registration if a call of ours explains it: ``topic`` is not signed.
    """

    topic: str
    received_at: float


class Announced(_Sign, tag="announced", frozen=True):
    """A webhook told what no webhook had told before: a sign of life that nobody can replay.

    ``delay`` is how many seconds after the provider's own time it came, None if that says nothing.
    ``facts`` are the ids of those told before by a reconciliation, which it now announces late.
    """

    topic: str
    received_at: float
    delay: float | None = None
    signed_with: str | None = None
    facts: tuple[str, ...] = ()


class Missed(msgspec.Struct, frozen=True):
    """A fact that a reconciliation found and no webhook had announced.

    ``subject`` is its resource, such as ``invoice/aBc123``. It happened no earlier than
    ``happened_since``, None if nobody can say. ``noticed_at`` is when that was learnt here.
    """

    fact: str
    topic: str
    subject: str
    happened_since: float | None
    observed_at: float
    noticed_at: float = 0.0


class Unannounced(_Sign, tag="unannounced", frozen=True):
    """Facts that a reconciliation published, and that a webhook should have announced."""

    facts: tuple[Missed, ...]


class Failure(msgspec.Struct, frozen=True):
    """An answer that the provider may count as undeliverable.

    ``status`` is None where nobody was left to hear the answer; ``digest`` is the body's SHA-256 in
    hex, empty if it was not read. ``why`` is a few words for people.
    """

    topic: str
    status: int | None
    why: str
    at: float
    request_id: str
    digest: str = ""


class Undelivered(_Sign, tag="undelivered", frozen=True):
    """What a receiver did not answer with 200 in time.

    ``more`` counts, by topic, those beyond the ``failures`` told one by one.
    """

    failures: tuple[Failure, ...]
    more: dict[str, int] = {}


class Order(_Sign, tag="order", frozen=True):
    """What an operator asks for, under an id by which the outcome is found.

    ``what`` is ``list``, ``ensure`` or ``test``. With ``take_over`` topics that others have are
    moved here; with ``recreate`` ours are deleted and created, which enables them. ``topics`` are
    those it is about; empty is all.
    """

    id: str
    what: str
    asked_at: float
    take_over: bool = False
    recreate: bool = False
    topics: tuple[str, ...] = ()


Sign = Arrived | Announced | Unannounced | Undelivered | Order
