"""The sandbox's HTTP side: who asks, what is shown, and the count of confirmations.

Source: Voucherry's API documentation. 401 unauthenticated, 409 ``{"errors": [...]}``, 200 with the
resource; every path also with ``.json``.
"""

import binascii
import re
from base64 import b64decode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import SecretStr

from handlers.exchange import Request, Response
from handlers.fact import Fact
from handlers.jsontext import JsonObject, Unreadable, parse_object
from handlers.resource import ResourceKey
from handlers.sandbox import Control, Notification, Step
from handlers.voucherry.sandbox.book import CONFIRMED, REQUESTS, WAITING, Book, Transfer, User
from handlers.voucherry.sandbox.controls import BookControls
from handlers.voucherry.sandbox.story import STORY
from handlers.voucherry.settings import VoucherrySettings

_ROUTE = re.compile(
    r"/(?P<collection>cherries_transfers|cherries_requests)"
    r"(?:/(?P<id>[1-9][0-9]{0,17})(?P<confirm>/confirm)?)?(?:\.json)?"
)
_KINDS = {"cherries_transfers": "transfer", "cherries_requests": "transfer_request"}


class VoucherrySandbox:
    """Voucherry in memory. Implements :class:`handlers.sandbox.Sandbox`."""

    def __init__(self) -> None:
        self._book = Book()
        self._controls = BookControls(self._book).by_name()
        self._caused: dict[str, set[UUID]] = defaultdict(set)
        self._confirmations = 0

    @property
    def confirmations(self) -> int:
        """Return how often ``…/confirm`` was called through the API, in vain or not."""
        return self._confirmations

    @property
    def cherries_moved(self) -> int:
        """Return how many cherries were moved, through the API or by a control."""
        return self._book.moved

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer one request."""
        if request.path.removesuffix(".json").endswith("/confirm"):
            self._confirmations += 1
        fields = _fields(request)
        user = self._authenticated(request, fields)
        if user is None:
            return _errors(401, "Invalid credentials")
        route = _ROUTE.fullmatch(request.path)
        if route is None:
            return _errors(404, "Not found")
        if request.method == "POST" and route["id"] is None:
            return self._create(user, route["collection"], fields, now)
        if request.method != "GET" or route["id"] is None:
            return _errors(404, "Not found")
        transfer = user.transfers.get((route["collection"], int(route["id"])))
        if transfer is None:
            return _errors(404, "Not found")
        if route["confirm"]:
            return self._confirm(user, transfer)
        self._caused[user.name].update(_asserted(user, transfer))
        return Response.json(200, transfer.shown(user.base_url))

    def caused(self, account: str) -> frozenset[UUID]:
        """Return the ids of all facts that reads by this account have shown so far.

        The answer to a creation does not count: it goes to whoever created the resource.
        """
        return frozenset(self._caused[account])

    def due(self, now: datetime) -> Sequence[Notification]:  # noqa: ARG002
        """Return nothing: Voucherry sends no webhooks."""
        return ()

    def answered(self, notification_id: str, status: int | None, now: datetime) -> None:
        """Take no notice: nothing was sent."""

    @property
    def controls(self) -> Mapping[str, Control]:
        """Return what can be caused here, by name."""
        return self._controls

    @property
    def story(self) -> Sequence[Step]:
        """Return the seconds that show every kind of event."""
        return STORY

    def account(self, name: str, base_url: str) -> VoucherrySettings:
        """Return the settings of an account whose user exists here from now on."""
        user = self._book.user(name, base_url)
        return VoucherrySettings(
            name=name, base_url=base_url, auth_token=SecretStr(user.auth_token)
        )

    def subscribe(self, url: str) -> None:
        """Take no notice: Voucherry sends no webhooks."""

    def _authenticated(self, request: Request, fields: JsonObject) -> User | None:
        name, password = _basic(request.headers.get("authorization", ""))
        token = request.query.get("auth_token") or fields.get("auth_token")
        for user in self._book.users.values():
            by_token = user.auth_token == token or (name, password) == (user.auth_token, "")
            if by_token or (name, password) == (user.name, user.password):
                return user
        return None

    def _create(self, user: User, collection: str, fields: JsonObject, now: datetime) -> Response:
        try:
            cherries = int(str(fields.get("cherries_amount")))
        except ValueError:
            return _errors(409, "Cherries amount is not a number")
        if cherries < 1:
            return _errors(409, "Cherries amount must be greater than 0")
        made = self._book.create(user, collection, cherries, now, fields.get("invite_id"))
        made.metadata = fields.get("metadata")
        return Response.json(200, made.shown(user.base_url))

    def _confirm(self, user: User, transfer: Transfer) -> Response:
        if transfer.collection != REQUESTS:
            return _errors(404, "Not found")
        if not self._book.confirm(transfer):
            return _errors(409, "The request is already confirmed")
        return Response.json(200, transfer.shown(user.base_url))


def _fields(request: Request) -> JsonObject:
    """Return the body's parameters, JSON or a form; none where it is neither."""
    if not request.body:
        return {}
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            return parse_object(request.body)
        return dict(request.parameters())
    except (Unreadable, UnicodeDecodeError):
        return {}


def _basic(header: str) -> tuple[str | None, str | None]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        name, colon, password = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return (name, password) if colon else (None, None)


def _asserted(user: User, transfer: Transfer) -> list[UUID]:
    kind = _KINDS[transfer.collection]
    resource = ResourceKey("voucherry", user.name, kind, str(transfer.id))
    facts = [Fact(resource, "requested")]
    if transfer.status == CONFIRMED:
        facts.append(Fact(resource, "confirmed"))
    elif transfer.status != WAITING:
        facts.append(Fact(resource, "updated", discriminator=transfer.status))
    return [fact.id for fact in facts]


def _errors(status: int, *errors: str) -> Response:
    return Response.json(status, {"errors": list(errors)})
