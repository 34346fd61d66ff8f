"""What the doctor has before it when it looks at one account."""

from dataclasses import dataclass
from datetime import UTC, datetime

from config.account import AccountSettings
from handlers.clock import rfc3339
from handlers.provider import Handler
from receiver.care.known import Care
from receiver.care.reading import AccountRecords
from receiver.registration.situation import Situation


@dataclass(frozen=True, slots=True)
class Patient:
    """One account: its settings, what the service has recorded of it, and the present time.

    ``public_url`` is where providers reach us, None if nobody said; ``unreachable`` says why it
    cannot be reached from here, None if it can. ``now`` is in seconds since 1970.
    """

    handler: Handler
    records: AccountRecords
    public_url: str | None
    unreachable: str | None
    now: float

    @property
    def account(self) -> AccountSettings:
        """Return the account's settings."""
        return self.handler.account

    @property
    def care(self) -> Care:
        """Return what is known of the account beside its watches."""
        return self.records.care

    @property
    def url(self) -> str | None:
        """Return where its webhooks should arrive."""
        name = self.account.name
        return None if self.public_url is None else f"{self.public_url}/webhooks/{name}"

    @property
    def situation(self) -> Situation | None:
        """Return what its subscriptions are judged by; None if its provider calls nobody."""
        registration = self.handler.registration
        if registration is None:
            return None
        registered, vitals = self.care.registered, self.care.vitals
        return Situation(registration, registered, vitals, self.url, self.now)


def moment(seconds: float) -> str:
    """Return a time, in seconds since 1970, as RFC 3339 to the second."""
    return rfc3339(datetime.fromtimestamp(int(seconds), UTC))
