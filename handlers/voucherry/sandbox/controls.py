"""What a person, a demo or a test can cause at the sandbox."""

from collections.abc import Mapping
from datetime import datetime

from handlers.jsontext import Json
from handlers.sandbox import Control
from handlers.voucherry.sandbox.book import REQUESTS, TRANSFERS, Book, Transfer, User

_ACCOUNT = {"account": "the account whose user it is; else the first"}
_CREATE = _ACCOUNT | {"amount": "cherries; else 50", "invite": "the id of an invite"}
_ONE = _ACCOUNT | {
    "kind": f"{TRANSFERS} or {REQUESTS}; else that of the latest",
    "id": "its id; else the latest",
}

Arguments = Mapping[str, str]


class BookControls:
    """The controls of one sandbox. Each raises ValueError for what it cannot do."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def by_name(self) -> dict[str, Control]:
        """Return the controls, each under the name that a person types."""
        status = _ONE | {"status": "any word; it need not be a documented one"}
        return {
            "create-transfer": Control("Create a transfer.", self._create_transfer, _CREATE),
            "create-request": Control("Create a request.", self._create_request, _CREATE),
            "confirm": Control("Confirm one, as its payer would.", self._confirm, _ONE),
            "set-status": Control("Set the status of one.", self._set_status, status),
            "delete": Control("Delete one: reading it gets 404.", self._delete, _ONE),
        }

    def _create_transfer(self, arguments: Arguments, now: datetime) -> Json:
        return self._create(TRANSFERS, arguments, now)

    def _create_request(self, arguments: Arguments, now: datetime) -> Json:
        return self._create(REQUESTS, arguments, now)

    def _create(self, collection: str, arguments: Arguments, now: datetime) -> Json:
        user = self._user(arguments)
        amount = int(arguments.get("amount", "50"))
        if amount < 1:
            raise ValueError("amount must be at least 1")
        made = self._book.create(user, collection, amount, now, arguments.get("invite"))
        return made.shown(user.base_url)

    def _confirm(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        user, transfer = self._transfer(arguments)
        self._book.confirm(transfer)
        return transfer.shown(user.base_url)

    def _set_status(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        if not arguments.get("status"):
            raise ValueError("status is missing")
        user, transfer = self._transfer(arguments)
        transfer.status = arguments["status"]
        return transfer.shown(user.base_url)

    def _delete(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        user, transfer = self._transfer(arguments)
        del user.transfers[transfer.collection, transfer.id]
        return transfer.shown(user.base_url)

    def _user(self, arguments: Arguments) -> User:
        users = self._book.users
        name = arguments.get("account") or next(iter(users), None)
        if name is None or name not in users:
            msg = f"there is no account {name}" if name else "there is no account yet"
            raise ValueError(msg)
        return users[name]

    def _transfer(self, arguments: Arguments) -> tuple[User, Transfer]:
        user = self._user(arguments)
        kind, wanted = arguments.get("kind"), arguments.get("id")
        for transfer in reversed(user.transfers.values()):
            if kind in {None, transfer.collection} and wanted in {None, str(transfer.id)}:
                return user, transfer
        msg = f"{user.name} has no such transfer or request"
        raise ValueError(msg)
