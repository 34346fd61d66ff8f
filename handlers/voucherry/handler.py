"""What can be watched at Voucherry, and how a watch is read until it ends.

There is no listing: others create transfers and requests and register them here. Source:
Voucherry's API documentation.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property

from config.account import AccountSettings
from handlers.exchange import Conversation, Refused, Request, Response, WatchFailed
from handlers.fact import Interpretation
from handlers.jsontext import JsonObject, Unreadable, compact
from handlers.observation import Observation
from handlers.provider import BaseHandler, Ending, Handler, Polled, Resource, Session, Watch
from handlers.resource import usable_id
from handlers.voucherry import facts
from handlers.voucherry.routes import RESOURCE_KINDS, is_url_of, path
from handlers.voucherry.settings import VoucherrySettings

_OK, _UNAUTHORIZED, _NOT_FOUND = 200, 401, 404
_PACE_UNIT = timedelta(hours=1)
_SLOWEST_PACE = 60.0
_GRACE = timedelta(days=1)


class VoucherryHandler(BaseHandler):
    """The knowledge of Voucherry, bound to one account."""

    def __init__(self, settings: VoucherrySettings) -> None:
        super().__init__(settings)
        self._settings = settings

    def inbox_key(self, topic: str, body: bytes) -> str:
        """Return the key of the resource in ``body``, else of its digest. Never raises."""
        return facts.inbox_key(self._settings, topic, body)

    def interpret(self, observation: Observation) -> Interpretation:
        """Say which facts a transfer or transfer request asserts.

        Raises:
            Uninterpretable: it cannot become events.

        """
        return facts.interpret(self._settings, observation)

    def watch(self, kind: str, id: str) -> Watch:  # noqa: A002 - the public API's word
        """Return the watch on one resource; ``kind`` is its collection.

        Raises:
            ValueError: no such collection, or an id that could not be one.

        """
        path(kind, id)
        return Watch(self._settings.name, kind, id)

    def watch_resource(self, resource: JsonObject, kind: str | None) -> Watch:
        """Return the watch on a resource as Voucherry returned it.

        The collection is told by its ``url``, or given where it has none.

        Raises:
            ValueError: no usable id or collection, or a url that is not exactly the resource's.

        """
        found = usable_id(resource.get("id"))
        if found is None:
            raise ValueError("the resource has no usable id")
        url = resource.get("url")
        if url is None and kind is None:
            raise ValueError("the resource has no url that tells its kind: give the kind")
        for collection in [kind] if kind is not None else list(RESOURCE_KINDS):
            watch = self.watch(collection, found)
            if url is None or self._owns(watch, url):
                return watch
        raise ValueError("the url is not exactly that of this resource at this account's base_url")

    def poll(
        self,
        watch: Watch,
        age: timedelta,
        session: Session,  # noqa: ARG002 - each request carries the credentials
        memory: bytes = b"",  # noqa: ARG002 - the resource tells all
    ) -> Conversation[Polled]:
        """Read the resource; the watch ends when it is confirmed, gone, or watched for too long.

        One that cannot be read any more is given up a day later, so that an error that passes
        cannot hide a confirmation.

        Raises:
            Refused: the credentials are not accepted.
            WatchFailed: the resource cannot be read.
            CallFailed: there was no response.

        """
        try:
            resource = yield from self._read(watch)
        except WatchFailed:
            if age <= self._settings.watch_max_age + _GRACE:
                raise
            return Polled(ending=Ending.STALLED)
        if resource is None:
            return Polled(ending=Ending.GONE)
        return self._polled(watch, age, resource)

    def _read(self, watch: Watch) -> Conversation[JsonObject | None]:
        """Return the resource, None if Voucherry does not know it."""
        try:
            below = path(watch.kind, watch.id)
        except ValueError as error:
            raise WatchFailed(str(error)) from None
        response = yield Request("GET", below, headers=self._headers)
        if response.status == _NOT_FOUND:
            return None
        if response.status == _UNAUTHORIZED:
            raise Refused("Voucherry does not accept the credentials (401)")
        if response.status != _OK:
            msg = f"{below} got HTTP {response.status}{self._quoted(_errors(response), 500)}"
            raise WatchFailed(msg)
        return self._resource(watch, response)

    def _resource(self, watch: Watch, response: Response) -> JsonObject:
        try:
            resource = response.object()
        except Unreadable as error:
            msg = f"the answer cannot be read: {error}"
            raise WatchFailed(msg) from None
        found = usable_id(resource.get("id"))
        if found != watch.id:
            shown = self._quoted(repr(found), 40)
            msg = f"asked for {watch.kind} {watch.id}, and the answer has the id {shown}"
            raise WatchFailed(msg)
        url = resource.get("url")
        if url is not None and not self._owns(watch, url):
            shown = self._quoted(repr(url), 120)
            msg = f"the answer's url {shown} is not that of {watch.kind} {watch.id}"
            raise WatchFailed(msg)
        return resource

    def _polled(self, watch: Watch, age: timedelta, resource: JsonObject) -> Polled:
        status = resource.get("status")
        ending: str | None = None
        if status == facts.CONFIRMED:
            ending = Ending.DONE
        elif age > self._settings.watch_max_age:
            ending = Ending.STALLED
        return Polled(
            resources=(Resource(watch.kind, compact(resource)),),
            status=status if isinstance(status, str) else None,
            pace=min(_SLOWEST_PACE, max(1.0, age / _PACE_UNIT)),
            ending=ending,
        )

    def _owns(self, watch: Watch, url: object) -> bool:
        return isinstance(url, str) and is_url_of(
            url, self._settings.base_url, watch.kind, watch.id
        )

    @cached_property
    def _headers(self) -> Mapping[str, str]:
        return {"authorization": self._authorization(), "accept": "application/json"}

    def _authorization(self) -> str:
        """Return HTTP Basic credentials: a token is the user's name, with an empty password."""
        settings = self._settings
        user = settings.username or ""
        pair = f"{self._secret()}:" if settings.auth_token else f"{user}:{self._secret()}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    def _secret(self) -> str:
        settings = self._settings
        secret = settings.auth_token or settings.password
        return secret.get_secret_value() if secret else ""

    def _quoted(self, said: str, most: int) -> str:
        """Shorten what an answer says, without the credentials that it may repeat."""
        encoded = self._authorization().removeprefix("Basic ")
        for secret in filter(None, (encoded, self._secret())):
            said = said.replace(secret, "***")
        return said[:most]


def _errors(response: Response) -> str:
    """Return what a 409 says, for people: ``{"errors": ["…"]}``."""
    try:
        body: Mapping[str, object] = response.object()
    except Unreadable:
        return ""
    errors = body.get("errors")
    if not isinstance(errors, list) or not errors:
        return ""
    return ": " + "; ".join(str(error) for error in errors)


def bind(account: AccountSettings) -> Handler:
    """Return the knowledge of Voucherry for one account.

    Raises:
        TypeError: the settings are another provider's.

    """
    if not isinstance(account, VoucherrySettings):
        msg = f"{type(account).__name__} is not the settings of a Voucherry account"
        raise TypeError(msg)
    return VoucherryHandler(account)
