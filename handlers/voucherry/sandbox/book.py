"""What Voucherry holds: its users' transfers and requests of cherries. No HTTP here."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from handlers.clock import rfc3339
from handlers.jsontext import Json, JsonObject

TRANSFERS = "cherries_transfers"
REQUESTS = "cherries_requests"
WAITING = "waiting_for_confirmation"
CONFIRMED = "confirmed"


@dataclass(slots=True)
class Transfer:
    """A transfer or a request of cherries, and the collection it is in."""

    collection: str
    id: int
    cherries: int
    created_at: str
    invite_id: Json = None
    metadata: Json = None
    status: str = WAITING

    def shown(self, base_url: str) -> JsonObject:
        """Return it as the API shows it."""
        return {
            "id": self.id,
            "cherries_amount": self.cherries,
            "status": self.status,
            "created_at": self.created_at,
            "invite_id": self.invite_id,
            "url": f"{base_url}/{self.collection}/{self.id}",
            "metadata": self.metadata,
        }


@dataclass(slots=True)
class User:
    """A user, by the name of the account that reads here, and what that user created."""

    name: str
    base_url: str
    transfers: dict[tuple[str, int], Transfer] = field(default_factory=dict)

    @property
    def auth_token(self) -> str:
        """Return the API token: the sandbox keeps no secrets."""
        return f"token-of-{self.name}"

    @property
    def password(self) -> str:
        """Return the password that goes with the name."""
        return f"password-of-{self.name}"


class Book:
    """All users. Ids count up from 1 in each collection, and are never given twice."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.moved = 0
        """How many cherries confirmations have moved."""
        self._ids = {TRANSFERS: count(1), REQUESTS: count(1)}

    def user(self, name: str, base_url: str) -> User:
        """Return the user of an account's name, made on first sight, as served at ``base_url``."""
        user = self.users.setdefault(name, User(name, base_url))
        user.base_url = base_url
        return user

    def create(
        self, user: User, collection: str, cherries: int, now: datetime, invite_id: Json = None
    ) -> Transfer:
        """Create a transfer or a request that waits for its confirmation."""
        made = Transfer(collection, next(self._ids[collection]), cherries, rfc3339(now), invite_id)
        user.transfers[collection, made.id] = made
        return made

    def confirm(self, transfer: Transfer) -> bool:
        """Move the cherries; return False, and move nothing, where that was done before."""
        if transfer.status == CONFIRMED:
            return False
        transfer.status = CONFIRMED
        self.moved += transfer.cherries
        return True
