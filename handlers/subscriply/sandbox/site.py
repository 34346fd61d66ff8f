"""What a Subscriply site holds: users, their subscriptions and transactions. No HTTP here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import count
from uuid import UUID, uuid5

from handlers.jsontext import JsonObject

_UUIDS = UUID("4c6a2f3e-7d0a-5a51-8e0f-2f0d7a6b9c11")
_SITE_TIME = timezone(timedelta(hours=-5))


@dataclass(slots=True)
class Subscription:
    """A user's subscription. ``broken`` makes everything about its transactions a 500."""

    id: int
    state: str
    created_at: str
    broken: bool = False

    def shown(self) -> JsonObject:
        """Return it as the API shows it."""
        return {
            "id": self.id,
            "uuid": str(uuid5(_UUIDS, f"subscription/{self.id}")),
            "state": self.state,
            "plan": {"id": 1, "name": "Monthly"},
            "product": {"id": 1, "name": "Membership"},
            "created_at": self.created_at,
        }


@dataclass(slots=True)
class Transaction:
    """A charge or a refund of a subscription; ``cents`` is what it is about."""

    id: int
    user_id: int
    subscription_id: int
    invoice_id: int | None
    kind: str
    state: str
    cents: int
    created_at: str

    def shown(self) -> JsonObject:
        """Return it as the API shows it."""
        return {
            "id": self.id,
            "uuid": str(uuid5(_UUIDS, f"transaction/{self.id}")),
            "subscription_id": self.subscription_id,
            "user_id": self.user_id,
            "invoice_id": self.invoice_id,
            "amount_in_cents": self.cents,
            "state": self.state,
            "transaction_type": self.kind,
            "created_at": self.created_at,
            "invoice": self._invoice(),
        }

    def _invoice(self) -> JsonObject | None:
        if self.invoice_id is None:
            return None
        collected = self.state == "success"
        return {
            "id": self.invoice_id,
            "number": f"INV-{self.invoice_id}",
            "state": "collected" if collected else "open",
            "total_in_cents": self.cents,
        }


@dataclass(slots=True)
class User:
    """A user of the site. ``name`` is that of the account which signs in as this user."""

    id: int
    name: str
    token: str | None = field(default=None, repr=False)
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    transactions: dict[int, Transaction] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """Return the address to sign in with."""
        return f"{self.name}@sandbox.example"

    @property
    def password(self) -> str:
        """Return the password to sign in with: the sandbox keeps no secrets."""
        return f"password-of-{self.name}"

    def transactions_of(self, subscription: int) -> Iterator[Transaction]:
        """Yield the transactions of one subscription, oldest first."""
        return (t for t in self.transactions.values() if t.subscription_id == subscription)


class Site:
    """All users of one site. Ids count up from 1 and are never given twice."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self._ids = count(1)
        self._tokens = count(1)

    def user(self, name: str) -> User:
        """Return the user of an account's name, made on first sight."""
        if name not in self.users:
            self.users[name] = User(next(self._ids), name)
        return self.users[name]

    def sign_in(self, email: str, password: str) -> User | None:
        """Return the user with these credentials, with a token; None where there is none."""
        for user in self.users.values():
            if (user.email, user.password) == (email, password):
                user.token = user.token or f"token-{next(self._tokens)}-of-{user.name}"
                return user
        return None

    def signed_in(self, email: str, token: str) -> User | None:
        """Return the user with this address and this living token; None where there is none."""
        if not token:
            return None
        return next((u for u in self.users.values() if (u.email, u.token) == (email, token)), None)

    def subscribe(self, user: User, state: str, now: datetime) -> Subscription:
        """Give ``user`` a new subscription."""
        made = Subscription(next(self._ids), state, _written(now))
        user.subscriptions[made.id] = made
        return made

    def transact(
        self,
        user: User,
        subscription: Subscription,
        kind: str,
        state: str,
        cents: int,
        now: datetime,
        *,
        invoiced: bool = True,
    ) -> Transaction:
        """Add a charge or a refund to a subscription."""
        invoice = next(self._ids) if invoiced else None
        made = Transaction(
            id=next(self._ids),
            user_id=user.id,
            subscription_id=subscription.id,
            invoice_id=invoice,
            kind=kind,
            state=state,
            cents=cents,
            created_at=_written(now),
        )
        user.transactions[made.id] = made
        return made


def _written(moment: datetime) -> str:
    return moment.astimezone(_SITE_TIME).isoformat(timespec="milliseconds")
