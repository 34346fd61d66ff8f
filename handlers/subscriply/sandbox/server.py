"""The sandbox's HTTP side: strict paths, tokens, and a 500 for every error but a bad token.

Source: Subscriply's API documentation (``/api/v1``).
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import SecretStr

from handlers.exchange import Request, Response
from handlers.fact import Fact
from handlers.jsontext import Json, Unreadable, parse_object
from handlers.resource import ResourceKey
from handlers.sandbox import Control, Notification, Step
from handlers.subscriply.sandbox.controls import SiteControls
from handlers.subscriply.sandbox.site import Site, Subscription, Transaction, User
from handlers.subscriply.sandbox.story import STORY
from handlers.subscriply.settings import SubscriplySettings

_SIGN_IN = "/authentication/sign_in"
_ROUTE = re.compile(
    r"/subscriptions(?:/(?P<active>active)"
    r"|/(?P<id>[1-9][0-9]{0,17})(?P<transactions>/transactions(?:/(?P<only>successful|failed))?)?)?"
)
_ONLY = {"successful": "success", "failed": "declined"}
_ASSERTED = {"success": "succeeded", "declined": "declined", "void": "voided"}


class Collections(StrEnum):
    """How this site writes collections; sites differ."""

    ROOTED = "rooted"
    """``{"transactions": [...]}``, as documented."""
    BARE = "bare"
    """``[...]``."""
    NULL = "null"
    """Rooted, and ``{"transactions": null}`` when there are none."""
    BARE_NULL = "bare-null"
    """``[...]``, and ``null`` when there are none."""


class SubscriplySandbox:
    """A Subscriply site in memory. Implements :class:`handlers.sandbox.Sandbox`."""

    def __init__(self, collections: Collections = Collections.ROOTED) -> None:
        self._site = Site()
        self._collections = collections
        self._controls = SiteControls(self._site).by_name()
        self._caused: dict[str, set[UUID]] = defaultdict(set)

    def handle(self, request: Request, now: datetime) -> Response:  # noqa: ARG002
        """Answer one request: 401 for bad credentials, 500 for every other error."""
        if request.path == _SIGN_IN and request.method == "POST":
            return self._sign_in(request)
        route = _ROUTE.fullmatch(request.path)
        if request.method != "GET" or route is None:
            return _failed("there is no such route")
        headers = request.headers
        user = self._site.signed_in(
            headers.get("x-user-email", ""), headers.get("x-user-token", "")
        )
        if user is None:
            return _unauthorized()
        return self._answer(user, route)

    def caused(self, account: str) -> frozenset[UUID]:
        """Return the ids of all facts that answers to this account have shown so far."""
        return frozenset(self._caused[account])

    def due(self, now: datetime) -> Sequence[Notification]:  # noqa: ARG002
        """Return nothing: Subscriply sends no webhooks."""
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

    def account(self, name: str, base_url: str) -> SubscriplySettings:
        """Return the settings of an account whose user exists here from now on."""
        user = self._site.user(name)
        return SubscriplySettings(
            name=name,
            base_url=base_url,
            email=user.email,
            password=SecretStr(user.password),
            currency="USD",
        )

    def subscribe(self, url: str) -> None:
        """Take no notice: Subscriply sends no webhooks."""

    def _sign_in(self, request: Request) -> Response:
        try:
            body = parse_object(request.body)
        except Unreadable:
            return _failed("the body is not a JSON object")
        credentials = body.get("user") if len(body) == 1 else None
        if not isinstance(credentials, dict) or credentials.keys() != {"email", "password"}:
            return _failed('"user" with "email" and "password" is expected')
        user = self._site.sign_in(str(credentials["email"]), str(credentials["password"]))
        if user is None:
            return _unauthorized()
        shown: dict[str, Json] = {
            "id": user.id,
            "email": user.email,
            "authentication_token": user.token,
            "active_subscriptions": [s.id for s in user.subscriptions.values() if _active(s)],
            "subscriptions": list(user.subscriptions),
        }
        return Response.json(200, {"user": shown})

    def _answer(self, user: User, route: re.Match[str]) -> Response:
        if route["id"] is None:
            kept = [s for s in user.subscriptions.values() if _active(s) or not route["active"]]
            return self._collection("subscriptions", [s.shown() for s in kept])
        subscription = user.subscriptions.get(int(route["id"]))
        if subscription is None:
            return _failed("there is no such subscription")
        if not route["transactions"]:
            return Response.json(200, {"subscription": subscription.shown()})
        if subscription.broken:
            return _failed("the subscription is broken")
        shown = [t for t in user.transactions_of(subscription.id) if _wanted(t, route["only"])]
        for transaction in shown:
            self._caused[user.name].add(_asserted(user, transaction))
        return self._collection("transactions", [t.shown() for t in shown])

    def _collection(self, name: str, elements: Sequence[Json]) -> Response:
        how = self._collections
        may_be_null = how in {Collections.NULL, Collections.BARE_NULL}
        value: Json = None if may_be_null and not elements else list(elements)
        bare = how in {Collections.BARE, Collections.BARE_NULL}
        return Response.json(200, value if bare else {name: value})


def _active(subscription: Subscription) -> bool:
    return subscription.state == "active"


def _wanted(transaction: Transaction, only: str | None) -> bool:
    if only is None:
        return True
    return (transaction.kind, transaction.state) == ("charge", _ONLY[only])


def _asserted(user: User, transaction: Transaction) -> UUID:
    resource = ResourceKey("subscriply", user.name, transaction.kind, str(transaction.id))
    action = _ASSERTED.get(transaction.state)
    if action is None:
        return Fact(resource, "updated", discriminator=transaction.state).id
    return Fact(resource, action).id


def _failed(why: str) -> Response:
    return Response.json(500, {"error": why})


def _unauthorized() -> Response:
    return Response.json(401, {"error": "the credentials are not valid"})
